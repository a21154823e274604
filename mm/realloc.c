// SPDX-License-Identifier: MIT
/*
 * realloc and reallocarray.
 */
#include <errno.h>
#include <string.h>

#include "hakmem.h"
#include "mm/large.h"
#include "mm/malloc.h"

/*
 * An object stays where it is while the request still fits and would fill at
 * least half of it.
 */
static bool fits_well(size_t size, size_t usable)
{
	return size <= usable && size >= usable / 2;
}

static void *move(void *ptr, size_t usable, size_t size)
{
	void *moved = malloc_inline(size);

	if (unlikely(!moved))
		return NULL;
	memcpy(moved, ptr, min(usable, size));
	free_inline(ptr);
	return moved;
}

void *hak_realloc(void *ptr, size_t size)
{
	size_t usable;
	void *resized;

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
	usable = usable_size(ptr, "realloc");
	if (fits_well(size, usable))
		return ptr;
	if (size > TINY_MAX_SIZE && !is_size_class(registry_class(ptr))) {
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
