// SPDX-License-Identifier: MIT
/*
 * The tiny tier while memory calls fail.
 */
#include "kunit.h"
#include "mm/tiny.h"
#include "oom.h"

static unsigned int exercise_tier(void)
{
	unsigned int refused;

	init_ensure();
	refused = oom_exercise_class(&tiny_ops, 1);
	refused += oom_exercise_class(&tiny_ops, TINY_CLASS_LAST - 1);
	return refused + oom_exercise_class(&tiny_ops, TINY_CLASS_LAST);
}

static unsigned int exercise_malloc(void)
{
	return oom_exercise_sizes(0, TINY_MAX_SIZE);
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
	.test_cases = oom_cases,
};
kunit_test_suite(oom_suite);
