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

/* Every small request is an object of the class of its size. */
static void malloc_uses_the_tier(struct kunit *test)
{
	size_t size;

	for (size = 0; size <= TINY_MAX_SIZE; size++) {
		void *p = hak_malloc(size);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, registry_class(p), size_class(size));
		KUNIT_EXPECT_EQ(test, hak_malloc_usable_size(p),
				class_size(size_class(size)));
		hak_free(p);
	}
}

static const struct kunit_case tiny_cases[] = {
	KUNIT_CASE(small_programs_need_one_superslab),
	KUNIT_CASE(malloc_uses_the_tier),
	{}
};

static const struct kunit_suite tiny_suite = {
	.name = "tiny",
	.test_cases = tiny_cases,
};
kunit_test_suite(tiny_suite);
