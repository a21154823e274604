// SPDX-License-Identifier: MIT
/*
 * Calls every function that libc's malloc.o also defines, so that one which
 * the library lacks drags that member in, and much of libc that allocates
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expect.h"

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t alignment, size_t size);

void *__libc_malloc(size_t size);
void __libc_free(void *ptr);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
int __libc_mallopt(int parameter, int value);
struct mallinfo __libc_mallinfo(void);

static int is_aligned(const void *ptr, size_t alignment)
{
	return ptr && (uintptr_t)ptr % alignment == 0;
}

static void use_plain_functions(void)
{
	char *text = malloc(10);
	int *zeroes = calloc(100, sizeof(*zeroes));
	volatile size_t half = SIZE_MAX / 2;

	CHECK(text);
	strcpy(text, "something");
	text = realloc(text, 100000);
	CHECK(text && !strcmp(text, "something"));
	CHECK(malloc_usable_size(text) >= 100000);
	text = reallocarray(text, 1000, 3000);
	CHECK(text && !strcmp(text, "something"));
	CHECK(!reallocarray(text, half, 3) && errno == ENOMEM);
	free(text);

	CHECK(zeroes && !zeroes[0] && !zeroes[99]);
	free_sized(zeroes, 100 * sizeof(*zeroes));
}

static void use_aligned_functions(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *blocks[5];

	CHECK(posix_memalign(&blocks[0], 256, 100) == 0);
	blocks[1] = aligned_alloc(64, 640);
	blocks[2] = memalign(4096, 1);
	blocks[3] = valloc(10);
	blocks[4] = pvalloc(10);
	CHECK(is_aligned(blocks[0], 256));
	CHECK(is_aligned(blocks[1], 64));
	CHECK(is_aligned(blocks[2], 4096));
	CHECK(is_aligned(blocks[3], page));
	CHECK(is_aligned(blocks[4], page));
	free_aligned_sized(blocks[1], 64, 640);
	blocks[1] = NULL;
	for (int i = 0; i < 5; i++)
		free(blocks[i]);
}

static void use_glibc_aliases(void)
{
	void *block = __libc_realloc(__libc_malloc(10), 20);

	CHECK(block);
	__libc_free(block);
	__libc_free(__libc_calloc(1, 10));
	__libc_free(__libc_memalign(64, 10));
	__libc_free(__libc_valloc(10));
	__libc_free(__libc_pvalloc(10));
	__libc_mallopt(M_MMAP_THRESHOLD, 1 << 20);
	__libc_mallinfo();
}

static void use_reports(void)
{
	FILE *sink = fopen("/dev/null", "w");

	CHECK(sink);
	CHECK(malloc_info(0, sink) == 0);
	fclose(sink);
	mallinfo();
	mallinfo2();
	malloc_stats();
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	malloc_trim(0);
}

static void use_libc(void)
{
	char *text, *line = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	CHECK(stream);
	for (int i = 0; i < 10000; i++)
		fprintf(stream, "line %d\n", i);
	fclose(stream);
	stream = fmemopen(text, size, "r");
	CHECK(stream);
	size = 0;
	while (getline(&line, &size, stream) > 0)
		;
	CHECK(line && !strcmp(line, "line 9999\n"));
	fclose(stream);
	free(text);
	free(line);

	CHECK(asprintf(&text, "%s %200d", "a", 1) == 202);
	line = strdup(text);
	CHECK(line && !strcmp(line, text));
	free(text);
	free(line);
	CHECK(setenv("STATIC_LINK", "1", 1) == 0);
}

int main(void)
{
	use_plain_functions();
	use_aligned_functions();
	use_glibc_aliases();
	use_reports();
	use_libc();
	use_threads_and_fork();
	puts("done");
	return 0;
}
