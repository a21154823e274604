// SPDX-License-Identifier: MIT
/*
 * A program with a malloc of its own: the least that such a thing has, which
 * takes nothing back and ends the program over a pointer that is not its.
 */
#include <errno.h>
#include <stdint.h>

#include "guest.h"

#define ARENA_SIZE	((size_t)64 << 20)
#define ALIGNMENT	((size_t)16)

static char arena[ARENA_SIZE] __attribute__((aligned(4096)));
static size_t arena_used;	/* atomic */

static size_t *header_of(void *block)
{
	CHECK((char *)block > arena && (char *)block < arena + ARENA_SIZE);
	return (size_t *)block - 1;
}

void *memalign(size_t alignment, size_t size)
{
	size_t room, start;
	char *block;

	if (alignment < ALIGNMENT)
		alignment = ALIGNMENT;
	room = size + 2 * alignment;
	start = __atomic_fetch_add(&arena_used, room, __ATOMIC_RELAXED);
	if (size > ARENA_SIZE || start + room > ARENA_SIZE) {
		errno = ENOMEM;
		return NULL;
	}
	block = arena + start + alignment;
	block -= (uintptr_t)block % alignment;
	block += alignment;
	*header_of(block) = size;
	return block;
}

void *malloc(size_t size)
{
	return memalign(ALIGNMENT, size);
}

void *calloc(size_t n, size_t size)
{
	return malloc(n * size);
}

void free(void *block)
{
	if (block)
		header_of(block);
}

void *realloc(void *block, size_t size)
{
	void *moved = malloc(size);

	if (moved && block)
		memcpy(moved, block, *header_of(block) < size ?
		       *header_of(block) : size);
	return moved;
}

static void pages(void)
{
	void *block = hide(pvalloc(100));

	CHECK(block && !((uintptr_t)block % 4096));
	free(block);
}

int main(void)
{
	pages();
	return be_a_guest();
}
