// SPDX-License-Identifier: MIT
/*
 * Mistakes that memcheck must find, each in a function of its own, beside
 * much that is right. Compiled with -DPLAIN it makes none of them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAK_NAMES
#include "hakmem.h"
#define malloc hak_malloc
#define calloc hak_calloc
#define realloc hak_realloc
#define reallocarray hak_reallocarray
#define aligned_alloc hak_aligned_alloc
#define free hak_free
#endif

#define APART	__attribute__((__noinline__))

static void *volatile hidden;
static volatile int value;

static APART void leak(void)
{
	hidden = malloc(1234);
	hidden = NULL;
}

static APART void read_behind(const volatile char *block, size_t size)
{
	value = block[size];
}

static APART void read_freed(const volatile char *block)
{
	value = block[3];
}

/* libc's strcmp() reads by words, which memcheck cannot know when static. */
static bool differs(const char *text, const char *other)
{
	while (*text && *text == *other) {
		text++;
		other++;
	}
	return *text != *other;
}

static APART void grow_and_shrink(void)
{
	char *block = NULL;
	size_t size;

	for (size = 10; size < 5000000; size *= 3) {
		block = realloc(block, size);
		if (!block)
			abort();
		if (size > 10 && differs(block, "text"))
			abort();
		strcpy(block, "text");
		block[size - 1] = 'x';
	}
	for (; size > 5; size /= 3)
		block = realloc(block, size);
	if (differs(block, "text"))
		abort();
	block = reallocarray(block, 30, 30);
	block[899] = 'x';
	free(block);
}

static APART void use_zeroed(void)
{
	size_t size, i;
	char *block;

	for (size = 10; size < 1000000; size *= 10) {
		block = calloc(size, 1);
		for (i = 0; i < size; i++)
			if (block[i])
				abort();
		free(block);
	}
}

int main(void)
{
	char *block = malloc(100);
	char *page = aligned_alloc(4096, 4096);

	memset(block, 0, 100);
	memset(page, 0, 4096);
	grow_and_shrink();
	use_zeroed();
#ifndef PLAIN
	leak();
	read_behind(block, 100);
	read_behind(page, 4096);
#endif
	free(block);
	free(page);
#ifndef PLAIN
	read_freed(block);
#endif
	puts("fine");
	return 0;
}
