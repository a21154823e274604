// SPDX-License-Identifier: MIT
/*
 * malloc, calloc, free and their slow paths: see include/mm/malloc.h.
 */
#include "mm/malloc.h"

#include <errno.h>
#include <string.h>

#include "hakmem.h"
#include "lib/align.h"
#include "mm/block.h"
#include "mm/fallback.h"
#include "mm/foreign.h"
#include "mm/init.h"
#include "mm/kfence.h"
#include "mm/large.h"
#include "mm/mixed.h"
#include "mm/report.h"
#include "mm/route.h"
#include "mm/slab_pool.h"
#include "mm/tier.h"

static void *allocate(size_t size, size_t align, bool zero)
{
	void *obj = NULL;

	init_ensure();
	if (likely(size <= OBJECT_SIZE_MAX))
		obj = route_alloc(size, align, zero);
	if (unlikely(!obj))
		errno = ENOMEM;
	return obj;
}

void *malloc_slow(size_t size)
{
	void *obj;

	/* Classes beyond the hot path's table have magazines as well. */
	if (likely(size <= SUPERSLAB_SIZE)) {
		obj = cache_pop(cache_tables_base(), size_class(size));
		if (likely(obj))
			return obj;
	}
	return allocate(size, 1, false);
}

/*
 * The record of a slab has the address of its first object, which memcheck
 * would take for a pointer to it: that object is left out.
 */
void *memcheck_malloc(size_t align, size_t size)
{
	void *obj;

	do {
		obj = allocate(memcheck_size(size), align, false);
	} while (IS_ALIGNED((uintptr_t)obj, SLAB_SIZE) && obj &&
		 max(size, align) <= MEMCHECK_LEAK_MAX);
	memcheck_allocated(obj, size);
	return obj;
}

void *malloc_aligned(size_t align, size_t size)
{
	const struct cache_tables *tables = cache_tables_base();
	size_t rounded = ALIGN_UP(max(size, (size_t)1), align);
	unsigned int class;
	void *obj;

	if (align <= OBJECT_ALIGN)
		return malloc_inline(size);
	if (memcheck_is_on())
		return memcheck_malloc(align, size);
	/* As size_class_aligned(); 0 where the sum does not fit its type. */
	if (rounded && rounded <= TINY_MAX_SIZE) {
		obj = cache_pop(tables, tables->sizes[rounded / OBJECT_ALIGN]);
		return likely(obj) ? obj : allocate(size, align, false);
	}
	class = route_class(size, align);
	if (class != CLASS_NONE) {
		obj = cache_pop(tables, class);
		if (likely(obj))
			return obj;
	}
	return allocate(size, align, false);
}

/* Return: what is wrong with an object of a size class, NULL if nothing. */
static const char *free_object(unsigned int class, void *ptr)
{
	const char *fault = NULL;

	/* Objects across units have room, but were not checked before. */
	if (free_checks() && object_looks_wrong(&cache_tables, class, ptr))
		fault = slab_pointer_fault(ptr, class);
	if (likely(!fault) && !cache_push(cache_tables_base(), class, ptr)) {
		cache_free_slow(class, ptr);
		route_tick();
	}
	return fault;
}

void free_slow(void *ptr)
{
	unsigned int class;
	const char *fault = NULL;

	if (!ptr)
		return;
	class = registry_class(ptr);
	if (is_size_class(class)) {
		fault = free_object(class, ptr);
		if (likely(!fault))
			return;
		/* Its slab may have become a mixed one meanwhile. */
		class = registry_class(ptr);
	}
	if (class == CLASS_MIXED) {
		if (cache_return(ptr))
			route_tick();
	} else if (kfence_owns(ptr)) {
		fault = kfence_free(ptr);
	} else if (!is_size_class(class)) {
		fault = route_free_run(ptr);
		if (unlikely(fault))
			fault = fallback_free(ptr, fault);
	}
	if (likely(!fault))
		return;
	if (!foreign_passes("free", ptr, fault))
		report_bad_pointer("free", ptr, fault);
	foreign_free(ptr);
}

size_t usable_size(const void *ptr, const char *function, bool *pages)
{
	unsigned int class = registry_class(ptr);
	const char *fault = NULL;
	size_t size = 0;

	*pages = false;
	if (is_size_class(class)) {
		size = class_size(class);
		if (unlikely(object_looks_wrong(&cache_tables, class, ptr)))
			fault = slab_pointer_fault(ptr, class);
		/* Its slab may have become a mixed one meanwhile. */
		if (unlikely(fault))
			class = registry_class(ptr);
	}
	if (class == CLASS_MIXED) {
		size = mixed_usable(ptr, &fault);
	} else if (kfence_owns(ptr)) {
		size = kfence_usable(ptr, &fault);
	} else if (!is_size_class(class)) {
		size = large_usable(ptr, &fault);
		*pages = !fault;
		if (unlikely(fault))
			size = fallback_usable(ptr, &fault);
	}
	if (likely(!fault))
		return size;
	if (!foreign_passes(function, ptr, fault))
		report_bad_pointer(function, ptr, fault);
	*pages = false;
	return USABLE_FOREIGN;
}

void *hak_malloc(size_t size)
{
	return block_alloc(size, BLOCK_MALLOC);
}

void hak_free(void *ptr)
{
	block_free(ptr, BLOCK_MALLOC);
}

void *hak_calloc(size_t n, size_t size)
{
	size_t total;
	void *obj;

	if (unlikely(__builtin_mul_overflow(n, size, &total))) {
		errno = ENOMEM;
		return NULL;
	}
	if (blocks_are_hardened())
		return harden_alloc_zeroed(total);
	if (total > TINY_MAX_SIZE && !memcheck_is_on())
		return allocate(total, 1, true);
	obj = block_alloc(total, BLOCK_MALLOC);
	return likely(obj) ? memset(obj, 0, total) : NULL;
}

size_t hak_malloc_usable_size(void *ptr)
{
	size_t size;
	bool pages;

	if (!ptr)
		return 0;
	if (blocks_are_hardened())
		size = harden_usable_size(ptr, "malloc_usable_size");
	else
		size = usable_size(ptr, "malloc_usable_size", &pages);
	return likely(size != USABLE_FOREIGN) ? size : foreign_usable(ptr);
}
