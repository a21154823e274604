// SPDX-License-Identifier: MIT
/*
 * The tiny tier: see include/mm/tiny.h.
 *
 * One class to a slab and not to a superslab: a program that uses twenty sizes
 * then needs 2 MiB of address space, not 40, and a slab that empties serves
 * whichever class wants memory next.
 */
#include "mm/tiny.h"

#include "mm/slab_pool.h"

const struct tier_ops tiny_ops = {
	.name = "tiny",
	.refill = slab_pool_refill,
	.drain = slab_pool_drain,
	.stats = slab_pool_stats,
};
