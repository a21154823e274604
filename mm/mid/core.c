// SPDX-License-Identifier: MIT
/*
 * The mid tier: see include/mm/mid.h.
 *
 * Eight classes to a doubling, so that rounding a request up wastes an eighth
 * of it at most; slabs of as few units as leave an eighth unused at most. A
 * class whose size is a multiple of the page has page-aligned objects, because
 * a slab begins at a multiple of 64 KiB.
 */
#include "mm/mid.h"

#include "mm/slab_pool.h"

const struct tier_ops mid_ops = {
	.name = "mid",
	.refill = slab_pool_refill,
	.drain = slab_pool_drain,
	.stats = slab_pool_stats,
};
