// SPDX-License-Identifier: MIT
/*
 * The tiny tier: a slab pool for each class, one unit to a slab.
 *
 * One class to a slab and not to a superslab: a program that uses twenty sizes
 * then needs 2 MiB of address space, not 40, and a slab that empties serves
 * whichever class wants memory next.
 */
#include "mm/tiny.h"

#include "mm/slab_pool.h"

#define SLAB_UNITS	1

static struct slab_pool pools[TINY_CLASS_LAST + 1];

static unsigned int tiny_refill(unsigned int class, void **objs,
				unsigned int n)
{
	return slab_pool_refill(&pools[class], class, SLAB_UNITS, objs, n);
}

static void tiny_drain(unsigned int class, void *const *objs, unsigned int n)
{
	slab_pool_drain(&pools[class], class, objs, n);
}

static void tiny_stats(unsigned int class, struct tier_stats *stats)
{
	slab_pool_stats(&pools[class], stats);
}

void tiny_init(void)
{
	unsigned int class;

	for (class = 1; class <= TINY_CLASS_LAST; class++)
		slab_pool_init(&pools[class]);
}

void tiny_fork_child(void)
{
	unsigned int class;

	for (class = 1; class <= TINY_CLASS_LAST; class++)
		slab_pool_fork_child(&pools[class], class);
}

const struct tier_ops tiny_ops = {
	.name = "tiny",
	.refill = tiny_refill,
	.drain = tiny_drain,
	.stats = tiny_stats,
};
