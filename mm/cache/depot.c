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

#include "lib/lock.h"
#include "mm/meta.h"

/* Magazines may hold little each, and they are memory too. */
#define DEPOT_FULL_MAX	1024
#define DEPOT_EMPTY_MAX	16

/**
 * struct depot - magazines of a class
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
} __aligned_to(64);

static struct depot depots[NR_CLASSES];

static struct meta_pool magazine_pool =
	META_POOL_INIT(struct magazine, MAGAZINE_BYTES);

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

/* Return: false when there are enough empty ones. */
static bool push_empty_locked(struct depot *depot, struct magazine *empty)
{
	if (depot->nr_empty >= DEPOT_EMPTY_MAX)
		return false;
	depot->nr_empty++;
	push(&depot->empty, empty);
	return true;
}

static struct magazine *pop_empty_locked(struct depot *depot)
{
	struct magazine *empty = pop(&depot->empty);

	if (empty)
		depot->nr_empty--;
	return empty;
}

struct magazine *depot_take_full(unsigned int class, struct magazine *empty)
{
	struct depot *depot = &depots[class];
	struct magazine *magazine;
	bool kept = true;

	if (!READ_ONCE(depot->full))
		return NULL;
	lock_acquire(&depot->lock);
	magazine = pop(&depot->full);
	if (magazine) {
		depot->exchanges++;
		depot->objects -= magazine_objects(magazine);
		depot->nr_full--;
		depot->least_full = min(depot->least_full, depot->nr_full);
		kept = !empty || push_empty_locked(depot, empty);
	}
	lock_release(&depot->lock);
	if (!kept)
		meta_free(&magazine_pool, empty);
	return magazine;
}

bool depot_put_full(unsigned int class, struct magazine *full,
		    struct magazine **empty)
{
	struct depot *depot = &depots[class];
	size_t objects = magazine_objects(full);
	bool put;

	lock_acquire(&depot->lock);
	put = depot->objects + objects <=
	      READ_ONCE(class_limits[class].depot) &&
	      depot->nr_full < DEPOT_FULL_MAX;
	if (put) {
		depot->exchanges++;
		depot->objects += objects;
		depot->nr_full++;
		push(&depot->full, full);
		if (empty)
			*empty = pop_empty_locked(depot);
	}
	lock_release(&depot->lock);
	return put;
}

struct magazine *depot_take_empty(unsigned int class)
{
	struct depot *depot = &depots[class];
	struct magazine *magazine = NULL;

	if (READ_ONCE(depot->empty)) {
		lock_acquire(&depot->lock);
		magazine = pop_empty_locked(depot);
		lock_release(&depot->lock);
	}
	return magazine ? magazine : meta_alloc(&magazine_pool);
}

void depot_put_empty(unsigned int class, struct magazine *empty)
{
	struct depot *depot = &depots[class];
	bool kept;

	lock_acquire(&depot->lock);
	kept = push_empty_locked(depot, empty);
	lock_release(&depot->lock);
	if (!kept)
		meta_free(&magazine_pool, empty);
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

struct magazine *depot_take_idle(unsigned int class)
{
	struct depot *depot = &depots[class];
	struct magazine *idle;

	/* Racy, as all here: what is missed now is seen the next time. */
	if (!READ_ONCE(depot->full) && !READ_ONCE(depot->least_full))
		return NULL;
	lock_acquire(&depot->lock);
	idle = cut_idle_locked(depot);
	lock_release(&depot->lock);
	return idle;
}

void depot_visit(unsigned int class,
		 void (*visit)(unsigned int class, const struct magazine *))
{
	struct depot *depot = &depots[class];
	const struct magazine *magazine;

	if (!READ_ONCE(depot->full) || !lock_try(&depot->lock))
		return;
	for (magazine = depot->full; magazine; magazine = magazine->next)
		visit(class, magazine);
	lock_release(&depot->lock);
}

size_t depot_objects(unsigned int class)
{
	return READ_ONCE(depots[class].objects);
}

size_t cache_exchanges(unsigned int class)
{
	return READ_ONCE(depots[class].exchanges);
}

static void repair_depot(struct depot *depot)
{
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
	lock_reset(&depot->lock);
}

void depot_fork_child(void)
{
	unsigned int class;

	meta_pool_fork_child(&magazine_pool);
	for (class = 1; class < NR_CLASSES; class++) {
		if (lock_orphaned(&depots[class].lock))
			repair_depot(&depots[class]);
	}
}
