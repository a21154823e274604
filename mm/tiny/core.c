// SPDX-License-Identifier: MIT
/*
 * The tiny tier: see include/mm/tiny.h.
 *
 * One class to a slab and not to a superslab: a program that uses twenty sizes
 * then needs 2 MiB of address space, not 40, and a slab that empties serves
 * whichever class wants memory next.
 */
#include "mm/tiny.h"

#include "mm/knobs.h"
#include "mm/slab_pool.h"

/* What was handed out may come back whatever the knob says. */
static unsigned int tiny_refill(unsigned int class, void **objs,
				unsigned int n)
{
	if (unlikely(!knob(KNOB_TINY_USE_SUPERSLAB)))
		return 0;
	return slab_pool_refill(class, objs, n);
}

const struct tier_ops tiny_ops = {
	.name = "tiny",
	.refill = tiny_refill,
	.drain = slab_pool_drain,
	.stats = slab_pool_stats,
};
