// SPDX-License-Identifier: MIT
/*
 * The ACE tier: see include/mm/ace.h.
 *
 * Slabs as the other tiers have them, of up to 32 units. From 32 KiB on an
 * object is whole pages: it goes back to the kernel while its slab is in use,
 * and one that was not touched since it came from there needs no zeroing.
 */
#include "mm/ace.h"

#include "mm/slab_pool.h"

const struct tier_ops ace_ops = {
	.name = "ace",
	.refill = slab_pool_refill,
	.drain = slab_pool_drain,
	.stats = slab_pool_stats,
};
