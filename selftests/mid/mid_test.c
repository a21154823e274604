// SPDX-License-Identifier: MIT
/*
 * The mid tier.
 */
#include "../tier/tier_cases.h"
#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/mid.h"
#include "mm/registry.h"

const struct tier_under_test tier_under_test = {
	.ops = &mid_ops,
	.first_class = MID_CLASS_FIRST,
	.last_class = MID_CLASS_LAST,
	.min_size = MID_MIN_SIZE,
	.max_size = MID_MAX_SIZE,
};

static void larger_requests_are_not_the_tiers(struct kunit *test)
{
	void *p = hak_malloc(MID_MAX_SIZE + 1);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, mid_tier((unsigned int)registry_class(p)));
	hak_free(p);
}

/* Objects in the midst of slabs of several units. */
static void objects_across_units_are_found(struct kunit *test)
{
	static unsigned char *p[2000];
	size_t size = MID_MAX_SIZE - MID_MAX_SIZE / 16, i;

	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		p[i] = hak_malloc(size);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_EXPECT_EQ(test, registry_class(p[i] + size - 1),
				size_class(size));
		p[i][0] = p[i][size - 1] = (unsigned char)i;
	}
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		KUNIT_EXPECT_EQ(test, p[i][0], (unsigned char)i);
		KUNIT_EXPECT_EQ(test, p[i][size - 1], (unsigned char)i);
		hak_free(p[i]);
	}
	hak_malloc_trim(0);
}

static const struct kunit_case mid_cases[] = {
	KUNIT_CASE(larger_requests_are_not_the_tiers),
	KUNIT_CASE(objects_across_units_are_found),
	{}
};

static const struct kunit_suite mid_suite = {
	.name = "mid",
	.test_cases = mid_cases,
};
kunit_test_suite(mid_suite);
