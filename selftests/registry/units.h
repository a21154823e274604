/* SPDX-License-Identifier: MIT */
/*
 * Units of superslabs, for the cases of more than one suite.
 */
#ifndef SELFTESTS_UNITS_H
#define SELFTESTS_UNITS_H

#include <time.h>

#include "kunit.h"
#include "mm/init.h"
#include "mm/registry.h"
#include "mm/superslab.h"

static inline int start_allocator(struct kunit *test)
{
	(void)test;
	init_ensure();
	return registry.nr_slabs ? 0 : -1;
}

static inline struct superslab *take(struct kunit *test, unsigned int n,
				     unsigned int *first, uint32_t *dirty)
{
	struct superslab *superslab = superslab_take_units(n, false, first,
							   dirty);

	KUNIT_ASSERT_NOT_NULL(test, superslab);
	KUNIT_EXPECT_EQ(test, *dirty & ~unit_mask(*first, n), 0);
	return superslab;
}

static inline struct superslab *take_all(struct kunit *test)
{
	unsigned int first;
	uint32_t dirty;

	return take(test, SUPERSLAB_SLABS, &first, &dirty);
}

/* Of processor time of this thread. */
static inline double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif /* SELFTESTS_UNITS_H */
