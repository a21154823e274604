// SPDX-License-Identifier: MIT
/*
 * A tier of objects of one size while memory calls fail.
 */
#include "kunit.h"
#include "mm/init.h"
#include "oom.h"
#include "tier_cases.h"

static unsigned int exercise_tier(void)
{
	const struct tier_under_test *tier = &tier_under_test;
	unsigned int refused;

	init_ensure();
	refused = oom_exercise_class(tier->ops, tier->first_class);
	refused += oom_exercise_class(tier->ops, tier->last_class - 1);
	return refused + oom_exercise_class(tier->ops, tier->last_class);
}

static unsigned int exercise_malloc(void)
{
	return oom_exercise_sizes(tier_under_test.min_size,
				  min(tier_under_test.max_size, SLAB_SIZE));
}

static void batches_under_failure(struct kunit *test)
{
	oom_fail_each_call(test, exercise_tier);
}

static void malloc_under_failure(struct kunit *test)
{
	oom_fail_each_call(test, exercise_malloc);
}

static const struct kunit_case oom_cases[] = {
	OOM_CASE(batches_under_failure),
	OOM_CASE(malloc_under_failure),
	{}
};

static const struct kunit_suite oom_suite = {
	.name = "oom",
	.init = tier_needs_a_class,
	.test_cases = oom_cases,
};
kunit_test_suite(oom_suite);
