/* SPDX-License-Identifier: MIT */
/*
 * Slab pools: all slabs of one class. The engine of every tier that cuts
 * slabs into objects of one size; a class belongs to one tier, so its pool
 * does too.
 */
#ifndef HAKMEM_MM_SLAB_POOL_H
#define HAKMEM_MM_SLAB_POOL_H

#include <stdbool.h>

#include "mm/tier.h"

/* As struct tier_ops has them, for the classes of any tier. */
unsigned int slab_pool_refill(unsigned int class, void **objs,
			      unsigned int n);
void slab_pool_drain(unsigned int class, void *const *objs, unsigned int n);
void slab_pool_stats(unsigned int class, struct tier_stats *stats);

/* Free objects of mixed slabs; ends the program over a bad one. */
void slab_pool_drain_mixed(void *const *objs, unsigned int n);

/* Make the sparse slabs of classes that shrink mixed ones. */
void slab_pool_mix(void);

/**
 * slab_pool_reclaim() - Give back empty slabs, purge free objects in others.
 * @bytes: adds the bytes that were purged
 *
 * Return: slabs that went back to the superslabs.
 */
size_t slab_pool_reclaim(size_t *bytes);

/* Purge objects that were free and touched all the time since the last call. */
void slab_pool_expire(void);

/**
 * slab_pool_is_clean() - Does the memory of an object read as zero?
 * @class: its class
 * @obj: just refilled, in no other hands yet
 *
 * Return: true if it was never touched since it came from the kernel.
 */
bool slab_pool_is_clean(unsigned int class, const void *obj);

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

/* Return: the start of the object around an address in a slab of @class. */
void *slab_object_around(const void *addr, unsigned int class);

#endif /* HAKMEM_MM_SLAB_POOL_H */
