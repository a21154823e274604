/* SPDX-License-Identifier: MIT */
/*
 * Cases that look at touched memory need a configuration that lets some stay.
 */
#ifndef SELFTESTS_RETAINED_H
#define SELFTESTS_RETAINED_H

#include "kunit.h"
#include "mm/reclaim.h"
#include "mm/sizes.h"

/* What may not stay is purged when it comes back: nothing is dirty then. */
static inline void need_retained(struct kunit *test, unsigned int units)
{
	if (RETAIN_BYTES < units * SLAB_SIZE)
		kunit_skip(test, "fewer than %u touched units may stay", units);
}

#endif /* SELFTESTS_RETAINED_H */
