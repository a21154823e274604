// SPDX-License-Identifier: MIT
/*
 * Slab pools: see include/mm/slab_pool.h.
 *
 *   slab_pool_refill()             slab_pool_drain()
 *     take_locked()                  give_locked()
 *       take_from_slab()               find_object()
 *       take_paged()                   retire_locked()
 *     slab_get()  when none is left  slab_put()  after unlocking
 *
 * Lock order: a pool's lock, then nothing. Slabs are fetched and given back
 * while it is free.
 */
#include "pool.h"

#include "lib/align.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/knobs.h"
#include "mm/lock_order.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"
#include "mm/vm.h"

struct slab_pool pools[NR_CLASSES] = {
	[0 ... NR_CLASSES - 1] = { .lock = LOCK_INIT_RANK(LOCK_RANK_POOL) },
};

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

/*
 * Wholly free slabs a class keeps, against going back and forth. Those of large
 * objects are more useful to all classes together.
 */
static unsigned int empty_slabs_kept(unsigned int class)
{
	return class_on_diet(class) || class_is_paged(class) ? 0 : 1;
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

/* The same for a paged class: touched memory first, as it is paid for. */
static unsigned int take_paged(struct slab_pool *pool, struct slab *slab,
			       size_t size, void **objs, unsigned int n)
{
	unsigned int taken = 0;

	while (taken < n && slab->free_map[0]) {
		uint64_t dirty = slab->free_map[0] & slab->dirty_map;
		uint64_t bits = dirty ? dirty : slab->free_map[0];
		unsigned int bit = (unsigned int)__builtin_ctzll(bits);

		objs[taken++] = (void *)(slab->base + bit * size);
		slab->free_map[0] &= ~((uint64_t)1 << bit);
		pool->nr_dirty -= dirty != 0;
	}
	pool->least_dirty = min(pool->least_dirty, pool->nr_dirty);
	slab->nr_free = (uint16_t)(slab->nr_free - taken);
	return taken;
}

static unsigned int take_locked(struct slab_pool *pool, unsigned int class,
				void **objs, unsigned int n)
{
	size_t size = class_size(class);
	unsigned int taken = 0;
	struct slab *slab;

	while (taken < n && !list_empty(&pool->partial)) {
		slab = list_first_entry(&pool->partial, struct slab, node);
		if (slab->nr_free == slab->nr_objects)
			pool->nr_empty--;
		taken += class_is_paged(class) ?
			 take_paged(pool, slab, size, objs + taken, n - taken) :
			 take_from_slab(slab, size, objs + taken, n - taken);
		if (!slab->nr_free)
			list_del(&slab->node);
	}
	if (taken) {
		pool->stats.refills++;
		pool->stats.refilled += taken;
	}
	return taken;
}

/* Touched objects among the free ones of a slab, 0 in a class without pages. */
static unsigned int count_dirty(const struct slab *slab)
{
	if (!class_is_paged(slab->class))
		return 0;
	return bit_count(slab->free_map[0] & slab->dirty_map);
}

/* Asked without the lock, so that who finds nothing need not take it. */
static bool seems_empty(const struct slab_pool *pool)
{
	const struct list_head *first = READ_ONCE(pool->partial.next);

	return !first || first == &pool->partial;
}

unsigned int slab_pool_refill(unsigned int class, void **objs, unsigned int n)
{
	struct slab_pool *pool = &pools[class];
	unsigned int taken = 0;
	struct slab *slab;

	if (!seems_empty(pool)) {
		lock_pool(pool);
		taken = take_locked(pool, class, objs, n);
		lock_release(&pool->lock);
	}
	if (taken)
		return taken;
	taken = pool_refill_mixed(class, objs, n, false);
	if (taken)
		return taken;
	slab = slab_get(class, class_units(class));
	if (!slab)
		return pool_refill_mixed(class, objs, n, true);
	lock_pool(pool);
	pool->stats.slabs++;
	pool->nr_empty++;
	pool->nr_dirty += count_dirty(slab);
	WRITE_ONCE(slab->carrier, 0);
	list_add(&slab->node, &pool->partial);
	taken = take_locked(pool, class, objs, n);
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

void *slab_object_around(const void *addr, unsigned int class)
{
	struct geometry geometry = class_geometry(class);
	struct superslab *superslab = registry_superslab(addr);
	uintptr_t base;

	if (!superslab)
		return NULL;
	base = slab_of(superslab, addr)->base;
	return (void *)(base + geometry.size *
			(((uintptr_t)addr - base) * geometry.reciprocal >>
			 RECIPROCAL_SHIFT));
}

/* It leaves: a child that a handler forks below this thread leaves it alone. */
static void carry_locked(struct slab *slab, struct list_head *surplus)
{
	WRITE_ONCE(slab->carrier, thread_token());
	list_add(&slab->node, surplus);
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
	pool->nr_dirty -= count_dirty(slab);
	carry_locked(slab, surplus);
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
	if (class_is_paged(slab->class)) {
		slab->dirty_map |= (uint64_t)1 << index;
		pool->nr_dirty++;
	}
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
		if (unlikely(fault && registry_class(objs[i]) == CLASS_MIXED))
			fault = pool_give_mixed_locked(pool, objs[i]);
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
		pool->nr_dirty -= count_dirty(slab);
		list_del(&slab->node);
		carry_locked(slab, surplus);
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
		n = count_dirty(slab);
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
		retire_locked(pool, slab, surplus);
}

/*
 * Purge neighbours together; with the last object what is left behind it, which
 * counts as dirty as long as that object does. Return: false if refused.
 */
static bool purge_objects(const struct slab *slab, uint64_t objs)
{
	size_t size = class_size(slab->class);
	unsigned int first, end;
	size_t stop;

	for (; objs; objs &= ~bitmap_word_mask(0, 0, end)) {
		first = (unsigned int)__builtin_ctzll(objs);
		end = bitmap_next(&objs, first, slab->nr_objects, false);
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
	put_slabs(&surplus);
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
			slabs += put_slabs(&surplus);
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
}

bool slab_pool_is_clean(unsigned int class, const void *obj)
{
	struct geometry geometry = class_geometry(class);
	unsigned int index;
	struct slab *slab;

	if (!class_is_paged(class) ||
	    find_object(obj, &geometry, &slab, &index))
		return false;
	return !(UNSEEN(slab->dirty_map) >> index & 1);
}

void slab_pool_stats(unsigned int class, struct tier_stats *stats)
{
	struct slab_pool *pool = &pools[class];

	lock_pool(pool);
	*stats = pool->stats;
	stats->drains += READ_ONCE(pool->nr_mixed);
	stats->drained += READ_ONCE(pool->nr_mixed);
	lock_release(&pool->lock);
}

/* Recount a slab after a fork in the middle of a change to it. */
static void repair_slab(struct slab_pool *pool, struct slab *slab)
{
	/* On its way between the pool and the superslab, and arrives yet. */
	if (slab->carrier == thread_token())
		return;
	slab->carrier = 0;
	/* Its thread may have been between the record and the registry. */
	registry_set_class(slab->base, slab->units, slab->class);
	list_init(&slab->node);
	slab->hint = 0;
	slab->nr_free = (uint16_t)bitmap_count_range(slab->free_map, 0,
						     slab->nr_objects);
	pool->stats.slabs++;
	slab->dirty_map = ~(uint64_t)0;
	pool->nr_dirty += count_dirty(slab);
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
	pool->nr_dirty = 0;
	pool->least_dirty = 0;
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
