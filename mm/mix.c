// SPDX-License-Identifier: MIT
/*
 * Slab pools and mixed slabs: which slabs become such, and what the pools have
 * of them. See include/mm/mixed.h.
 */
#include "mm/mixed.h"

#include "mm/harden.h"
#include "mm/knobs.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"
#include "pool.h"

/* Slabs are sparse with this part of their objects, or less. */
#define SPARSE_DIVISOR	4

unsigned int pool_refill_mixed(unsigned int class, void **objs,
			       unsigned int n, bool at_last)
{
	struct slab_pool *pool = &pools[class];
	struct superslab_usage usage;
	unsigned int taken;

	if (likely(!mixed_free_bytes()))
		return 0;
	superslab_usage(&usage);
	if (usage.dirty && !at_last)
		return 0;
	taken = mixed_refill(class, objs, n);
	if (!taken)
		return 0;
	harden_clean_objects(objs, taken, class_size(class));
	lock_pool(pool);
	pool->stats.refills++;
	pool->stats.refilled += taken;
	lock_release(&pool->lock);
	return taken;
}

/* Its slab was the class's once, or it was cut for the class. */
const char *pool_give_mixed_locked(struct slab_pool *pool, void *obj)
{
	const char *fault;

	lock_release(&pool->lock);
	mixed_give(&obj, 1, &fault);
	lock_pool(pool);
	/* The pool is about to count what has been counted. */
	if (!fault)
		pool->stats.drained--;
	return fault;
}

void slab_pool_drain_mixed(void *const *objs, unsigned int n)
{
	const char *fault;
	unsigned int given = mixed_give(objs, n, &fault);

	if (unlikely(fault))
		report_bad_pointer("free", objs[given], fault);
}

/* Does a class give back far more than it takes, or nothing of either? */
static bool shrinks_locked(struct slab_pool *pool, unsigned int class)
{
	size_t out = pool->stats.drained + mixed_given(class);
	size_t in = pool->stats.refilled;
	bool shrinks = 2 * (in - pool->seen_in) <= out - pool->seen_out;

	pool->seen_in = in;
	pool->seen_out = out;
	return shrinks;
}

/* Return: how many of the @n records are left; with none there may be more. */
static unsigned int mix_some(unsigned int class, bool first,
			     struct mixed **records, unsigned int n)
{
	struct slab_pool *pool = &pools[class];
	struct list_head *pos, *next;
	struct slab *slab;

	lock_pool(pool);
	next = &pool->partial;
	if (!first || shrinks_locked(pool, class))
		next = pool->partial.next;
	for (pos = next; pos != &pool->partial && n; pos = next) {
		next = pos->next;
		slab = container_of(pos, struct slab, node);
		if (slab->nr_free == slab->nr_objects ||
		    (slab->nr_objects - slab->nr_free) * SPARSE_DIVISOR >
		    slab->nr_objects)
			continue;
		list_del(&slab->node);
		pool->stats.slabs--;
		mixed_adopt(slab, records[--n]);
	}
	lock_release(&pool->lock);
	return n;
}

void slab_pool_mix(void)
{
	struct mixed *records[MIXED_BATCH];
	unsigned int class, n = 0;
	bool first;

	for (class = 1; class_size(class) <= MIXED_SIZE_MAX; class++) {
		if (class_on_diet(class) || class_units(class) > 1 ||
		    !READ_ONCE(pools[class].stats.slabs))
			continue;
		first = true;
		while ((n = mixed_records(records, n))) {
			n = mix_some(class, first, records, n);
			first = false;
			if (n)
				break;
		}
	}
	mixed_records_put(records, n);
}
