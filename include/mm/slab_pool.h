/* SPDX-License-Identifier: MIT */
/*
 * Slab pools: all slabs of one class. The engine of every tier that cuts
 * slabs into objects of one size; a class belongs to one tier, so its pool
 * does too.
 */
#ifndef HAKMEM_MM_SLAB_POOL_H
#define HAKMEM_MM_SLAB_POOL_H

#include "mm/tier.h"

/* As struct tier_ops has them, for the classes of any tier. */
unsigned int slab_pool_refill(unsigned int class, void **objs,
			      unsigned int n);
void slab_pool_drain(unsigned int class, void *const *objs, unsigned int n);
void slab_pool_stats(unsigned int class, struct tier_stats *stats);

/* Give back the slabs that the classes keep empty. Return: how many. */
size_t slab_pool_reclaim(void);

/* In a forked child, for all classes. */
void slab_pool_fork_child(void);

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
