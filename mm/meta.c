// SPDX-License-Identifier: MIT
/*
 * Memory for the allocator's own records: see include/mm/meta.h.
 *
 * Lock order: a pool's lock, then nothing; area_lock, then nothing. The two
 * are never held together.
 */
#include "mm/meta.h"

#include <stdint.h>

#include "lib/align.h"
#include "mm/vm.h"

#define AREA_SIZE	((size_t)256 << 10)

static struct lock area_lock = LOCK_INIT;
static uintptr_t area_next;	/* guarded by area_lock */
static uintptr_t area_end;
static size_t mapped;

static void *carve_locked(size_t size, size_t align)
{
	uintptr_t start = ALIGN_UP(area_next, align);

	if (!area_next || start + size > area_end)
		return NULL;
	area_next = start + size;
	return (void *)start;
}

static void *carve(size_t size, size_t align)
{
	uintptr_t area;
	void *record;

	lock_acquire(&area_lock);
	record = carve_locked(size, align);
	lock_release(&area_lock);
	if (record)
		return record;
	area = (uintptr_t)vm_map(NULL, AREA_SIZE, vm_page_size());
	if (!area)
		return NULL;
	lock_acquire(&area_lock);
	mapped += AREA_SIZE;
	area_next = area;
	area_end = area + AREA_SIZE;
	record = carve_locked(size, align);
	lock_release(&area_lock);
	return record;
}

void *meta_alloc_list(struct meta_pool *pool, unsigned int n)
{
	void **link = &pool->free;
	void *first;

	lock_acquire(&pool->lock);
	first = pool->free;
	for (; n && *link; n--)
		link = *link;
	if (first) {
		pool->free = *link;
		*link = NULL;
	}
	lock_release(&pool->lock);
	return first ? first : carve(pool->size, pool->align);
}

void *meta_alloc(struct meta_pool *pool)
{
	return meta_alloc_list(pool, 1);
}

void meta_free_list(struct meta_pool *pool, void *first, void *last)
{
	lock_acquire(&pool->lock);
	*(void **)last = pool->free;
	/* Linked before it is reachable, for a child forked in between. */
	__atomic_store_n(&pool->free, first, __ATOMIC_RELEASE);
	lock_release(&pool->lock);
}

void meta_free(struct meta_pool *pool, void *record)
{
	meta_free_list(pool, record, record);
}

void meta_pool_fork_child(struct meta_pool *pool)
{
	if (lock_orphaned(&pool->lock))
		lock_reset(&pool->lock);
}

void meta_fork_child(void)
{
	if (!lock_orphaned(&area_lock))
		return;
	/* The pair may be half changed: leave it and map a fresh area. */
	area_next = 0;
	area_end = 0;
	lock_reset(&area_lock);
}

size_t meta_mapped(void)
{
	return READ_ONCE(mapped);
}
