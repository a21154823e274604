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

static unsigned int search_aligned(size_t size, size_t align)
{
	unsigned int class = size_class(max(size, align));

	while (class_size(class) % align)
		class++;
	return class;
}

static void aligned_class_is_the_smallest(struct kunit *test)
{
	size_t align, size;

	for (align = 1; align <= SLAB_SIZE; align *= 2) {
		for (size = 0; size <= SUPERSLAB_SIZE;
		     size += size < 5000 ? 1 : 97)
			KUNIT_ASSERT_EQ(test, size_class_aligned(size, align),
					search_aligned(size, align));
	}
}

/* 16-byte steps to 128, four to a doubling to 1024, then eight. */
static void classes_ascend_as_documented(struct kunit *test)
{
	unsigned int class;

	for (class = 1; class <= CLASS_MAX; class++) {
		size_t size = class_size(class), last = class_size(class - 1);

		KUNIT_EXPECT_EQ(test, size % OBJECT_ALIGN, 0);
		if (size <= 128)
			KUNIT_EXPECT_EQ(test, size, class * 16);
		else
			KUNIT_EXPECT_LE(test, size - last,
					last / (size <= 1024 ? 4 : 8));
		if (size > 256 && size <= 1024)
			KUNIT_EXPECT_EQ(test, size, 2 * class_size(class - 4));
		if (size > 2048)
			KUNIT_EXPECT_EQ(test, size, 2 * class_size(class - 8));
	}
}

/* Of the object at most a fifth, above 1024 a ninth. */
static void rounding_wastes_little(struct kunit *test)
{
	size_t size;

	for (size = 129; size <= SUPERSLAB_SIZE;
	     size += size < 10000 ? 1 : 13) {
		size_t rounded = class_size(size_class(size));

		KUNIT_ASSERT_MSG(test, (rounded - size) *
				 (size <= 1024 ? 5 : 9) < rounded,
				 "size %zu", size);
	}
}

/* A slab has room for an object and leaves an eighth unused at most. */
static void slabs_fit_their_objects(struct kunit *test)
{
	unsigned int class;

	for (class = 1; class <= CLASS_MAX; class++) {
		size_t size = class_size(class);
		size_t bytes = class_units(class) * SLAB_SIZE;

		KUNIT_EXPECT_LE(test, bytes, SUPERSLAB_SIZE);
		KUNIT_EXPECT_GE(test, bytes, size);
		KUNIT_EXPECT_LE(test, bytes % size * 8, bytes);
	}
}

static const struct kunit_case sizes_cases[] = {
	KUNIT_CASE(each_size_fits_its_class),
	KUNIT_CASE(constants_agree_with_functions),
	KUNIT_CASE(aligned_class_is_the_smallest),
	KUNIT_CASE(classes_ascend_as_documented),
	KUNIT_CASE(rounding_wastes_little),
	KUNIT_CASE(slabs_fit_their_objects),
	{}
};

static const struct kunit_suite sizes_suite = {
	.name = "sizes",
	.test_cases = sizes_cases,
};
kunit_test_suite(sizes_suite);
