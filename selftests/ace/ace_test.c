// SPDX-License-Identifier: MIT
/*
 * The slabs of ACE: what its large objects have that no other tier's do.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../tier/tier_cases.h"
#include "ace.h"
#include "mm/cache.h"
#include "mm/init.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "oom.h"

const struct tier_under_test tier_under_test = {
	.ops = &ace_ops,
	.first_class = ACE_CLASS_FIRST,
	.last_class = ACE_CLASS_LAST,
	.min_size = (TINY_MAX_SIZE ? TINY_MAX_SIZE : CLASS_COARSE_MAX) + 1,
	.max_size = ACE_MAX_SIZE,
};

#define OBJECTS		64
#define CLASS_BYTES	(24 * MIB)

static void *objs[OBJECTS];

/* Some slabs of each class. */
static size_t some_of(unsigned int class)
{
	return min((size_t)OBJECTS, CLASS_BYTES / class_size(class));
}

static void allocate(struct kunit *test, unsigned int class)
{
	size_t size = class_size(class), i;

	for (i = 0; i < some_of(class); i++) {
		objs[i] = hak_malloc(size);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
		pattern_fill(objs[i], size, i);
	}
}

static void release(unsigned int class, size_t first, size_t step)
{
	size_t i;

	for (i = first; i < some_of(class); i += step)
		hak_free(objs[i]);
}

static void tier_owns_what_mid_does_not(struct kunit *test)
{
	unsigned int class;

	init_ensure();
	KUNIT_EXPECT_TRUE(test, ace_is_on());
	for (class = BEYOND_TINY_CLASS; class < NR_CLASSES; class++) {
		bool mid = class >= MID_CLASS_FIRST && class <= MID_CLASS_LAST;

		KUNIT_EXPECT_MSG(test, (class_tier(class) == &ace_ops) ==
				 (!mid && class <= ACE_CLASS_LAST),
				 "class %u", class);
	}
}

static void neighbours_are_purged(struct kunit *test)
{
	unsigned int class;
	size_t i;

	for_each_ace_class(class) {
		size_t size = class_size(class);

		allocate(test, class);
		release(class, 1, 2);
		hak_malloc_trim(0);
		for (i = 0; i < some_of(class); i += 2)
			KUNIT_ASSERT_MSG(test, pattern_intact(objs[i], size, i),
					 "object %zu of %zu bytes", i, size);
		for (i = 1; i < some_of(class); i += 2) {
			objs[i] = hak_calloc(1, size);
			KUNIT_ASSERT_MSG(test, objs[i] &&
					 bytes_are(objs[i], size, 0),
					 "object %zu of %zu bytes", i, size);
		}
		release(class, 0, 1);
	}
}

/* The slab stays, as every other object of it is in use. */
static void touched_objects_read_as_zero(struct kunit *test)
{
	unsigned int class;
	size_t i;

	for_each_ace_class(class) {
		size_t size = class_size(class);

		allocate(test, class);
		release(class, 0, 2);
		for (i = 0; i < some_of(class); i += 2) {
			objs[i] = hak_calloc(1, size);
			KUNIT_ASSERT_MSG(test, objs[i] &&
					 bytes_are(objs[i], size, 0),
					 "object %zu of %zu bytes", i, size);
			memset(objs[i], 1, size);
		}
		release(class, 0, 1);
	}
}

/* Memory that one class has touched is not zero for the others. */
static void touched_slabs_read_as_zero(struct kunit *test)
{
	struct prng prng = { prng_seed() };
	size_t size, i, round;

	for (round = 0; round < 1500; round++) {
		i = prng_below(&prng, OBJECTS);
		hak_free(objs[i]);
		size = 1 + prng_below(&prng, ACE_MAX_SIZE / 4);
		objs[i] = hak_calloc(1, size);
		KUNIT_ASSERT_MSG(test, objs[i] && bytes_are(objs[i], size, 0),
				 "round %zu, %zu bytes", round, size);
		memset(objs[i], 1, hak_malloc_usable_size(objs[i]));
		if (round % 50 == 0) {
			hak_malloc_trim(0);
		} else if (round % 7 == 0) {
			superslab_expire();
			slab_pool_expire();
		}
	}
}

/* Pages of an object that have memory behind them. */
static size_t resident_pages(void *obj, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = ALIGN_UP((uintptr_t)obj, page);
	uintptr_t end = ALIGN_DOWN((uintptr_t)obj + size, page);
	unsigned char present[SUPERSLAB_SIZE / 4096];
	size_t i, pages = (end - first) / page, count = 0;

	if (mincore((void *)first, end - first, present))
		abort();
	for (i = 0; i < pages; i++)
		count += present[i] & 1;
	return count;
}

/* Zeroing what is zero costs its pages. */
static void fresh_memory_is_not_zeroed(struct kunit *test)
{
	size_t size = 0;
	unsigned int class;
	unsigned char *obj;

	init_ensure();
	for_each_ace_class(class) {
		if (class_is_paged(class) && !class_limits[class].magazine)
			size = class_size(class);
		if (size >= 100 * KIB)
			break;
	}
	if (!size)
		kunit_skip(test, "all classes have magazines");
	obj = hak_calloc(1, size);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, resident_pages(obj, size), 0);
	obj[size / 2] = 1;
	KUNIT_EXPECT_EQ(test, resident_pages(obj, size), 1);
	hak_free(obj);
}

/* Some sizes on both sides of the mid tier, freed in another order. */
static unsigned int exercise_sizes(void)
{
	static const size_t sizes[] = {
		1500, 4000, 7000, 33000, 48 * KIB, 72 * KIB, 100000,
		300 * KIB, 900 * KIB, 3 * MIB / 2, 2 * MIB,
	};
	void *p[ARRAY_LENGTH(sizes)];
	unsigned int refused = 0;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		p[i] = i % 2 ? hak_calloc(1, sizes[i]) : hak_malloc(sizes[i]);
		if (oom_refused(p[i], &refused))
			continue;
		OOM_CHECK(i % 2 == 0 || bytes_are(p[i], sizes[i], 0));
		pattern_fill(p[i], sizes[i], i);
	}
	for (i = 0; i < ARRAY_LENGTH(sizes); i += 2) {
		OOM_CHECK(!p[i] || pattern_intact(p[i], sizes[i], i));
		hak_free(p[i]);
		p[i] = NULL;
	}
	slab_pool_expire();
	superslab_expire();
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		OOM_CHECK(!p[i] || pattern_intact(p[i], sizes[i], i));
		hak_free(p[i]);
	}
	return refused;
}

static void all_sizes_under_failure(struct kunit *test)
{
	oom_fail_each_call(test, exercise_sizes);
}

static const struct kunit_case ace_cases[] = {
	KUNIT_CASE(tier_owns_what_mid_does_not),
	KUNIT_CASE(neighbours_are_purged),
	KUNIT_CASE(touched_objects_read_as_zero),
	KUNIT_CASE(touched_slabs_read_as_zero),
	KUNIT_CASE(fresh_memory_is_not_zeroed),
	OOM_CASE(all_sizes_under_failure),
	{}
};

static const struct kunit_suite ace_suite = {
	.name = "ace",
	.test_cases = ace_cases,
};
kunit_test_suite(ace_suite);
