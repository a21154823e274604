// SPDX-License-Identifier: MIT
/*
 * The tiny tier.
 */
#include "../tier/tier_cases.h"
#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/init.h"
#include "mm/registry.h"
#include "mm/superslab.h"
#include "mm/tiny.h"

const struct tier_under_test tier_under_test = {
	.ops = &tiny_ops,
	.first_class = 1,
	.last_class = TINY_CLASS_LAST,
	.min_size = 0,
	.max_size = TINY_MAX_SIZE,
};

/* One object of each class must not cost a superslab each. */
static void small_programs_need_one_superslab(struct kunit *test)
{
	struct superslab_usage usage;
	unsigned int class;
	void *obj;

	init_ensure();
	for (class = 1; class <= TINY_CLASS_LAST; class++)
		KUNIT_EXPECT_EQ(test, tiny_ops.refill(class, &obj, 1), 1);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, SUPERSLAB_SIZE);
}

static const struct kunit_case tiny_cases[] = {
	KUNIT_CASE(small_programs_need_one_superslab),
	{}
};

static const struct kunit_suite tiny_suite = {
	.name = "tiny",
	.test_cases = tiny_cases,
};
kunit_test_suite(tiny_suite);
