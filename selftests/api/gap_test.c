// SPDX-License-Identifier: MIT
/*
 * No gap between the sizes: whichever tier serves them, many objects of any
 * size cost few mappings and little more memory than was asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/sizes.h"
#include "mm/tier.h"

/* The kernel stops at 65,530. */
#define MAPPINGS_MAX	(1000 + GUARD_MAPPINGS)

/**
 * struct crowd - many live objects of one size
 * @count: objects
 * @size: of each
 * @ace: HAKMEM_ACE_ENABLED
 */
struct crowd {
	size_t count;
	size_t size;
	const char *ace;
};

static const struct crowd crowds[] = {
	{ 200000, 4 * KIB, "1" },
	{ 200000, 4 * KIB, "0" },
	{ 2000, 100 * KIB, "1" },
	{ 2000, 100 * KIB, "0" },
};

static void describe_crowd(const void *param, char *text, size_t size)
{
	const struct crowd *crowd = param;

	snprintf(text, size, "%zu of %zu KiB, HAKMEM_ACE_ENABLED=%s",
		 crowd->count, crowd->size / KIB, crowd->ace);
}

/* Begin and end: two pages of each object are enough of 200 MiB. */
static void mark(unsigned char *obj, size_t size, size_t i)
{
	pattern_fill(obj, 64, i);
	pattern_fill(obj + size - 64, 64, i + 1);
}

static bool is_marked(const unsigned char *obj, size_t size, size_t i)
{
	return pattern_intact(obj, 64, i) &&
	       pattern_intact(obj + size - 64, 64, i + 1);
}

static void crowds_need_few_mappings(struct kunit *test)
{
	const struct crowd *crowd = test->param_value;
	unsigned char **objs = malloc(crowd->count * sizeof(*objs));
	size_t i;

	kunit_need_plain(test);
	KUNIT_ASSERT_NOT_NULL(test, objs);
	setenv("HAKMEM_ACE_ENABLED", crowd->ace, 1);
	for (i = 0; i < crowd->count; i++) {
		objs[i] = hak_malloc(crowd->size);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
		mark(objs[i], crowd->size, i);
	}
	KUNIT_EXPECT_LT(test, process_mappings(), MAPPINGS_MAX);
	for (i = 0; i < crowd->count; i++)
		KUNIT_ASSERT_TRUE(test, is_marked(objs[i], crowd->size, i));
	/* Every other one first: holes are no mappings of their own either. */
	for (i = 0; i < crowd->count; i += 2)
		hak_free(objs[i]);
	hak_malloc_trim(0);
	KUNIT_EXPECT_LT(test, process_mappings(), MAPPINGS_MAX);
	for (i = 1; i < crowd->count; i += 2) {
		KUNIT_ASSERT_TRUE(test, is_marked(objs[i], crowd->size, i));
		hak_free(objs[i]);
	}
	free(objs);
}

/* What may be unused behind a request: a share of it, or of its last page. */
static size_t waste_max(size_t size)
{
	size_t share = size <= CLASS_COARSE_MAX ? size / 4 : size / 8;

	if (size <= SUPERSLAB_SIZE && class_tier(size_class(size)))
		return share + 16;
	return share + (size_t)sysconf(_SC_PAGESIZE);
}

static void expect_served(struct kunit *test, size_t size)
{
	unsigned char *obj = hak_malloc(size);
	size_t usable = hak_malloc_usable_size(obj);

	KUNIT_ASSERT_MSG(test, obj, "%zu bytes", size);
	KUNIT_EXPECT_MSG(test, usable >= size, "%zu of %zu bytes", usable,
			 size);
	KUNIT_EXPECT_MSG(test, usable - size <= waste_max(size),
			 "%zu bytes for %zu", usable, size);
	obj[0] = obj[usable - 1] = 1;
	hak_free(obj);
}

static void expect_all_sizes(struct kunit *test, const char *ace)
{
	unsigned int class;
	size_t size;

	setenv("HAKMEM_ACE_ENABLED", ace, 1);
	for (size = 1; size <= 3 * MIB; size += 1 + size / 512)
		expect_served(test, size);
	/* The largest and the smallest request of each class. */
	for (class = 1; class < NR_CLASSES; class++) {
		expect_served(test, class_size(class));
		expect_served(test, class_size(class) + 1);
	}
}

static void every_size_is_served(struct kunit *test)
{
	expect_all_sizes(test, "1");
}

static void every_size_is_served_without_ace(struct kunit *test)
{
	expect_all_sizes(test, "0");
}

static const struct kunit_case gap_cases[] = {
	KUNIT_CASE_PARAM(crowds_need_few_mappings, crowds, describe_crowd),
	KUNIT_CASE(every_size_is_served),
	KUNIT_CASE(every_size_is_served_without_ace),
	{}
};

static const struct kunit_suite gap_suite = {
	.name = "gap",
	.test_cases = gap_cases,
};
kunit_test_suite(gap_suite);
