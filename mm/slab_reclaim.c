// SPDX-License-Identifier: MIT
/*
 * What slab pools give back: empty slabs, and the memory of free objects.
 *
 * Lock order: a pool's lock, then nothing. Memory calls are made while it is
 * free, with what they are about taken out.
 */
#include "pool.h"

#include "lib/align.h"
#include "lib/bitmap.h"
#include "mm/mixed.h"
#include "mm/superslab.h"
#include "mm/vm.h"

/* After a fork, empty slabs may be anywhere on the list. */
static void take_empty_locked(struct slab_pool *pool,
			      struct list_head *surplus)
{
	struct list_head *pos = pool->partial.prev;
	struct slab *slab;

	while (pool->nr_empty && pos != &pool->partial) {
		slab = container_of(pos, struct slab, node);
		pos = pos->prev;
		if (slab->nr_free != slab->nr_objects)
			continue;
		pool->nr_empty--;
		pool->stats.slabs--;
		pool->nr_dirty -= pool_count_dirty(slab);
		list_del(&slab->node);
		pool_carry_locked(slab, surplus);
	}
}

/*
 * Take the touched free objects of a slab out, so that nobody gets them while
 * they are purged. A child that another thread forks meanwhile has them taken.
 * Slabs without any go to the end on the way: no two searches meet them.
 */
static struct slab *take_dirty_locked(struct slab_pool *pool, uint64_t *objs)
{
	const struct list_head *last = pool->partial.prev;
	const struct list_head *seen = &pool->partial;
	struct slab *slab;
	unsigned int n;

	while (seen != last) {
		slab = list_first_entry(&pool->partial, struct slab, node);
		seen = &slab->node;
		n = pool_count_dirty(slab);
		if (!n) {
			list_del(&slab->node);
			list_add_tail(&slab->node, &pool->partial);
			continue;
		}
		*objs = slab->free_map[0] & slab->dirty_map;
		if (slab->nr_free == slab->nr_objects)
			pool->nr_empty--;
		slab->free_map[0] &= ~*objs;
		slab->nr_free = (uint16_t)(slab->nr_free - n);
		pool->nr_dirty -= n;
		if (!slab->nr_free)
			list_del(&slab->node);
		return slab;
	}
	return NULL;
}

static void put_back_locked(struct slab_pool *pool, struct slab *slab,
			    uint64_t objs, bool purged,
			    struct list_head *surplus)
{
	if (purged)
		slab->dirty_map &= ~objs;
	if (!slab->nr_free)
		list_add_tail(&slab->node, &pool->partial);
	slab->free_map[0] |= objs;
	slab->hint = 0;
	slab->nr_free = (uint16_t)(slab->nr_free + bit_count(objs));
	if (!purged)
		pool->nr_dirty += bit_count(objs);
	if (slab->nr_free == slab->nr_objects)
		pool_retire_locked(pool, slab, surplus);
}

/*
 * Purge neighbours together; with the last object what is left behind it, which
 * counts as dirty as long as that object does. Return: false if refused.
 */
static bool purge_objects(const struct slab *slab, uint64_t objs)
{
	size_t size = class_size(slab->class);
	unsigned int first, end;
	uint64_t after;
	size_t stop;

	for (; objs; objs &= ~bitmap_word_mask(0, 0, end)) {
		first = (unsigned int)__builtin_ctzll(objs);
		after = ~(objs >> first);
		end = first + (after ? (unsigned int)__builtin_ctzll(after) :
				       BITMAP_WORD_BITS);
		stop = end == slab->nr_objects ? slab->units * SLAB_SIZE :
						 end * size;
		if (!vm_purge((void *)(slab->base + first * size),
			      stop - first * size))
			return false;
	}
	return true;
}

/* Purge free objects until @keep touched ones are left. Return: bytes. */
static size_t purge_pool(unsigned int class, size_t keep)
{
	struct slab_pool *pool = &pools[class];
	struct list_head surplus = LIST_HEAD_INIT(surplus);
	size_t size = class_size(class);
	bool purged = IS_ALIGNED(size, vm_page_size());
	struct slab *slab;
	size_t bytes = 0;
	uint64_t objs;

	while (purged) {
		lock_pool(pool);
		slab = pool->nr_dirty > keep ? take_dirty_locked(pool, &objs) :
					       NULL;
		lock_release(&pool->lock);
		if (!slab)
			break;
		purged = purge_objects(slab, objs);
		if (purged)
			bytes += bit_count(objs) * size;
		lock_pool(pool);
		put_back_locked(pool, slab, objs, purged, &surplus);
		lock_release(&pool->lock);
	}
	pool_put_slabs(&surplus);
	return bytes;
}

size_t slab_pool_reclaim(size_t *bytes)
{
	struct list_head surplus = LIST_HEAD_INIT(surplus);
	unsigned int class;
	size_t slabs = 0;

	for (class = 1; class < NR_CLASSES; class++) {
		if (READ_ONCE(pools[class].nr_empty)) {
			lock_pool(&pools[class]);
			take_empty_locked(&pools[class], &surplus);
			lock_release(&pools[class].lock);
			slabs += pool_put_slabs(&surplus);
		}
		if (READ_ONCE(pools[class].nr_dirty))
			*bytes += purge_pool(class, 0);
	}
	return slabs;
}

void slab_pool_expire(void)
{
	unsigned int class;
	size_t idle, keep;

	for (class = PAGED_CLASS_FIRST; class < NR_CLASSES; class++) {
		struct slab_pool *pool = &pools[class];

		if (!READ_ONCE(pool->nr_dirty))
			continue;
		lock_pool(pool);
		idle = pool->least_dirty;
		keep = pool->nr_dirty - idle;
		pool->least_dirty = pool->nr_dirty;
		lock_release(&pool->lock);
		if (idle)
			purge_pool(class, keep);
	}
	mixed_expire();
}
