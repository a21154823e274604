// SPDX-License-Identifier: MIT
/*
 * Frees what is not the library's, of the kind that the argument says. With
 * "tour", it does with libc's blocks what a program may do with blocks.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include "program.h"

#define SIZE	100

static char in_data[SIZE] = "x";
static char in_bss[SIZE];
static void *volatile hidden;

static void *free_from_stack(void *unused)
{
	char on_stack[SIZE];

	(void)unused;
	hidden = on_stack;
	free(hidden);
	return NULL;
}

static void free_in_thread(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, free_from_stack, NULL));
	CHECK(!pthread_join(thread, NULL));
}

/* libc's own, which nothing else in this process calls. */
static void *libc_malloc(size_t size)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	void *(*function)(size_t) = NULL;

	CHECK(libc);
	*(void **)&function = dlsym(libc, "malloc");
	CHECK(function && function != malloc);
	return function(size);
}

static void *block_of(const char *kind)
{
	if (!strcmp(kind, "data"))
		return in_data;
	if (!strcmp(kind, "bss"))
		return in_bss;
	if (!strcmp(kind, "libc_data"))
		return dlsym(RTLD_DEFAULT, "environ");
	if (!strcmp(kind, "heap"))
		return libc_malloc(SIZE);
	if (!strcmp(kind, "wild"))
		return (void *)64;
	CHECK(!strcmp(kind, "mapping"));
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Either libc does it, or the block is left alone and nothing is known. */
static void tour(void)
{
	char *block = libc_malloc(SIZE);
	size_t usable;
	char *grown;
	int i;

	strcpy(block, "content");
	errno = 0;
	usable = malloc_usable_size(block);
	grown = realloc(block, 100 * SIZE);
	if (usable) {
		CHECK(usable >= SIZE && grown && !errno);
		CHECK(!strcmp(grown, "content"));
		memset(grown, 1, 100 * SIZE);
		block = grown;
	} else {
		CHECK(!grown && errno == ENOMEM);
		CHECK(!strcmp(block, "content"));
	}
	errno = 0;
	free(block);
	for (i = 0; i < 100; i++)
		free(libc_malloc(SIZE));
	CHECK(!errno);
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	need_hakmem();
	if (!strcmp(argv[1], "tour")) {
		tour();
	} else if (!strcmp(argv[1], "stack")) {
		free_from_stack(NULL);
	} else if (!strcmp(argv[1], "thread_stack")) {
		free_in_thread();
	} else {
		hidden = block_of(argv[1]);
		free(hidden);
	}
	return finish();
}
