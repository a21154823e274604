// SPDX-License-Identifier: MIT
/*
 * The arithmetic of size classes.
 */
#include "kunit.h"
#include "memory.h"
#include "mm/sizes.h"

static void each_size_fits_its_class(struct kunit *test)
{
	size_t size;

	for (size = 0; size <= SUPERSLAB_SIZE; size += size < 10000 ? 1 : 13) {
		unsigned int class = size_class(size);

		KUNIT_ASSERT_GE(test, class, 1);
		KUNIT_ASSERT_MSG(test, class <= CLASS_MAX, "size %zu", size);
		KUNIT_ASSERT_MSG(test, class_size(class) >= size, "size %zu",
				 size);
		KUNIT_ASSERT_MSG(test, class == 1 ||
				 class_size(class - 1) < size, "size %zu",
				 size);
	}
	KUNIT_EXPECT_EQ(test, size_class(SUPERSLAB_SIZE), CLASS_MAX);
}

static void constants_agree_with_functions(struct kunit *test)
{
	size_t size;

	for (size = 0; size <= SUPERSLAB_SIZE; size += size < 5000 ? 1 : 31)
		KUNIT_ASSERT_EQ(test, CLASS_OF(size), size_class(size));
}

/* At least 16-byte steps to 128, then four to a doubling. */
static void classes_ascend_as_documented(struct kunit *test)
{
	unsigned int class;

	for (class = 1; class <= CLASS_MAX; class++) {
		size_t size = class_size(class), last = class_size(class - 1);

		KUNIT_EXPECT_EQ(test, size % OBJECT_ALIGN, 0);
		if (class <= CLASS_LINEAR)
			KUNIT_EXPECT_EQ(test, size, class * OBJECT_ALIGN);
		else
			KUNIT_EXPECT_LE(test, size - last, last / 4);
		if (class > CLASS_LINEAR + CLASS_STEPS)
			KUNIT_EXPECT_EQ(test, size,
					2 * class_size(class - CLASS_STEPS));
	}
}

/* Rounding up may waste a fifth of the object at most, from 128 on. */
static void rounding_wastes_less_than_a_fifth(struct kunit *test)
{
	size_t size;

	for (size = CLASS_LINEAR_MAX + 1; size <= SUPERSLAB_SIZE;
	     size += size < 10000 ? 1 : 13) {
		size_t rounded = class_size(size_class(size));

		KUNIT_ASSERT_MSG(test, (rounded - size) * 5 < rounded,
				 "size %zu", size);
	}
}

static const struct kunit_case sizes_cases[] = {
	KUNIT_CASE(each_size_fits_its_class),
	KUNIT_CASE(constants_agree_with_functions),
	KUNIT_CASE(classes_ascend_as_documented),
	KUNIT_CASE(rounding_wastes_less_than_a_fifth),
	{}
};

static const struct kunit_suite sizes_suite = {
	.name = "sizes",
	.test_cases = sizes_cases,
};
kunit_test_suite(sizes_suite);
