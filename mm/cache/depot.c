// SPDX-License-Identifier: MIT
/*
 * Depots: see depot.h.
 *
 * Lock order: a depot's lock, then nothing. Concurrency of a magazine:
 *
 *			owner thread	depot lock	anybody
 *	loaded, spare	reads, writes	-		counts its objects
 *	in a depot	-		reads, writes	counts its objects
 */
#include "depot.h"

#include <sched.h>

#include "lib/lock.h"
#include "mm/meta.h"

/* Magazines may hold little each, and they are memory too. */
#define DEPOT_FULL_MAX	1024U
#define DEPOT_EMPTY_MAX	16U
#define SHARD_EMPTY_MIN	4U

/* Freed ones to fetch at once, when a depot has none. */
#define EMPTY_BATCH	4U

/* So many processors have a shard in common, which is no crowd. */
#define CPUS_PER_SHARD	4U
#define SHARDS_MAX	((unsigned int)CONFIG_HAKMEM_DEPOT_SHARDS)

/**
 * struct depot - magazines of a class, in one shard
 * @lock: guards the rest
 * @full: with objects, last come first gone
 * @empty: without any
 * @objects: in the full ones
 * @nr_full: full ones
 * @nr_empty: empty ones
 * @least_full: smallest @nr_full since the idle ones were last taken
 * @exchanges: full ones that came or went
 * @exchanges_seen: when the idle ones were last taken
 */
struct depot {
	struct lock lock;
	struct magazine *full;
	struct magazine *empty;
	size_t objects;
	unsigned int nr_full;
	unsigned int nr_empty;
	unsigned int least_full;
	size_t exchanges;
	size_t exchanges_seen;
} __aligned_to(ARCH_LINES_BYTES);

/* Memory of shards that are not in use is not touched. */
static struct depot depots[SHARDS_MAX][NR_CLASSES];

/*
 * Of each class, the shards with full magazines; nobody asks if there is but
 * one. A bit changes under the lock of its shard.
 */
static struct {
	uint32_t shards;
} __aligned_to(ARCH_LINES_BYTES) stocked[NR_CLASSES];

/* There are two to the power of this many shards. */
static unsigned int shard_bits;

static struct meta_pool magazine_pool =
	META_POOL_INIT(struct magazine, MAGAZINE_BYTES);

unsigned int depot_spread(unsigned int cpus)
{
	shard_bits = 0;
	while (CPUS_PER_SHARD << shard_bits < cpus &&
	       2U << shard_bits <= SHARDS_MAX)
		shard_bits++;
	return 1U << shard_bits;
}

void depots_init(void)
{
	cpu_set_t cpus;

	if (SHARDS_MAX > 1)
		depot_spread(sched_getaffinity(0, sizeof(cpus), &cpus) ?
			     CPU_SETSIZE : (unsigned int)CPU_COUNT(&cpus));
}

/* Those that a class's limit suffices for: each is to hold a magazine. */
static unsigned int class_shard_bits(unsigned int class)
{
	unsigned int limit = READ_ONCE(class_limits[class].depot);
	unsigned int depth = READ_ONCE(class_limits[class].magazine);
	unsigned int bits = shard_bits;

	while (bits && limit >> bits < depth)
		bits--;
	return bits;
}

/*
 * By processor, not by thread: however many threads there are, few run at once
 * that have a shard in common, and what was freed here is warm here. It does
 * not matter if the thread is elsewhere by the time that the lock is taken.
 */
static unsigned int home_shard(unsigned int bits)
{
	if (SHARDS_MAX == 1 || !bits)
		return 0;
	return (unsigned int)sched_getcpu() / CPUS_PER_SHARD &
	       ((1U << bits) - 1);
}

void magazine_reset(struct magazine *magazine, unsigned int class)
{
	unsigned int capacity = READ_ONCE(class_limits[class].magazine);
	unsigned int first = MAGAZINE_WORDS - max(capacity, 1U);

	magazine->first = first;
	magazine->words[first - 1] = NULL;
	magazine->top = &magazine->words[first];
}

/* A child forked between two stores must find the list whole. */
static void push(struct magazine **list, struct magazine *magazine)
{
	magazine->next = *list;
	__atomic_store_n(list, magazine, __ATOMIC_RELEASE);
}

static struct magazine *pop(struct magazine **list)
{
	struct magazine *magazine = *list;

	if (magazine)
		*list = magazine->next;
	return magazine;
}

/* Return: one too many and those behind it, for the caller to free; or NULL. */
static struct magazine *push_empty_locked(struct depot *depot,
					  struct magazine *empty)
{
	struct magazine *surplus = NULL;

	if (depot->nr_empty >= max(DEPOT_EMPTY_MAX >> shard_bits,
				   SHARD_EMPTY_MIN)) {
		surplus = depot->empty;
		WRITE_ONCE(depot->empty, NULL);
		depot->nr_empty = 0;
	}
	depot->nr_empty++;
	push(&depot->empty, empty);
	return surplus;
}

static struct magazine *pop_empty_locked(struct depot *depot)
{
	struct magazine *empty = pop(&depot->empty);

	if (empty)
		depot->nr_empty--;
	return empty;
}

static void free_magazines(struct magazine *first)
{
	struct magazine *last = first;

	if (!first)
		return;
	while (last->next)
		last = last->next;
	meta_free_list(&magazine_pool, first, last);
}

/* After the first full one has come or the last one has gone. */
static void note_stock_locked(unsigned int class, unsigned int shard)
{
	bool full = depots[shard][class].full;
	uint32_t bit = (uint32_t)1 << shard;

	if (!shard_bits)
		return;
	yield_point(YIELD_WRITE, &stocked[class].shards);
	if (full)
		__atomic_fetch_or(&stocked[class].shards, bit,
				  __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&stocked[class].shards, ~bit,
				   __ATOMIC_RELAXED);
}

static __always_inline struct magazine *
take_full_from(unsigned int shard, unsigned int class, struct magazine *empty)
{
	struct depot *depot = &depots[shard][class];
	struct magazine *magazine, *surplus = NULL;

	if (!READ_ONCE(depot->full))
		return NULL;
	lock_acquire(&depot->lock);
	magazine = pop(&depot->full);
	if (magazine) {
		depot->exchanges++;
		depot->objects -= magazine_objects(magazine);
		depot->nr_full--;
		depot->least_full = min(depot->least_full, depot->nr_full);
		if (!depot->full)
			note_stock_locked(class, shard);
		if (empty)
			surplus = push_empty_locked(depot, empty);
	}
	lock_release(&depot->lock);
	free_magazines(surplus);
	return magazine;
}

struct magazine *depot_take_full(unsigned int class, struct magazine *empty)
{
	struct magazine *magazine;
	unsigned int home, i, shard;
	uint32_t shards;

	if (likely(!shard_bits))
		return take_full_from(0, class, empty);
	home = home_shard(class_shard_bits(class));
	shards = READ_ONCE(stocked[class].shards);
	for (i = 0; shards; i++) {
		shard = (home + i) & ((1U << shard_bits) - 1);
		if (!(shards >> shard & 1))
			continue;
		magazine = take_full_from(shard, class, empty);
		if (magazine)
			return magazine;
		shards &= ~((uint32_t)1 << shard);
	}
	return NULL;
}

static bool has_room(const struct depot *depot, unsigned int class,
		     size_t objects, unsigned int bits)
{
	return READ_ONCE(depot->objects) + objects <=
	       READ_ONCE(class_limits[class].depot) >> bits &&
	       READ_ONCE(depot->nr_full) < DEPOT_FULL_MAX >> bits;
}

static __always_inline bool
put_full_into(unsigned int shard, unsigned int class, unsigned int bits,
	      struct magazine *full, struct magazine **empty)
{
	struct depot *depot = &depots[shard][class];
	size_t objects = magazine_objects(full);
	bool put;

	if (!has_room(depot, class, objects, bits))
		return false;
	lock_acquire(&depot->lock);
	put = has_room(depot, class, objects, bits);
	if (put) {
		depot->exchanges++;
		depot->objects += objects;
		depot->nr_full++;
		push(&depot->full, full);
		if (depot->nr_full == 1)
			note_stock_locked(class, shard);
		if (empty)
			*empty = pop_empty_locked(depot);
	}
	lock_release(&depot->lock);
	return put;
}

bool depot_put_full(unsigned int class, struct magazine *full,
		    struct magazine **empty)
{
	unsigned int bits, home, last, i;

	if (likely(!shard_bits))
		return put_full_into(0, class, 0, full, empty);
	bits = class_shard_bits(class);
	home = home_shard(bits);
	last = (1U << bits) - 1;
	for (i = 0; i <= last; i++) {
		if (put_full_into((home + i) & last, class, bits, full, empty))
			return true;
	}
	return false;
}

static struct depot *home_depot(unsigned int class)
{
	return &depots[home_shard(class_shard_bits(class))][class];
}

struct magazine *depot_take_empty(unsigned int class)
{
	struct depot *depot = home_depot(class);
	struct magazine *magazine = NULL, *more, *next;

	if (READ_ONCE(depot->empty)) {
		lock_acquire(&depot->lock);
		magazine = pop_empty_locked(depot);
		lock_release(&depot->lock);
	}
	if (magazine)
		return magazine;
	magazine = meta_alloc_list(&magazine_pool, EMPTY_BATCH);
	if (!magazine || !magazine->next)
		return magazine;
	lock_acquire(&depot->lock);
	for (more = magazine->next; more; more = next) {
		next = more->next;
		depot->nr_empty++;
		push(&depot->empty, more);
	}
	lock_release(&depot->lock);
	return magazine;
}

void depot_put_empty(unsigned int class, struct magazine *empty)
{
	struct depot *depot = home_depot(class);
	struct magazine *surplus;

	lock_acquire(&depot->lock);
	surplus = push_empty_locked(depot, empty);
	lock_release(&depot->lock);
	free_magazines(surplus);
}

/* The ones that came first are at the end of the list: cut it there. */
static struct magazine *cut_idle_locked(struct depot *depot)
{
	bool touched = depot->exchanges != depot->exchanges_seen;
	unsigned int nr_idle = touched ? depot->least_full : depot->nr_full;
	unsigned int stay = depot->nr_full - nr_idle;
	struct magazine **link = &depot->full;
	struct magazine *idle, *magazine;

	for (; stay; stay--)
		link = &(*link)->next;
	idle = *link;
	WRITE_ONCE(*link, NULL);
	for (magazine = idle; magazine; magazine = magazine->next)
		depot->objects -= magazine_objects(magazine);
	depot->nr_full -= nr_idle;
	depot->least_full = depot->nr_full;
	depot->exchanges_seen = depot->exchanges;
	return idle;
}

static struct magazine *take_idle_from(unsigned int shard, unsigned int class)
{
	struct depot *depot = &depots[shard][class];
	struct magazine *idle;

	/* Racy, as all here: what is missed now is seen the next time. */
	if (!READ_ONCE(depot->full) && !READ_ONCE(depot->least_full))
		return NULL;
	lock_acquire(&depot->lock);
	idle = cut_idle_locked(depot);
	if (!depot->full)
		note_stock_locked(class, shard);
	lock_release(&depot->lock);
	return idle;
}

struct magazine *depot_take_idle(unsigned int class)
{
	struct magazine *all = NULL, *idle, *last;
	unsigned int shard;

	for (shard = 0; shard >> shard_bits == 0; shard++) {
		idle = take_idle_from(shard, class);
		if (!idle)
			continue;
		for (last = idle; last->next; last = last->next)
			;
		last->next = all;
		all = idle;
	}
	return all;
}

/* None of its magazines moves to where it would be seen once more. */
void depot_visit(unsigned int class,
		 void (*visit)(unsigned int class, const struct magazine *))
{
	const struct magazine *magazine;
	uint32_t locked = 0;
	unsigned int shard;

	for (shard = 0; shard >> shard_bits == 0; shard++) {
		if (!READ_ONCE(depots[shard][class].full) ||
		    !lock_try(&depots[shard][class].lock))
			continue;
		locked |= (uint32_t)1 << shard;
		for (magazine = depots[shard][class].full; magazine;
		     magazine = magazine->next)
			visit(class, magazine);
	}
	for (shard = 0; shard >> shard_bits == 0; shard++) {
		if (locked >> shard & 1)
			lock_release(&depots[shard][class].lock);
	}
}

size_t depot_objects(unsigned int class)
{
	unsigned int shard;
	size_t objects = 0;

	for (shard = 0; shard >> shard_bits == 0; shard++)
		objects += READ_ONCE(depots[shard][class].objects);
	return objects;
}

size_t cache_exchanges(unsigned int class)
{
	unsigned int shard;
	size_t exchanges = 0;

	for (shard = 0; shard >> shard_bits == 0; shard++)
		exchanges += READ_ONCE(depots[shard][class].exchanges);
	return exchanges;
}

static void repair_depot(unsigned int shard, unsigned int class)
{
	struct depot *depot = &depots[shard][class];
	struct magazine *magazine;

	depot->objects = 0;
	depot->nr_full = 0;
	depot->nr_empty = 0;
	depot->least_full = 0;
	for (magazine = depot->full; magazine; magazine = magazine->next) {
		depot->objects += magazine_objects(magazine);
		depot->nr_full++;
	}
	for (magazine = depot->empty; magazine; magazine = magazine->next)
		depot->nr_empty++;
	note_stock_locked(class, shard);
	lock_reset(&depot->lock);
}

void depot_fork_child(void)
{
	unsigned int class, shard;

	meta_pool_fork_child(&magazine_pool);
	for (shard = 0; shard >> shard_bits == 0; shard++) {
		for (class = 1; class < NR_CLASSES; class++) {
			if (lock_orphaned(&depots[shard][class].lock))
				repair_depot(shard, class);
		}
	}
}
