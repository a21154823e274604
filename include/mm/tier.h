/* SPDX-License-Identifier: MIT */
/*
 * What a tier of objects of one size looks like to the layers above it.
 *
 * A tier provides batches, as kmem_cache_alloc_bulk() does: everything fast
 * is in the cache layer above, everything about memory is inside the tier.
 * Which tier owns a class is said in mm/route.c alone.
 */
#ifndef HAKMEM_MM_TIER_H
#define HAKMEM_MM_TIER_H

#include <stddef.h>

#include "mm/sizes.h"

/**
 * struct tier_stats - one class of a tier
 * @refills: calls of refill() that gave objects
 * @refilled: objects they gave
 * @drains: calls of drain()
 * @drained: objects they took
 * @slabs: slabs that exist
 */
struct tier_stats {
	size_t refills;
	size_t refilled;
	size_t drains;
	size_t drained;
	size_t slabs;
};

/**
 * struct tier_ops - a tier
 * @name: as in Kconfig, lower case
 * @refill: fetch up to @n objects of @class, the lowest last where possible;
 *	return how many were stored in @objs, 0 when there is no memory
 * @drain: take @n objects back; every one is checked, and a pointer that is no
 *	object, or is free already, ends the program with a report
 * @stats: read the counters of a class
 *
 * All are thread-safe and take the tier's own locks; no lock is held by the
 * caller.
 */
struct tier_ops {
	const char *name;
	unsigned int (*refill)(unsigned int class, void **objs,
			       unsigned int n);
	void (*drain)(unsigned int class, void *const *objs, unsigned int n);
	void (*stats)(unsigned int class, struct tier_stats *stats);
};

/* The owner of a class, NULL where no tier of objects has it. */
const struct tier_ops *class_tier(unsigned int class);

/* Who refills the magazines of a class, and drains them. */
const struct tier_ops *class_source(unsigned int class);

#endif /* HAKMEM_MM_TIER_H */
