/* SPDX-License-Identifier: MIT */
/*
 * A slab pool: all slabs of one class. The engine of every tier that cuts
 * slabs into objects of one size.
 */
#ifndef HAKMEM_MM_SLAB_POOL_H
#define HAKMEM_MM_SLAB_POOL_H

#include "lib/list.h"
#include "lib/lock.h"
#include "mm/superslab.h"
#include "mm/tier.h"

/**
 * struct slab_pool - slabs of one class
 * @lock: guards all of it and the slabs' free maps
 * @partial: slabs with at least one free object; wholly free ones last
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

void slab_pool_init(struct slab_pool *pool);

/* As struct tier_ops has them; @units is the slab size to make slabs with. */
unsigned int slab_pool_refill(struct slab_pool *pool, unsigned int class,
			      unsigned int units, void **objs, unsigned int n);
void slab_pool_drain(struct slab_pool *pool, unsigned int class,
		     void *const *objs, unsigned int n);
void slab_pool_stats(struct slab_pool *pool, struct tier_stats *stats);
void slab_pool_fork_child(struct slab_pool *pool, unsigned int class);

/**
 * slab_pointer_fault() - Is this the address of an object in use?
 * @addr: somewhere in a slab of @class
 * @class: what registry_class() says of @addr
 *
 * Takes no lock: the answer is about this instant. An object that waits in a
 * magazine counts as in use.
 *
 * Return: NULL if it is, else what is wrong, as text for a report.
 */
const char *slab_pointer_fault(const void *addr, unsigned int class);

#endif /* HAKMEM_MM_SLAB_POOL_H */
