/* SPDX-License-Identifier: MIT */
/*
 * The hot paths, for the functions of all names: hak_malloc(), malloc(),
 * operator new.
 *
 *   malloc_inline()                    free_inline()
 *     cache_pop()                        registry_class()
 *     malloc_slow()                      cache_push()
 *       route_alloc()                    free_slow()
 *         cache_alloc() ... tier           cache_free_slow()
 *         large_alloc()                    large_free()
 *         fallback_alloc()                 fallback_free()
 *                                          foreign_free()
 */
#ifndef HAKMEM_MM_MALLOC_H
#define HAKMEM_MM_MALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/cache.h"
#include "mm/memcheck.h"
#include "mm/registry.h"

/* Any size; NULL with ENOMEM. Keeps errno on success. */
void *malloc_slow(size_t size);

/* Any pointer, NULL included; ends the program over a bad one. */
void free_slow(void *ptr);

/**
 * malloc_aligned() - Allocate with an alignment.
 * @align: power of two
 * @size: bytes
 *
 * Return: NULL with ENOMEM without memory. Keeps errno on success.
 */
void *malloc_aligned(size_t align, size_t size);

/* malloc_aligned() for a program that runs under memcheck. */
void __cold *memcheck_malloc(size_t align, size_t size);

static __always_inline void *malloc_inline(size_t size)
{
	const struct cache_tables *tables;
	void *obj;

	if (memcheck_is_on())
		return memcheck_malloc(1, size);
	if (unlikely(size > TINY_MAX_SIZE))
		return malloc_slow(size);
	tables = cache_tables_base();
	obj = cache_pop(tables, tables->sizes[(size + OBJECT_ALIGN - 1) /
					      OBJECT_ALIGN]);
	return likely(obj) ? obj : malloc_slow(size);
}

/**
 * usable_size() - Bytes that an object has room for.
 * @ptr: not NULL; ends the program if it is no object, unless HAKMEM_FOREIGN
 *	lets it pass
 * @function: of the interface, for the report
 * @pages: out: whether it is the large tier's, for large_resize()
 *
 * Return: USABLE_FOREIGN for a pointer that passed.
 */
#define USABLE_FOREIGN	SIZE_MAX
size_t usable_size(const void *ptr, const char *function, bool *pages);

/*
 * How much a block that has to be copied grows at least: what grows by little
 * is likely to grow again, and from some size on a copy takes longer than all
 * the rest.
 */
static inline size_t size_grown(size_t usable)
{
	return usable < 1024 ? usable : usable + usable / 8 * 3;
}

/* Whether free() looks at a pointer at once, or leaves that to draining. */
static __always_inline bool free_checks(void)
{
	return IS_ENABLED(CONFIG_HAKMEM_FREE_CHECK);
}

/* A quick test: false for no pointer but an object's, true for some of them. */
static __always_inline bool
object_looks_wrong(const struct cache_tables *tables, size_t class,
		   const void *ptr)
{
	uint32_t offset = (uint32_t)((uintptr_t)ptr & (SLAB_SIZE - 1));
	const struct class_check *check = &tables->checks[class];

	return offset * check->multiplier >= check->limit;
}

static __always_inline void free_inline(void *ptr)
{
	size_t class = registry_class(ptr);
	const struct cache_tables *tables = cache_tables_base();

	memcheck_freed(ptr);
	if (unlikely(free_checks() && object_looks_wrong(tables, class, ptr)) ||
	    unlikely(!cache_push(tables, class, ptr)))
		free_slow(ptr);
}

#endif /* HAKMEM_MM_MALLOC_H */
