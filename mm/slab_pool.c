// SPDX-License-Identifier: MIT
/*
 * Slab pools: see include/mm/slab_pool.h.
 *
 *   slab_pool_refill()             slab_pool_drain()
 *     take_locked()                  give_locked()
 *       take_from_slab()               check_object()
 *     slab_get()  when none is left    retire_locked()
 *                                    slab_put()  after unlocking
 *
 * Lock order: a pool's lock, then nothing. Slabs are fetched and given back
 * while it is free.
 */
#include "mm/slab_pool.h"

#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/knobs.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"

/**
 * struct slab_pool - slabs of one class
 * @lock: guards all of it and the slabs' free maps
 * @partial: slabs with at least one free object; wholly free ones last;
 *	not yet a list while its next is NULL
 * @nr_empty: of those, slabs with all objects free
 * @stats: counters
 *
 * Full slabs are on no list: the registry finds them when an object returns.
 */
struct slab_pool {
	struct lock lock;
	struct list_head partial;
	unsigned int nr_empty;
	struct tier_stats stats;
} __aligned_to(64);

static struct slab_pool pools[NR_CLASSES];

/*
 * A class with its size inverted, so that nothing divides. Exact for offsets
 * within a superslab: the rounding error stays below one object.
 */
struct geometry {
	unsigned int class;
	size_t size;
	uint64_t reciprocal;	/* 2^RECIPROCAL_SHIFT / size, rounded up */
};

#define RECIPROCAL_SHIFT	42

/* Wholly free slabs a class keeps, against going back and forth. */
static unsigned int empty_slabs_kept(unsigned int class)
{
	return class_on_diet(class) ? 0 : 1;
}

/* Divides once for each class; two threads at once find the same. */
static struct geometry class_geometry(unsigned int class)
{
	static uint64_t reciprocals[NR_CLASSES];
	uint64_t reciprocal = READ_ONCE(reciprocals[class]);
	size_t size = class_size(class);

	if (unlikely(!reciprocal)) {
		reciprocal = (((uint64_t)1 << RECIPROCAL_SHIFT) + size - 1) /
			     size;
		WRITE_ONCE(reciprocals[class], reciprocal);
	}
	return (struct geometry){ class, size, reciprocal };
}

static void lock_pool(struct slab_pool *pool)
{
	lock_acquire(&pool->lock);
	if (unlikely(!pool->partial.next))
		list_init(&pool->partial);
}

/* Move up to @n free objects, lowest first. Return: how many. */
static unsigned int take_from_slab(struct slab *slab, size_t size,
				   void **objs, unsigned int n)
{
	unsigned int words = BITMAP_WORDS(slab->nr_objects);
	unsigned int taken = 0;
	unsigned int word;
	uint64_t bits;

	for (word = slab->hint; word < words; word++) {
		bits = slab->free_map[word];
		while (bits && taken < n) {
			unsigned int bit = (unsigned int)__builtin_ctzll(bits);

			objs[taken++] = (void *)(slab->base +
						 (word * 64 + bit) * size);
			bits &= bits - 1;
		}
		slab->free_map[word] = bits;
		if (taken == n)
			break;
	}
	slab->hint = (uint16_t)word;
	slab->nr_free = (uint16_t)(slab->nr_free - taken);
	return taken;
}

static unsigned int take_locked(struct slab_pool *pool, size_t size,
				void **objs, unsigned int n)
{
	unsigned int taken = 0;
	struct slab *slab;

	while (taken < n && !list_empty(&pool->partial)) {
		slab = list_first_entry(&pool->partial, struct slab, node);
		if (slab->nr_free == slab->nr_objects)
			pool->nr_empty--;
		taken += take_from_slab(slab, size, objs + taken, n - taken);
		if (!slab->nr_free)
			list_del(&slab->node);
	}
	if (taken) {
		pool->stats.refills++;
		pool->stats.refilled += taken;
	}
	return taken;
}

unsigned int slab_pool_refill(unsigned int class, void **objs, unsigned int n)
{
	struct slab_pool *pool = &pools[class];
	size_t size = class_size(class);
	unsigned int taken;
	struct slab *slab;

	lock_pool(pool);
	taken = take_locked(pool, size, objs, n);
	lock_release(&pool->lock);
	if (taken)
		return taken;
	slab = slab_get(class, class_units(class));
	if (!slab)
		return 0;
	lock_pool(pool);
	pool->stats.slabs++;
	pool->nr_empty++;
	list_add(&slab->node, &pool->partial);
	taken = take_locked(pool, size, objs, n);
	lock_release(&pool->lock);
	return taken;
}

/*
 * Find object @addr of a class. Return: what is wrong with it, NULL if nothing;
 * *@slab and *@index are set unless it lies in no slab of the class.
 */
static const char *find_object(const void *addr,
			       const struct geometry *geometry,
			       struct slab **slab, unsigned int *index)
{
	struct superslab *superslab = registry_superslab(addr);
	size_t offset;

	if (!superslab || registry_class(addr) != geometry->class)
		return FAULT_FOREIGN;
	*slab = slab_of(superslab, addr);
	offset = (uintptr_t)addr - (*slab)->base;
	*index = (unsigned int)(offset * geometry->reciprocal >>
				RECIPROCAL_SHIFT);
	if (*index * geometry->size != offset || *index >= (*slab)->nr_objects)
		return FAULT_INTERIOR;
	if (bitmap_test((*slab)->free_map, *index))
		return FAULT_FREE;
	return NULL;
}

const char *slab_pointer_fault(const void *addr, unsigned int class)
{
	struct geometry geometry = class_geometry(class);
	unsigned int index;
	struct slab *slab;

	return find_object(addr, &geometry, &slab, &index);
}

/* A slab with all objects free: the pool keeps a few, at the list's end. */
static void retire_locked(struct slab_pool *pool, struct slab *slab,
			  struct list_head *surplus)
{
	list_del(&slab->node);
	if (pool->nr_empty < empty_slabs_kept(slab->class)) {
		pool->nr_empty++;
		list_add_tail(&slab->node, &pool->partial);
		return;
	}
	pool->stats.slabs--;
	list_add(&slab->node, surplus);
}

static const char *give_locked(struct slab_pool *pool,
			       const struct geometry *geometry, void *obj,
			       struct list_head *surplus)
{
	const char *fault;
	unsigned int index;
	struct slab *slab;

	fault = find_object(obj, geometry, &slab, &index);
	if (fault)
		return fault;
	bitmap_set(slab->free_map, index);
	slab->hint = (uint16_t)min(slab->hint, index / 64);
	if (!slab->nr_free)
		list_add(&slab->node, &pool->partial);
	slab->nr_free++;
	if (slab->nr_free == slab->nr_objects)
		retire_locked(pool, slab, surplus);
	return NULL;
}

/* Give back slabs that are in no pool any more. Return: how many. */
static size_t put_slabs(struct list_head *surplus)
{
	struct slab *slab;
	size_t n;

	for (n = 0; !list_empty(surplus); n++) {
		slab = list_first_entry(surplus, struct slab, node);
		list_del(&slab->node);
		slab_put(slab);
	}
	return n;
}

void slab_pool_drain(unsigned int class, void *const *objs, unsigned int n)
{
	struct slab_pool *pool = &pools[class];
	struct list_head surplus = LIST_HEAD_INIT(surplus);
	struct geometry geometry = class_geometry(class);
	const char *fault = NULL;
	unsigned int i;

	lock_pool(pool);
	for (i = 0; i < n; i++) {
		fault = give_locked(pool, &geometry, objs[i], &surplus);
		if (fault)
			break;
	}
	pool->stats.drains++;
	pool->stats.drained += i;
	lock_release(&pool->lock);
	if (fault)
		report_bad_pointer("free", objs[i], fault);
	put_slabs(&surplus);
}

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
		list_del(&slab->node);
		list_add(&slab->node, surplus);
	}
}

size_t slab_pool_reclaim(void)
{
	struct list_head surplus = LIST_HEAD_INIT(surplus);
	unsigned int class;
	size_t slabs = 0;

	for (class = 1; class < NR_CLASSES; class++) {
		if (!READ_ONCE(pools[class].nr_empty))
			continue;
		lock_pool(&pools[class]);
		take_empty_locked(&pools[class], &surplus);
		lock_release(&pools[class].lock);
		slabs += put_slabs(&surplus);
	}
	return slabs;
}

void slab_pool_stats(unsigned int class, struct tier_stats *stats)
{
	struct slab_pool *pool = &pools[class];

	lock_acquire(&pool->lock);
	*stats = pool->stats;
	lock_release(&pool->lock);
}

/* Recount a slab after a fork in the middle of a change to it. */
static void repair_slab(struct slab_pool *pool, struct slab *slab)
{
	/* Its thread may have been between the record and the registry. */
	registry_set_class(slab->base, slab->units, slab->class);
	list_init(&slab->node);
	slab->hint = 0;
	slab->nr_free = (uint16_t)bitmap_count_range(slab->free_map, 0,
						     slab->nr_objects);
	pool->stats.slabs++;
	if (slab->nr_free == slab->nr_objects)
		pool->nr_empty++;
	if (slab->nr_free)
		list_add_tail(&slab->node, &pool->partial);
}

static void repair_pool(struct slab_pool *pool, unsigned int class)
{
	struct superslab *superslab;
	size_t index = 0;
	unsigned int i;

	list_init(&pool->partial);
	pool->nr_empty = 0;
	pool->stats.slabs = 0;
	while ((superslab = registry_next_superslab(&index))) {
		for (i = 0; i < SUPERSLAB_SLABS; i++) {
			if (superslab->slabs[i].class == class)
				repair_slab(pool, &superslab->slabs[i]);
		}
	}
	lock_reset(&pool->lock);
}

void slab_pool_fork_child(void)
{
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++) {
		if (lock_orphaned(&pools[class].lock))
			repair_pool(&pools[class], class);
	}
}
