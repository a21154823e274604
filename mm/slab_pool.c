// SPDX-License-Identifier: MIT
/*
 * Slab pools: see include/mm/slab_pool.h.
 *
 *   slab_pool_refill()             slab_pool_drain()
 *     take_locked()                  give_run_locked()
 *       take_from_slab()               find_slab(), find_in_slab()
 *       take_paged()                   count_free_locked()
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

/*
 * Move free objects of one word of a map, the first of which lies at @addr.
 * Without holes, as in a slab that nobody gave anything back to, each is where
 * the one before it ends. Return: where the last of them was stored.
 */
static void **take_from_word(uint64_t *word, uintptr_t addr, size_t size,
			     void **objs, void **end)
{
	uint64_t bits = *word;
	uint64_t first = bits & -bits;
	unsigned int bit, n;
	void **stop;

	if (first && !(bits + first)) {
		bit = (unsigned int)__builtin_ctzll(bits);
		n = min(BITMAP_WORD_BITS - bit, (unsigned int)(end - objs));
		addr += bit * size;
		for (stop = end - n; end > stop; addr += size)
			*--end = (void *)addr;
		*word = bits << (n - 1) << 1;
		return end;
	}
	for (; bits && end > objs; bits &= bits - 1) {
		bit = (unsigned int)__builtin_ctzll(bits);
		*--end = (void *)(addr + bit * size);
	}
	*word = bits;
	return end;
}

/* Move @n free objects of a slab that has as many, lowest first. */
static void take_from_slab(struct slab *slab, size_t size, void **objs,
			   unsigned int n)
{
	size_t step = BITMAP_WORD_BITS * size;
	unsigned int word = slab->hint;
	uintptr_t addr = slab->base + word * step;
	void **end = objs + n;

	for (;; word++, addr += step) {
		end = take_from_word(&slab->free_map[word], addr, size, objs,
				     end);
		if (end == objs)
			break;
	}
	slab->hint = (uint16_t)word;
	slab->nr_free = (uint16_t)(slab->nr_free - n);
}

/* The same for a paged class: touched memory first, as it is paid for. */
static void take_paged(struct slab_pool *pool, struct slab *slab, size_t size,
		       void **objs, unsigned int n)
{
	slab->nr_free = (uint16_t)(slab->nr_free - n);
	while (n) {
		uint64_t dirty = slab->free_map[0] & slab->dirty_map;
		uint64_t bits = dirty ? dirty : slab->free_map[0];
		unsigned int bit = (unsigned int)__builtin_ctzll(bits);

		objs[--n] = (void *)(slab->base + bit * size);
		slab->free_map[0] &= ~((uint64_t)1 << bit);
		pool->nr_dirty -= dirty != 0;
	}
	pool->least_dirty = min(pool->least_dirty, pool->nr_dirty);
}

/* Free objects of the pool, as far as @n. */
static unsigned int nr_free_locked(const struct slab_pool *pool,
				   unsigned int n)
{
	const struct list_head *pos = pool->partial.next;
	unsigned int nr_free = 0;

	for (; pos != &pool->partial && nr_free < n; pos = pos->next)
		nr_free += container_of(pos, struct slab, node)->nr_free;
	return min(nr_free, n);
}

static unsigned int take_locked(struct slab_pool *pool, unsigned int class,
				void **objs, unsigned int n)
{
	unsigned int taken = nr_free_locked(pool, n);
	size_t size = class_size(class);
	unsigned int left, part;
	struct slab *slab;

	for (left = taken; left; left -= part) {
		slab = list_first_entry(&pool->partial, struct slab, node);
		if (slab->nr_free == slab->nr_objects)
			pool->nr_empty--;
		part = min(left, (unsigned int)slab->nr_free);
		if (class_is_paged(class))
			take_paged(pool, slab, size, objs + left - part, part);
		else
			take_from_slab(slab, size, objs + left - part, part);
		if (!slab->nr_free)
			list_del(&slab->node);
	}
	if (taken) {
		pool->stats.refills++;
		pool->stats.refilled += taken;
	}
	return taken;
}

unsigned int pool_count_dirty(const struct slab *slab)
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
	pool->nr_dirty += pool_count_dirty(slab);
	WRITE_ONCE(slab->carrier, 0);
	list_add(&slab->node, &pool->partial);
	taken = take_locked(pool, class, objs, n);
	lock_release(&pool->lock);
	return taken;
}

/* Return: the slab of a class around an address, NULL if there is none. */
static struct slab *find_slab(const void *addr, unsigned int class)
{
	struct superslab *superslab = registry_superslab(addr);

	if (!superslab || registry_class(addr) != class)
		return NULL;
	return slab_of(superslab, addr);
}

/* Which object of a slab is it? Return: what is wrong with it, or NULL. */
static __always_inline const char *
find_in_slab(const struct slab *slab, const void *addr,
	     const struct geometry *geometry, unsigned int *index)
{
	size_t offset = (uintptr_t)addr - slab->base;

	*index = (unsigned int)(offset * geometry->reciprocal >>
				RECIPROCAL_SHIFT);
	if (*index * geometry->size != offset || *index >= slab->nr_objects)
		return FAULT_INTERIOR;
	return NULL;
}

/*
 * Find object @addr of a class. Return: what is wrong with it, NULL if nothing;
 * *@slab and *@index are set unless it lies in no slab of the class.
 */
static const char *find_object(const void *addr,
			       const struct geometry *geometry,
			       struct slab **slab, unsigned int *index)
{
	const char *fault;

	*slab = find_slab(addr, geometry->class);
	if (!*slab)
		return FAULT_FOREIGN;
	fault = find_in_slab(*slab, addr, geometry, index);
	if (!fault && bitmap_test((*slab)->free_map, *index))
		fault = FAULT_FREE;
	return fault;
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
	uintptr_t base, index;

	if (!superslab)
		return NULL;
	base = slab_of(superslab, addr)->base;
	index = ((uintptr_t)addr - base) * geometry.reciprocal >>
		RECIPROCAL_SHIFT;
	return (void *)(base + index * geometry.size);
}

void pool_carry_locked(struct slab *slab, struct list_head *surplus)
{
	WRITE_ONCE(slab->carrier, thread_token());
	list_add(&slab->node, surplus);
}

void pool_retire_locked(struct slab_pool *pool, struct slab *slab,
			  struct list_head *surplus)
{
	list_del(&slab->node);
	if (pool->nr_empty < empty_slabs_kept(slab->class)) {
		pool->nr_empty++;
		list_add_tail(&slab->node, &pool->partial);
		return;
	}
	pool->stats.slabs--;
	pool->nr_dirty -= pool_count_dirty(slab);
	pool_carry_locked(slab, surplus);
}

/* Objects of a slab are free again, the lowest in this word of its map. */
static void count_free_locked(struct slab_pool *pool, struct slab *slab,
			      unsigned int n, unsigned int word,
			      struct list_head *surplus)
{
	slab->hint = (uint16_t)min(slab->hint, word);
	if (!slab->nr_free)
		list_add(&slab->node, &pool->partial);
	slab->nr_free = (uint16_t)(slab->nr_free + n);
	if (class_is_paged(slab->class))
		pool->nr_dirty += n;
	if (slab->nr_free == slab->nr_objects)
		pool_retire_locked(pool, slab, surplus);
}

/*
 * Give back those in front that lie in one unit: what is freed together was
 * often allocated together, and lies in a row.
 *
 * Return: how many; *@fault is what is wrong with the next, if it is set.
 */
static unsigned int give_run_locked(struct slab_pool *pool,
				    const struct geometry *geometry,
				    void *const *objs, unsigned int n,
				    const char **fault,
				    struct list_head *surplus)
{
	uintptr_t unit = (uintptr_t)objs[0] >> SLAB_SHIFT;
	struct slab *slab = find_slab(objs[0], geometry->class);
	unsigned int i = 0, index, word, lowest = UINT16_MAX;
	uint64_t bit;

	if (unlikely(!slab)) {
		*fault = FAULT_FOREIGN;
		return 0;
	}
	do {
		*fault = find_in_slab(slab, objs[i], geometry, &index);
		if (unlikely(*fault))
			break;
		word = index / BITMAP_WORD_BITS;
		bit = (uint64_t)1 << (index % BITMAP_WORD_BITS);
		if (unlikely(slab->free_map[word] & bit)) {
			*fault = FAULT_FREE;
			break;
		}
		slab->free_map[word] |= bit;
		if (class_is_paged(geometry->class))
			slab->dirty_map |= bit;
		lowest = min(lowest, word);
	} while (++i < n && (uintptr_t)objs[i] >> SLAB_SHIFT == unit);
	if (likely(i))
		count_free_locked(pool, slab, i, lowest, surplus);
	return i;
}

size_t pool_put_slabs(struct list_head *surplus)
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
	unsigned int i = 0;

	lock_pool(pool);
	while (i < n) {
		i += give_run_locked(pool, &geometry, objs + i, n - i, &fault,
				     &surplus);
		if (unlikely(fault && registry_class(objs[i]) == CLASS_MIXED))
			fault = pool_give_mixed_locked(pool, objs[i]);
		else if (likely(!fault))
			continue;
		if (unlikely(fault))
			break;
		i++;
	}
	pool->stats.drains++;
	pool->stats.drained += i;
	lock_release(&pool->lock);
	if (fault)
		report_bad_pointer("free", objs[i], fault);
	pool_put_slabs(&surplus);
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
	pool->nr_dirty += pool_count_dirty(slab);
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
