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
#include "mm/knobs.h"

#define DEPOT_BYTES		((size_t)CONFIG_HAKMEM_DEPOT_KB << 10)
#define DIET_DEPOT_BYTES	((size_t)16 << 10)

#define MAGAZINE_SIZE		((size_t)CONFIG_HAKMEM_MAGAZINE_SIZE)
#define DIET_MAGAZINE_SIZE	((size_t)8)

/* Magazines have no way back to the kernel, and may hold little each. */
#define DEPOT_MAGAZINES	1024

struct depot {
	struct lock lock;	/* guards the rest */
	struct magazine *full;	/* with objects, last come first gone */
	struct magazine *empty;
	size_t objects;		/* in the full ones */
	unsigned int nr_full;
} __aligned_to(64);

static struct depot depots[NR_CLASSES];

unsigned int magazine_capacity(unsigned int class)
{
	size_t n = ((size_t)CONFIG_HAKMEM_MAGAZINE_KB << 10) /
		   class_size(class);

	n = min(n, MAGAZINE_SIZE);
	if (class_on_diet(class))
		n = min(n, DIET_MAGAZINE_SIZE);
	return (unsigned int)max(n, (size_t)2);
}

static size_t depot_bytes(unsigned int class)
{
	return class_on_diet(class) ? min(DEPOT_BYTES, DIET_DEPOT_BYTES) :
				      DEPOT_BYTES;
}

static size_t magazine_objects(unsigned int class,
			       const struct magazine *magazine)
{
	unsigned int first = MAGAZINE_WORDS - magazine_capacity(class);

	return (size_t)(magazine->top - (void **)magazine->words) - first;
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

struct magazine *depot_take_full(unsigned int class, struct magazine *empty)
{
	struct depot *depot = &depots[class];
	struct magazine *magazine;

	if (!READ_ONCE(depot->full))
		return NULL;
	lock_acquire(&depot->lock);
	magazine = pop(&depot->full);
	if (magazine) {
		depot->objects -= magazine_objects(class, magazine);
		depot->nr_full--;
		if (empty)
			push(&depot->empty, empty);
	}
	lock_release(&depot->lock);
	return magazine;
}

bool depot_put_full(unsigned int class, struct magazine *full,
		    struct magazine **empty)
{
	struct depot *depot = &depots[class];
	size_t objects = magazine_objects(class, full);
	bool put;

	lock_acquire(&depot->lock);
	put = (depot->objects + objects) * class_size(class) <=
	      depot_bytes(class) && depot->nr_full < DEPOT_MAGAZINES;
	if (put) {
		depot->objects += objects;
		depot->nr_full++;
		push(&depot->full, full);
		if (empty)
			*empty = pop(&depot->empty);
	}
	lock_release(&depot->lock);
	return put;
}

struct magazine *depot_take_empty(unsigned int class)
{
	struct depot *depot = &depots[class];
	struct magazine *magazine;

	if (!READ_ONCE(depot->empty))
		return NULL;
	lock_acquire(&depot->lock);
	magazine = pop(&depot->empty);
	lock_release(&depot->lock);
	return magazine;
}

void depot_put_empty(unsigned int class, struct magazine *empty)
{
	struct depot *depot = &depots[class];

	lock_acquire(&depot->lock);
	push(&depot->empty, empty);
	lock_release(&depot->lock);
}

size_t depot_objects(unsigned int class)
{
	return READ_ONCE(depots[class].objects);
}

void depot_fork_child(void)
{
	struct magazine *magazine;
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++) {
		struct depot *depot = &depots[class];

		if (!lock_orphaned(&depot->lock))
			continue;
		depot->objects = 0;
		depot->nr_full = 0;
		for (magazine = depot->full; magazine;
		     magazine = magazine->next) {
			depot->objects += magazine_objects(class, magazine);
			depot->nr_full++;
		}
		lock_reset(&depot->lock);
	}
}
