/* SPDX-License-Identifier: MIT */
/*
 * What slab_pool.c, slab_reclaim.c, slab_repair.c and mix.c have in common: the
 * pools.
 */
#ifndef HAKMEM_MM_POOL_H
#define HAKMEM_MM_POOL_H

#include "lib/list.h"
#include "lib/lock.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"

/**
 * struct slab_pool - slabs of one class
 * @lock: guards all of it and the slabs' free maps
 * @partial: slabs with at least one free object; wholly free ones last;
 *	not yet a list while its next is NULL
 * @nr_empty: of those, slabs with all objects free
 * @nr_dirty: free objects that were touched, in a paged class
 * @least_dirty: smallest @nr_dirty since slab_pool_expire()
 * @stats: counters
 * @seen_in: objects that had come out at the last slab_pool_mix()
 * @seen_out: objects that had gone back
 *
 * Full slabs are on no list: the registry finds them when an object returns.
 */
struct slab_pool {
	struct lock lock;
	struct list_head partial;
	unsigned int nr_empty;
	size_t nr_dirty;
	size_t least_dirty;
	struct tier_stats stats;
	size_t seen_in;
	size_t seen_out;
} __aligned_to(64);

extern struct slab_pool pools[NR_CLASSES] __hidden;

static inline void lock_pool(struct slab_pool *pool)
{
	lock_acquire(&pool->lock);
	if (unlikely(!pool->partial.next))
		list_init(&pool->partial);
}

/* Touched objects among the free ones of a slab, 0 in a class without pages. */
unsigned int pool_count_dirty(const struct slab *slab);

/* It leaves: a child that a handler forks below this thread leaves it alone. */
void pool_carry_locked(struct slab *slab, struct list_head *surplus);

/* A slab with all objects free: the pool keeps a few, at the list's end. */
void pool_retire_locked(struct slab_pool *pool, struct slab *slab,
			struct list_head *surplus);

/* Give back slabs that are in no pool any more. Return: how many. */
size_t pool_put_slabs(struct list_head *surplus);

/**
 * pool_refill_mixed() - Fetch objects for a pool without free ones.
 * @class: the pool's
 * @objs: out
 * @n: how many are wanted
 * @at_last: there is no memory for a slab; else there might be some that was
 *	touched, and objects are freed faster that lie in slabs of their class
 *
 * Return: how many there are.
 */
unsigned int pool_refill_mixed(unsigned int class, void **objs,
			       unsigned int n, bool at_last);

/* Recount a pool whose lock another thread had at the fork; frees the lock. */
void pool_repair(struct slab_pool *pool, unsigned int class);

/* Of an object in a mixed slab; lets go of the lock meanwhile. */
const char *pool_give_mixed_locked(struct slab_pool *pool, void *obj);

#endif /* HAKMEM_MM_POOL_H */
