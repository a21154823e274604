// SPDX-License-Identifier: MIT
/*
 * Every function of libc's malloc, under libc's own declarations.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <unistd.h>

#include "program.h"

static void *find(const char *name)
{
	Dl_info info;
	void *function = dlsym(RTLD_DEFAULT, name);

	if (!function)
		fprintf(stderr, "no %s\n", name);
	CHECK(function);
	CHECK(dladdr(function, &info));
	if (!strstr(info.dli_fname, "libhakmem"))
		fprintf(stderr, "%s is in %s\n", name, info.dli_fname);
	CHECK(strstr(info.dli_fname, "libhakmem"));
	return function;
}

static void all_names_are_ours(void)
{
	static const char *const names[] = {
		"malloc", "free", "calloc", "realloc", "reallocarray",
		"aligned_alloc", "posix_memalign", "memalign", "valloc",
		"pvalloc", "malloc_usable_size", "free_sized",
		"free_aligned_sized", "cfree", "malloc_trim", "malloc_stats",
		"malloc_info", "mallinfo", "mallinfo2", "mallopt",
		"__libc_malloc", "__libc_free", "__libc_calloc",
		"__libc_realloc", "__libc_memalign", "__libc_valloc",
		"__libc_pvalloc", "__libc_mallinfo", "__libc_mallopt",
		"hak_malloc", "hak_free",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		find(names[i]);
}

/* Names that this libc may not declare: too young, or deprecated. */
static void others_free(void)
{
	void (*free_sized)(void *p, size_t size);
	void (*free_aligned_sized)(void *p, size_t align, size_t size);
	void (*cfree)(void *p);

	*(void **)&free_sized = find("free_sized");
	*(void **)&free_aligned_sized = find("free_aligned_sized");
	*(void **)&cfree = find("cfree");
	free_sized(malloc(3), 3);
	free_aligned_sized(aligned_alloc(64, 128), 64, 128);
	cfree(calloc(3, 3));
	cfree(NULL);
}

static void each_allocates(void)
{
	void *(*libc_malloc)(size_t size);
	void *(*libc_memalign)(size_t align, size_t size);
	void (*libc_free)(void *p);
	void *p;

	*(void **)&libc_malloc = find("__libc_malloc");
	*(void **)&libc_memalign = find("__libc_memalign");
	*(void **)&libc_free = find("__libc_free");
	libc_free(malloc(10));
	free(libc_malloc(10));
	p = libc_memalign(4096, 1);
	CHECK(p && !((uintptr_t)p % 4096));
	free(p);
	free(reallocarray(realloc(NULL, 10), 10, 10));
	free(aligned_alloc(64, 128));
	CHECK(!posix_memalign(&p, 256, 3) && !((uintptr_t)p % 256));
	CHECK(malloc_usable_size(p) >= 3);
	free(p);
	free(memalign(64, 1));
	free(valloc(1));
	free(pvalloc(1));
}

static void the_others_work(void)
{
	struct mallinfo (*mallinfo)(void);
	char *text = NULL, *p = malloc(300000);
	size_t size;
	FILE *file = open_memstream(&text, &size);

	*(void **)&mallinfo = find("mallinfo");
	CHECK(p && file);
	CHECK(mallinfo2().uordblks + mallinfo2().hblkhd >= 300000);
	CHECK(mallinfo().uordblks + mallinfo().hblkhd >= 300000);
	CHECK(!malloc_info(0, file));
	CHECK(!fclose(file));
	CHECK(!strncmp(text, "<malloc", 7) || !strncmp(text, "<?xml", 5));
	free(text);
	free(p);
	malloc_stats();
	malloc_trim(0);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

static void errno_is_kept(void)
{
	void *volatile p = malloc(100);
	volatile size_t huge = SIZE_MAX;

	errno = 4711;
	free(p);
	free(malloc(1000));
	free(malloc(5000000));
	CHECK(errno == 4711);
	CHECK(!malloc(huge) && errno == ENOMEM);
}

int main(void)
{
	need_hakmem();
	all_names_are_ours();
	others_free();
	each_allocates();
	the_others_work();
	errno_is_kept();
	return finish();
}
