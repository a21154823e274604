// SPDX-License-Identifier: MIT
/*
 * realloc and reallocarray.
 */
#include <errno.h>
#include <string.h>

#include "hakmem.h"
#include "mm/block.h"
#include "mm/foreign.h"
#include "mm/large.h"
#include "mm/malloc.h"

/*
 * An object stays as it is while the request fits and leaves little unused:
 * of one that would have to be copied up to half, of pages, which can be cut
 * off where they are, an eighth.
 */
static bool fits_well(size_t size, size_t usable, bool pages)
{
	return size <= usable && usable - size <= usable / (pages ? 8 : 2);
}

/*
 * What grows is likely to grow again: with a mapping without copying, below
 * that seldom.
 */
static void *alloc_grown(size_t size, size_t usable)
{
	size_t ahead = size_grown(usable);
	void *obj = NULL;

	if (size >= REMAP_MIN_SIZE)
		obj = large_alloc_mapping(size);
	else if (ahead < REMAP_MIN_SIZE)
		size = max(size, ahead);
	return obj ? obj : malloc_inline(size);
}

static void *move(void *ptr, size_t usable, size_t size)
{
	int saved = errno;
	bool ahead = size > usable && !memcheck_is_on();
	void *moved = ahead ? alloc_grown(size, usable) : malloc_inline(size);

	if (unlikely(!moved)) {
		if (size > usable)
			return NULL;
		/* Shrinking does not have to fail. */
		errno = saved;
		return ptr;
	}
	memcheck_errors(false);
	memcpy(moved, ptr, min(usable, size));
	memcheck_errors(true);
	free_inline(ptr);
	return moved;
}

void *hak_realloc(void *ptr, size_t size)
{
	size_t usable;
	void *resized;
	bool pages;

	if (blocks_are_hardened())
		return harden_realloc(ptr, size);
	if (!ptr)
		return malloc_inline(size);
	if (!size) {
		free_inline(ptr);
		return NULL;
	}
	if (unlikely(size > OBJECT_SIZE_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	usable = usable_size(ptr, "realloc", &pages);
	if (fits_well(size, usable, pages) && !memcheck_is_on())
		return ptr;
	if (unlikely(usable == USABLE_FOREIGN))
		return foreign_realloc(ptr, size);
	if (memcheck_is_on())
		return move(ptr, usable, size);
	if (pages && size > TINY_MAX_SIZE) {
		resized = large_resize(ptr, size);
		if (resized)
			return resized;
	}
	return move(ptr, usable, size);
}

void *hak_reallocarray(void *ptr, size_t n, size_t size)
{
	size_t total;

	if (unlikely(__builtin_mul_overflow(n, size, &total))) {
		errno = ENOMEM;
		return NULL;
	}
	return hak_realloc(ptr, total);
}
