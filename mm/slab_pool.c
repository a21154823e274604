// SPDX-License-Identifier: MIT
/*
 * Slab pools: see include/mm/slab_pool.h.
 *
 *   slab_pool_refill()             slab_pool_drain()
 *     take_locked()                  give_run_locked()
 *       take_from_slab()               find_slab()
 *       take_paged()                   mark_row_locked()
 *                                      mark_run_locked()
 *     take_from_next()             slab_put()  after unlocking
 *       slab_get()
 *
 * Lock order: a class's fetch lock, then its pool's or the superslabs'; its
 * pool's, then nothing. Slabs are fetched and given back while that is free.
 */
#include "pool.h"

#include "lib/align.h"
#include "lib/arch.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/knobs.h"
#include "mm/lock_order.h"
#include "mm/mixed.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"

struct slab_pool pools[NR_CLASSES] = {
	[0 ... NR_CLASSES - 1] = { .lock = LOCK_INIT_RANK(LOCK_RANK_POOL) },
};

/* Each around the fetching of a slab for its pool. */
static struct lock fetch_locks[NR_CLASSES] = {
	[0 ... NR_CLASSES - 1] = LOCK_INIT_RANK(LOCK_RANK_FETCH),
};

/*
 * A class with its size inverted, so that nothing divides: the size is
 * odd << shift, and odd * inverse is 1 in the arithmetic of uintptr_t.
 */
struct geometry {
	unsigned int class;
	unsigned int shift;
	uintptr_t inverse;
};

/* Fewer objects are not worth to be taken as a row. */
#define ROW_MIN		4

#define POINTER_BITS	(8 * (unsigned int)sizeof(uintptr_t))

/*
 * Wholly free slabs a class keeps, against going back and forth. Those of large
 * objects are more useful to all classes together.
 */
static unsigned int empty_slabs_kept(unsigned int class)
{
	return class_on_diet(class) || class_is_paged(class) ? 0 : 1;
}

/* An odd number is its own inverse in 3 bits; each step doubles them. */
static uintptr_t invert(uintptr_t odd)
{
	uintptr_t inverse = odd;
	unsigned int bits;

	for (bits = 3; bits < POINTER_BITS; bits *= 2)
		inverse *= 2 - odd * inverse;
	return inverse;
}

/* Inverts once for each class; two threads at once find the same. */
static struct geometry class_geometry(unsigned int class)
{
	static uintptr_t inverses[NR_CLASSES];
	uintptr_t inverse = READ_ONCE(inverses[class]);
	size_t size = class_size(class);
	unsigned int shift = (unsigned int)__builtin_ctzl(size);

	if (unlikely(!inverse)) {
		inverse = invert(size >> shift);
		WRITE_ONCE(inverses[class], inverse);
	}
	return (struct geometry){ class, shift, inverse };
}

/*
 * Which object of a slab begins @offset bytes behind its first? The product is
 * the quotient if the size divides the offset; it is another for each offset,
 * so that of all others it is none of the quotients, but larger.
 */
static inline size_t object_index(const struct geometry *geometry,
				  uintptr_t offset)
{
	uintptr_t product = offset * geometry->inverse;

	return product >> geometry->shift |
	       product << (-geometry->shift % POINTER_BITS);
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

/* Return: how many objects the slabs of the pool had. */
static unsigned int take(struct slab_pool *pool, unsigned int class,
			 void **objs, unsigned int n)
{
	unsigned int taken;

	if (seems_empty(pool))
		return 0;
	lock_pool(pool);
	taken = take_locked(pool, class, objs, n);
	lock_release(&pool->lock);
	return taken;
}

/*
 * Of threads that find no object at the same time, one fetches a slab and the
 * others wait for what it has: while memory is mapped there may be hundreds.
 */
static unsigned int take_from_next(struct slab_pool *pool, unsigned int class,
				   void **objs, unsigned int n)
{
	unsigned int taken;
	struct slab *slab;

	lock_acquire(&fetch_locks[class]);
	taken = take(pool, class, objs, n);
	slab = taken ? NULL : slab_get(class, class_units(class));
	if (slab) {
		lock_pool(pool);
		pool->stats.slabs++;
		pool->nr_empty++;
		pool->nr_dirty += pool_count_dirty(slab);
		WRITE_ONCE(slab->carrier, 0);
		list_add(&slab->node, &pool->partial);
		taken = take_locked(pool, class, objs, n);
		lock_release(&pool->lock);
	}
	lock_release(&fetch_locks[class]);
	return taken;
}

unsigned int slab_pool_refill(unsigned int class, void **objs, unsigned int n)
{
	struct slab_pool *pool = &pools[class];
	unsigned int taken = take(pool, class, objs, n);

	if (!taken)
		taken = pool_refill_mixed(class, objs, n, false);
	if (!taken)
		taken = take_from_next(pool, class, objs, n);
	if (!taken)
		taken = pool_refill_mixed(class, objs, n, true);
	return taken;
}

/* Return: the slab of a class around an address, NULL if there is none. */
static __always_inline struct slab *find_slab(const void *addr,
					      unsigned int class)
{
	struct superslab *superslab;

	if (unlikely(registry_class(addr) != class))
		return NULL;
	superslab = registry_superslab(addr);
	return likely(superslab) ? slab_of(superslab, addr) : NULL;
}

/*
 * Find object @addr of a class. Return: what is wrong with it, NULL if nothing;
 * *@slab is set unless it lies in no slab of the class, and *@index if it is
 * an object.
 */
static const char *find_object(const void *addr, unsigned int class,
			       struct slab **slab, unsigned int *index)
{
	struct geometry geometry = class_geometry(class);
	size_t at;

	*slab = find_slab(addr, class);
	if (!*slab)
		return FAULT_FOREIGN;
	at = object_index(&geometry, (uintptr_t)addr - (*slab)->base);
	if (at >= (*slab)->nr_objects)
		return FAULT_INTERIOR;
	*index = (unsigned int)at;
	return bitmap_test((*slab)->free_map, *index) ? FAULT_FREE : NULL;
}

const char *slab_pointer_fault(const void *addr, unsigned int class)
{
	unsigned int index;
	struct slab *slab;

	return find_object(addr, class, &slab, &index);
}

void *slab_object_around(const void *addr, unsigned int class)
{
	struct superslab *superslab = registry_superslab(addr);
	size_t size = class_size(class);
	uint32_t offset;
	uintptr_t base;

	if (!superslab)
		return NULL;
	base = slab_of(superslab, addr)->base;
	offset = (uint32_t)((uintptr_t)addr - base);
	return (void *)(base + offset / (uint32_t)size * size);
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

/*
 * Set the bits of objects in use, up to the first that is none of this slab or
 * lies in another unit. Return: where that is; *@words says in which words of
 * the map they are.
 */
static __always_inline void *const *
mark_run_locked(struct slab *slab, const struct geometry *geometry,
		void *const *objs, void *const *end, uint64_t *words)
{
	uintptr_t addr = (uintptr_t)*objs, unit = addr >> SLAB_SHIFT;
	const size_t nr_objects = slab->nr_objects;
	const uintptr_t base = slab->base;
	uint64_t before, after;
	size_t index;

	*words = 0;
	do {
		index = object_index(geometry, addr - base);
		if (unlikely(index >= nr_objects))
			break;
		before = slab->free_map[index / BITMAP_WORD_BITS];
		after = before | (uint64_t)1 << (index % BITMAP_WORD_BITS);
		if (unlikely(after == before))
			break;
		slab->free_map[index / BITMAP_WORD_BITS] = after;
		*words |= (uint64_t)1 << (index / BITMAP_WORD_BITS);
		if (++objs == end)
			break;
		addr = (uintptr_t)*objs;
	} while (addr >> SLAB_SHIFT == unit);
	return objs;
}

/*
 * The objects of an array or a list are often freed in a row, each next to the
 * one before. Return: how far it is from one to the next if those in the middle
 * of a batch lie so, up or down; else 0.
 */
static uintptr_t row_step(size_t size, void *const *objs, unsigned int n)
{
	uintptr_t step;

	if (n < ROW_MIN)
		return 0;
	objs += n / 2;
	step = (uintptr_t)objs[0] - (uintptr_t)objs[-1];
	return step == size || step + size == 0 ? step : 0;
}

/* Where a row ends that lies in one unit. */
static inline void *const *row_end(void *const *objs, void *const *end,
				   uintptr_t step)
{
	uintptr_t addr = (uintptr_t)*objs, unit = addr >> SLAB_SHIFT;

	do {
		addr += step;
	} while (++objs != end && (uintptr_t)*objs == addr &&
		 addr >> SLAB_SHIFT == unit);
	return objs;
}

/*
 * The same for a row, with all bits of a word at once. Return: @objs itself if
 * there is none, or if not all of it is in use.
 */
static __always_inline void *const *
mark_row_locked(struct slab *slab, const struct geometry *geometry,
		uintptr_t step, void *const *objs, void *const *end,
		uint64_t *words)
{
	void *const *left = row_end(objs, end, step);
	unsigned int n = (unsigned int)(left - objs), first;
	uintptr_t lowest = (uintptr_t)(step > SLAB_SIZE ? left[-1] : *objs);
	size_t index = object_index(geometry, lowest - slab->base);

	if (n < ROW_MIN || index >= slab->nr_objects ||
	    n > slab->nr_objects - index)
		return objs;
	first = (unsigned int)index;
	if (bitmap_next(slab->free_map, first, first + n, true) != first + n)
		return objs;
	bitmap_set_range(slab->free_map, first, n);
	*words = (uint64_t)1 << first / BITMAP_WORD_BITS;
	return left;
}

/*
 * Give back those in front that lie in one unit: what is freed together was
 * often allocated together, and lies in a row. Return: the first that stays,
 * @objs itself if that is none that could be given back.
 */
static __always_inline void *const *
give_run_locked(struct slab_pool *pool, const struct geometry *geometry,
		uintptr_t step, void *const *objs, void *const *end,
		struct list_head *surplus)
{
	struct slab *slab = find_slab(*objs, geometry->class);
	uint64_t words, free_before;
	void *const *left;
	unsigned int word;

	if (unlikely(!slab))
		return objs;
	/* An address, not a sum to be made of its parts each time. */
	arch_keep_in("r", slab);
	free_before = slab->free_map[0];
	left = objs;
	if (step)
		left = mark_row_locked(slab, geometry, step, objs, end, &words);
	if (left == objs)
		left = mark_run_locked(slab, geometry, objs, end, &words);
	if (unlikely(left == objs))
		return objs;
	if (class_is_paged(geometry->class)) {
		slab->dirty_map |= slab->free_map[0] & ~free_before;
		pool->nr_dirty += (size_t)(left - objs);
	}
	word = (unsigned int)__builtin_ctzll(words);
	if (word < slab->hint)
		slab->hint = (uint16_t)word;
	if (unlikely(!slab->nr_free))
		list_add(&slab->node, &pool->partial);
	slab->nr_free = (uint16_t)(slab->nr_free + (left - objs));
	if (unlikely(slab->nr_free == slab->nr_objects))
		pool_retire_locked(pool, slab, surplus);
	return left;
}

/* What no slab of the class takes back. Return: what is wrong with it. */
static __cold const char *give_stray_locked(struct slab_pool *pool,
					    unsigned int class, void *obj)
{
	if (registry_class(obj) == CLASS_MIXED)
		return pool_give_mixed_locked(pool, obj);
	return slab_pointer_fault(obj, class);
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
	void *const *end = objs + n, *const *next = objs, *const *left;
	uintptr_t step = row_step(class_size(class), objs, n);
	const char *fault = NULL;

	lock_pool(pool);
	for (; next != end; next = left) {
		left = give_run_locked(pool, &geometry, step, next, end,
				       &surplus);
		if (likely(left != next))
			continue;
		fault = give_stray_locked(pool, class, *left++);
		if (fault)
			break;
	}
	pool->stats.drains++;
	pool->stats.drained += (size_t)(next - objs);
	lock_release(&pool->lock);
	if (fault)
		report_bad_pointer("free", *next, fault);
	pool_put_slabs(&surplus);
}

bool slab_pool_is_clean(unsigned int class, const void *obj)
{
	unsigned int index;
	struct slab *slab;

	if (!class_is_paged(class) || find_object(obj, class, &slab, &index))
		return false;
	return !(UNSEEN(slab->dirty_map) >> index & 1);
}

void slab_pool_stats(unsigned int class, struct tier_stats *stats)
{
	struct slab_pool *pool = &pools[class];

	lock_pool(pool);
	*stats = pool->stats;
	stats->drains += mixed_given(class);
	stats->drained += mixed_given(class);
	lock_release(&pool->lock);
}

void slab_pool_fork_child(void)
{
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++) {
		if (lock_orphaned(&pools[class].lock))
			pool_repair(&pools[class], class);
		if (lock_orphaned(&fetch_locks[class]))
			lock_reset(&fetch_locks[class]);
	}
}
