// SPDX-License-Identifier: MIT
/*
 * Superslabs: see include/mm/superslab.h.
 *
 * Lock order: grow_lock, then space.lock or meta's. Memory calls are made
 * under grow_lock alone, which no path that finds room takes.
 */
#include "mm/superslab.h"

#include "lib/bitmap.h"
#include "lib/lock.h"
#include "mm/harden.h"
#include "mm/huge.h"
#include "mm/lock_order.h"
#include "mm/memcheck.h"
#include "mm/meta.h"
#include "mm/reclaim.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/vm.h"

#define ALL_UNITS	(~(uint32_t)0)

/* Places to try for a superslab, each twice as far on as the one before. */
#define MAP_TRIES	64

static struct meta_pool superslab_pool = META_POOL_INIT(struct superslab, 64);

static struct lock grow_lock = LOCK_INIT_RANK(LOCK_RANK_GROW);
static uintptr_t next_hint;		/* guarded by grow_lock */

/*
 * All superslabs but those that are full or were taken whole: by the longest
 * run of free units in each, so that one with room enough is found at once,
 * and the tightest fit first. Behind the last are the empty ones. On each list
 * those with touched units are in front, for who needs one and who purges.
 */
static struct {
	struct lock lock;		/* guards all below */
	struct list_head room[SUPERSLAB_SLABS + 1]; /* lazily set */
	uint64_t occupied;		/* lists that may have an entry */
	size_t dirty_units;		/* touched free units of all lists */
	size_t free_units;
	size_t mapped;			/* superslabs in existence */
	struct reclaim_pace pace;
	int shrinkers;			/* threads with units taken out */
} space;

#define EMPTY_LIST	(&space.room[SUPERSLAB_SLABS])

void superslab_hold(struct superslab *superslab, uint32_t units)
{
	struct superslab_held *held = superslab_held();

	WRITE_ONCE(held->units, units);
	/* Of the handler's reads, too. */
	__atomic_signal_fence(__ATOMIC_RELEASE);
	WRITE_ONCE(held->superslab, superslab);
}

void superslab_let_go(void)
{
	__atomic_signal_fence(__ATOMIC_RELEASE);
	WRITE_ONCE(superslab_held()->superslab, NULL);
}

static void init_lists_locked(void)
{
	unsigned int i;

	for (i = 0; i <= SUPERSLAB_SLABS; i++)
		list_init(&space.room[i]);
	space.occupied = 0;
}

static void lock_space(void)
{
	lock_acquire(&space.lock);
	if (unlikely(!EMPTY_LIST->next))
		init_lists_locked();
}

/*
 * No slab in it has a class: its record is fresh from the kernel, or of one
 * whose slabs were put. To write that down would touch all pages of the record.
 */
static void superslab_init(struct superslab *superslab, uintptr_t base)
{
	list_init(&superslab->node);
	superslab->base = base;
	superslab->longest = 0;
	superslab->in_front = false;
	superslab->free_units = ALL_UNITS;
	superslab->dirty_units = 0;
	superslab->owner_data = NULL;
}

/* The next place in the window that no superslab stands on. */
static void *grow_hint_locked(void)
{
	if (!next_hint)
		next_hint = (uintptr_t)registry_first_hint();
	while (next_hint && (registry_superslab((void *)next_hint) ||
			     harden_gap(next_hint)))
		next_hint += SUPERSLAB_SIZE;
	return (void *)next_hint;
}

/*
 * Map where the registry reaches. When something else has taken the place of
 * the hint, the kernel may choose one outside of the window: look further and
 * further on.
 */
static void *map_covered_locked(void)
{
	uintptr_t step = SUPERSLAB_SIZE;
	unsigned int tries;
	void *base;

	for (tries = 0; tries < MAP_TRIES; tries++) {
		base = vm_map(grow_hint_locked(), SUPERSLAB_SIZE,
			      SUPERSLAB_SIZE);
		if (!base)
			return NULL;
		if (registry_cover((uintptr_t)base))
			return memcheck_mapped(base, SUPERSLAB_SIZE);
		vm_unmap(base, SUPERSLAB_SIZE);
		next_hint = registry_wrap(next_hint + step);
		step *= 2;
	}
	return NULL;
}

static struct superslab *grow_locked(bool dense)
{
	struct superslab *superslab;
	void *base;

	base = map_covered_locked();
	if (!base)
		return NULL;
	superslab = meta_alloc(&superslab_pool);
	if (!superslab) {
		vm_unmap(base, SUPERSLAB_SIZE);
		return NULL;
	}
	superslab_init(superslab, (uintptr_t)base);
	superslab_hold(superslab, ALL_UNITS);
	__atomic_fetch_add(&space.mapped, 1, __ATOMIC_RELAXED);
	registry_set_superslab((uintptr_t)base, superslab);
	if (huge_offer(base, SUPERSLAB_SIZE,
		       READ_ONCE(space.mapped) * SUPERSLAB_SIZE, dense))
		superslab->dirty_units = ALL_UNITS;
	return superslab;
}

/* For one that is on no list. Return: bytes given back. */
static size_t superslab_release(struct superslab *superslab)
{
	uintptr_t base = superslab->base;

	lock_acquire(&grow_lock);
	registry_set_superslab(base, NULL);
	if (!vm_unmap((void *)base, SUPERSLAB_SIZE)) {
		registry_set_superslab(base, superslab);
		lock_release(&grow_lock);
		return 0;
	}
	if (base < next_hint)
		next_hint = base;
	lock_release(&grow_lock);
	meta_free(&superslab_pool, superslab);
	__atomic_fetch_sub(&space.mapped, 1, __ATOMIC_RELAXED);
	return SUPERSLAB_SIZE;
}

bool superslab_purge_units(struct superslab *superslab, uint32_t units)
{
	unsigned int first, n;
	uint32_t from;

	while (units) {
		first = (unsigned int)__builtin_ctz(units);
		from = units >> first;
		n = from == ALL_UNITS ? SUPERSLAB_SLABS :
					(unsigned int)__builtin_ctz(~from);
		if (!vm_purge((void *)(superslab->base + first * SLAB_SIZE),
			      n * SLAB_SIZE))
			return false;
		units &= ~unit_mask(first, n);
	}
	return true;
}

/* Return: where the lowest run of @n units in @units begins, or -1. */
static int find_units(uint32_t units, unsigned int n)
{
	uint64_t starts = bits_run_starts(units, n);

	return starts ? __builtin_ctzll(starts) : -1;
}

/* Put on the list where its free units say it belongs. */
static void enlist_locked(struct superslab *superslab)
{
	unsigned int longest = bits_longest_run(superslab->free_units);
	bool in_front = superslab->dirty_units;

	if (longest == superslab->longest && in_front == superslab->in_front)
		return;
	superslab->longest = longest;
	superslab->in_front = in_front;
	list_del(&superslab->node);
	if (!longest)
		return;
	if (in_front)
		list_add(&superslab->node, &space.room[longest]);
	else
		list_add_tail(&superslab->node, &space.room[longest]);
	space.occupied |= (uint64_t)1 << longest;
}

/* Units were freed. */
static void count_locked(uint32_t units, uint32_t dirty)
{
	space.free_units += bit_count(units);
	space.dirty_units += bit_count(dirty);
}

/* A child that was forked in the midst may have counted one too few. */
static size_t used_bytes_locked(void)
{
	size_t mapped = READ_ONCE(space.mapped) * SUPERSLAB_SIZE;

	return mapped - min(mapped, space.free_units * SLAB_SIZE);
}

/* Return: which of them were touched. */
static uint32_t take_units_locked(struct superslab *superslab, uint32_t units)
{
	uint32_t dirty = superslab->dirty_units & units;

	hak_assert((superslab->free_units & units) == units);
	superslab->free_units &= ~units;
	superslab->dirty_units &= ~units;
	space.free_units -= bit_count(units);
	space.dirty_units -= bit_count(dirty);
	reclaim_left(&space.pace, space.dirty_units * SLAB_SIZE);
	enlist_locked(superslab);
	return dirty;
}

static void put_units_locked(struct superslab *superslab, uint32_t units,
			     uint32_t dirty)
{
	hak_assert(!(superslab->free_units & units));
	hak_assert(!(dirty & ~units));
	superslab->free_units |= units;
	superslab->dirty_units |= dirty;
	count_locked(units, dirty);
	enlist_locked(superslab);
}

/* Touched units first: their memory is paid for. Some @n fit. */
static unsigned int choose_units(const struct superslab *superslab,
				 unsigned int n)
{
	int first = find_units(superslab->dirty_units, n);

	if (first < 0)
		first = find_units(superslab->free_units, n);
	return (unsigned int)first;
}

/* Return: a superslab from the tightest list with so many units in a row. */
static struct superslab *find_room_locked(unsigned int n)
{
	uint64_t lists = space.occupied & ~(((uint64_t)1 << n) - 1);
	unsigned int i;

	for (; lists; lists &= lists - 1) {
		i = (unsigned int)__builtin_ctzll(lists);
		if (!list_empty(&space.room[i]))
			return list_first_entry(&space.room[i],
						struct superslab, node);
		space.occupied &= ~((uint64_t)1 << i);
	}
	return NULL;
}

/*
 * Of threads that find no room at the same time, one maps more and the others
 * wait for it. Return: with space.lock held, but for NULL.
 */
static struct superslab *grow_for(unsigned int n, bool dense)
{
	struct superslab *superslab;

	lock_acquire(&grow_lock);
	lock_space();
	superslab = find_room_locked(n);
	if (!superslab) {
		lock_release(&space.lock);
		superslab = grow_locked(dense);
		lock_space();
		if (superslab)
			count_locked(ALL_UNITS, superslab->dirty_units);
	}
	lock_release(&grow_lock);
	if (!superslab)
		lock_release(&space.lock);
	return superslab;
}

struct superslab *superslab_take_units(unsigned int n, bool dense,
				       unsigned int *first, uint32_t *dirty)
{
	struct superslab *superslab;

	lock_space();
	superslab = find_room_locked(n);
	if (!superslab) {
		lock_release(&space.lock);
		superslab = grow_for(n, dense);
		if (!superslab)
			return NULL;
	}
	*first = choose_units(superslab, n);
	*dirty = take_units_locked(superslab, unit_mask(*first, n));
	superslab_hold(superslab, unit_mask(*first, n));
	reclaim_got(&space.pace, (n - bit_count(*dirty)) * SLAB_SIZE,
		    used_bytes_locked() + space.dirty_units * SLAB_SIZE);
	lock_release(&space.lock);
	return superslab;
}

/* Return: one from a list with touched units, or NULL. */
static struct superslab *first_dirty_locked(unsigned int longest)
{
	struct list_head *list = &space.room[longest];
	struct superslab *superslab;

	if (list_empty(list))
		return NULL;
	superslab = list_first_entry(list, struct superslab, node);
	return superslab->dirty_units ? superslab : NULL;
}

/* Take touched units out of one that has room. Return: it, or NULL. */
static struct superslab *take_dirty_locked(uint32_t *units)
{
	struct superslab *superslab;
	unsigned int i;

	for (i = SUPERSLAB_SLABS - 1; i; i--) {
		superslab = first_dirty_locked(i);
		if (!superslab)
			continue;
		*units = superslab->dirty_units;
		take_units_locked(superslab, *units);
		reclaim_gave(&space.pace, bit_count(*units) * SLAB_SIZE);
		return superslab;
	}
	return NULL;
}

/* What to hand back next: whole superslabs before parts of one. */
static struct superslab *take_victim_locked(size_t limit, bool all,
					    uint32_t *units)
{
	struct superslab *superslab;
	uint32_t dirty;

	if (!all && space.dirty_units <= limit)
		return NULL;
	/* One that the kernel would not unmap is clean by now. */
	superslab = first_dirty_locked(SUPERSLAB_SLABS);
	if (!superslab && all && !list_empty(EMPTY_LIST))
		superslab = list_first_entry(EMPTY_LIST, struct superslab,
					     node);
	if (superslab) {
		*units = superslab->free_units;
		dirty = take_units_locked(superslab, *units);
		reclaim_gave(&space.pace, bit_count(dirty) * SLAB_SIZE);
		return superslab;
	}
	return space.dirty_units > limit ? take_dirty_locked(units) : NULL;
}

/* Seen by a forked child: units may be out that nobody will put back. */
static void set_shrinking(bool shrinking)
{
	__atomic_fetch_add(&space.shrinkers, shrinking ? 1 : -1,
			   __ATOMIC_RELAXED);
	WRITE_ONCE(superslab_held()->shrinking, shrinking);
}

/*
 * Hand back until at most @limit touched free units are left, and with @all
 * the superslabs that are empty and untouched too. Return: bytes.
 */
static size_t shrink_to(size_t limit, bool all)
{
	struct superslab *superslab;
	size_t bytes = 0;
	uint32_t units;
	bool purged;

	for (;;) {
		lock_space();
		superslab = take_victim_locked(limit, all, &units);
		if (superslab) {
			superslab_hold(superslab, units);
			set_shrinking(true);
		}
		lock_release(&space.lock);
		if (!superslab)
			return bytes;
		if (units == ALL_UNITS && superslab_release(superslab)) {
			set_shrinking(false);
			superslab_let_go();
			bytes += SUPERSLAB_SIZE;
			continue;
		}
		purged = superslab_purge_units(superslab, units);
		lock_space();
		put_units_locked(superslab, units, purged ? 0 : units);
		set_shrinking(false);
		superslab_let_go();
		lock_release(&space.lock);
		if (!purged)
			return bytes;
		bytes += bit_count(units) * SLAB_SIZE;
		/* One that cannot be unmapped would be chosen for ever. */
		if (units == ALL_UNITS)
			all = false;
	}
}

void superslab_put_units(struct superslab *superslab, uint32_t units,
			 uint32_t dirty)
{
	size_t keep;
	bool due;

	lock_space();
	put_units_locked(superslab, units, dirty);
	superslab_let_go();
	due = reclaim_due(&space.pace, space.dirty_units * SLAB_SIZE,
			  used_bytes_locked(), &keep);
	lock_release(&space.lock);
	if (unlikely(due))
		shrink_to(keep / SLAB_SIZE, false);
}

static struct superslab *take_empty_superslab(void)
{
	struct superslab *superslab = NULL;

	lock_space();
	if (!list_empty(EMPTY_LIST)) {
		superslab = list_first_entry(EMPTY_LIST, struct superslab,
					     node);
		superslab->dirty_units = take_units_locked(superslab,
							   ALL_UNITS);
		superslab_hold(superslab, ALL_UNITS);
	}
	lock_release(&space.lock);
	return superslab;
}

struct superslab *superslab_get(unsigned int registry_class, void *owner_data)
{
	struct superslab *superslab = take_empty_superslab();

	if (!superslab) {
		lock_acquire(&grow_lock);
		superslab = grow_locked(false);
		lock_release(&grow_lock);
		if (!superslab)
			return NULL;
		superslab->free_units = 0;
	}
	superslab->owner_data = owner_data;
	superslab_let_go();
	registry_set_class(superslab->base, SUPERSLAB_SLABS, registry_class);
	return superslab;
}

void superslab_put(struct superslab *superslab, uint32_t dirty)
{
	registry_set_class(superslab->base, SUPERSLAB_SLABS, CLASS_NONE);
	superslab_hold(superslab, ALL_UNITS);
	superslab->owner_data = NULL;
	superslab->dirty_units = 0;
	superslab_put_units(superslab, ALL_UNITS, dirty);
}

size_t superslab_reclaim(void)
{
	return shrink_to(0, true);
}

void superslab_expire(void)
{
	size_t keep;
	bool due;

	lock_space();
	due = reclaim_expire(&space.pace, space.dirty_units * SLAB_SIZE,
			     used_bytes_locked(), &keep);
	lock_release(&space.lock);
	if (due)
		shrink_to(keep / SLAB_SIZE, false);
}

/* Which units no slab covers: whole superslabs have an owner's data. */
static uint32_t unowned_units(const struct superslab *superslab)
{
	uint32_t units = ALL_UNITS;
	unsigned int i;

	if (superslab->owner_data)
		return 0;
	for (i = 0; i < SUPERSLAB_SLABS; i++) {
		if (superslab->slabs[i].class != CLASS_NONE)
			units &= ~unit_mask(i, superslab->slabs[i].units);
	}
	return units;
}

static void rebuild_space(void)
{
	const struct superslab_held *held = superslab_held();
	struct superslab *superslab;
	size_t index = 0;

	init_lists_locked();
	space.free_units = 0;
	space.dirty_units = 0;
	space.pace.least = 0;
	space.mapped = 0;
	space.shrinkers = held->shrinking;
	while ((superslab = registry_next_superslab(&index))) {
		space.mapped++;
		if (held->superslab == superslab && held->units == ALL_UNITS)
			continue;
		superslab->free_units = unowned_units(superslab);
		if (held->superslab == superslab)
			superslab->free_units &= ~held->units;
		superslab->dirty_units = superslab->free_units;
		count_locked(superslab->free_units, superslab->dirty_units);
		list_init(&superslab->node);
		superslab->longest = 0;
		enlist_locked(superslab);
	}
}

/* Did another thread leave the books open, under the lock or without it? */
static bool space_orphaned(void)
{
	if (lock_owned(&space.lock))
		return false;
	return lock_orphaned(&space.lock) ||
	       space.shrinkers > superslab_held()->shrinking;
}

void superslab_fork_child(void)
{
	meta_pool_fork_child(&superslab_pool);
	if (lock_orphaned(&grow_lock)) {
		registry_fork_child();
		lock_reset(&grow_lock);
	}
	if (space_orphaned()) {
		rebuild_space();
		lock_reset(&space.lock);
	}
}

size_t superslab_touched(void)
{
	size_t units = READ_ONCE(space.mapped) * SUPERSLAB_SLABS +
		       READ_ONCE(space.dirty_units);
	size_t free_units = READ_ONCE(space.free_units);

	return units > free_units ? (units - free_units) * SLAB_SIZE : 0;
}

void superslab_usage(struct superslab_usage *usage)
{
	usage->mapped = READ_ONCE(space.mapped) * SUPERSLAB_SIZE;
	usage->free = READ_ONCE(space.free_units) * SLAB_SIZE;
	usage->dirty = READ_ONCE(space.dirty_units) * SLAB_SIZE;
	usage->bounced = READ_ONCE(space.pace.bounced);
}
