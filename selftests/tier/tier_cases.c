// SPDX-License-Identifier: MIT
/*
 * A tier as a provider of batches, beneath the cache layer: what every tier of
 * objects of one size has to do.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/init.h"
#include "mm/registry.h"
#include "mm/superslab.h"
#include "report.h"
#include "tier_cases.h"

#define BATCH_OBJECTS	2000
#define BATCH_BYTES	(32 * MIB)
#define FIRST	tier_under_test.first_class
#define LAST	tier_under_test.last_class

/* Room for a batch, and for a slab of the smallest objects. */
static void *objs[SLAB_MAX_OBJECTS];

static int start_allocator(struct kunit *test)
{
	init_ensure();
	return tier_needs_a_class(test);
}

/* Many objects, and few of large ones. */
static unsigned int batch_of(unsigned int class)
{
	return (unsigned int)min((size_t)BATCH_OBJECTS,
				 BATCH_BYTES / class_size(class));
}

/* Fetch exactly @n objects, in as many batches as it takes. */
static void refill(struct kunit *test, unsigned int class, void **batch,
		   unsigned int n)
{
	const struct tier_ops *ops = tier_under_test.ops;
	unsigned int got, count = 0;

	while (count < n) {
		got = ops->refill(class, batch + count, n - count);
		KUNIT_ASSERT_MSG(test, got > 0, "class %u after %u objects",
				 class, count);
		KUNIT_ASSERT_MSG(test, got <= n - count, "class %u: %u of %u",
				 class, got, n - count);
		count += got;
	}
}

static size_t objects_of_a_slab(unsigned int class)
{
	return class_units(class) * SLAB_SIZE / class_size(class);
}

static size_t slabs_of(unsigned int class)
{
	struct tier_stats stats;

	tier_under_test.ops->stats(class, &stats);
	return stats.slabs;
}

static int by_address(const void *left, const void *right)
{
	const char *a = *(char *const *)left, *b = *(char *const *)right;

	return a < b ? -1 : a > b;
}

static void objects_are_apart_and_of_their_class(struct kunit *test)
{
	unsigned int class, i;

	for_each_tier_class(class) {
		unsigned int batch = batch_of(class);
		size_t size = class_size(class);

		refill(test, class, objs, batch);
		for (i = 0; i < batch; i++) {
			KUNIT_EXPECT_EQ(test, registry_class(objs[i]), class);
			KUNIT_EXPECT_EQ(test, registry_class((char *)objs[i] +
							     size - 1), class);
			KUNIT_EXPECT_TRUE(test, is_aligned(objs[i], 16));
			pattern_fill(objs[i], size, i);
		}
		for (i = 0; i < batch; i++)
			KUNIT_EXPECT_TRUE(test, pattern_intact(objs[i], size,
							       i));
		qsort(objs, batch, sizeof(*objs), by_address);
		for (i = 1; i < batch; i++)
			KUNIT_ASSERT_TRUE(test, (char *)objs[i - 1] + size <=
					  (char *)objs[i]);
		tier_under_test.ops->drain(class, objs, batch);
	}
}

/*
 * A power of two is aligned to itself, or to a slab: it serves aligned
 * requests.
 */
static void powers_of_two_are_aligned(struct kunit *test)
{
	unsigned int class, i;

	for_each_tier_class(class) {
		unsigned int batch = batch_of(class);
		size_t size = class_size(class);

		if (size & (size - 1))
			continue;
		refill(test, class, objs, batch);
		for (i = 0; i < batch; i++)
			KUNIT_ASSERT_TRUE(test, is_aligned(objs[i],
						min(size, SLAB_SIZE)));
	}
}

static void slabs_are_filled(struct kunit *test)
{
	unsigned int class;

	for_each_tier_class(class) {
		unsigned int batch = batch_of(class);
		size_t fit = objects_of_a_slab(class);

		refill(test, class, objs, batch);
		KUNIT_EXPECT_EQ(test, slabs_of(class), (batch + fit - 1) / fit);
	}
}

/* The lowest is handed out first, from the end. */
static void a_batch_descends(struct kunit *test)
{
	unsigned int want = (unsigned int)objects_of_a_slab(FIRST) - 1;
	unsigned int n = tier_under_test.ops->refill(FIRST, objs, want), i;

	KUNIT_EXPECT_EQ(test, n, want);
	for (i = 1; i < n; i++)
		KUNIT_EXPECT_PTR_EQ(test, objs[i], (char *)objs[i - 1] -
				    class_size(FIRST));
}

/* What came home serves again before any fresh memory. */
static void drained_objects_come_back(struct kunit *test)
{
	void *back[10], *again[10];
	size_t slabs;
	unsigned int i;

	refill(test, FIRST, objs, batch_of(FIRST));
	slabs = slabs_of(FIRST);
	for (i = 0; i < 10; i++)
		back[i] = objs[37 * i + 5];
	tier_under_test.ops->drain(FIRST, back, 10);
	KUNIT_EXPECT_EQ(test, tier_under_test.ops->refill(FIRST, again, 10),
			10);
	KUNIT_EXPECT_EQ(test, slabs_of(FIRST), slabs);
	qsort(back, 10, sizeof(*back), by_address);
	qsort(again, 10, sizeof(*again), by_address);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_PTR_EQ(test, again[i], back[i]);
}

static void empty_slabs_are_handed_back(struct kunit *test)
{
	unsigned int class = LAST;
	size_t slabs;

	refill(test, class, objs, batch_of(class));
	slabs = slabs_of(class);
	KUNIT_EXPECT_GT(test, slabs, 3);
	tier_under_test.ops->drain(class, objs, batch_of(class));
	KUNIT_EXPECT_LE(test, slabs_of(class), max(slabs / 8, (size_t)1));
}

/* Fill and empty one class after the other. Return: most bytes mapped. */
static size_t use_all_classes(struct kunit *test)
{
	struct superslab_usage usage;
	unsigned int class;
	size_t most = 0;

	for_each_tier_class(class) {
		refill(test, class, objs, batch_of(class));
		superslab_usage(&usage);
		most = max(most, usage.mapped);
		tier_under_test.ops->drain(class, objs, batch_of(class));
	}
	return most;
}

/* What one class gave up serves another: it is not theirs all together. */
static void slabs_change_classes(struct kunit *test)
{
	size_t most = use_all_classes(test);
	size_t largest = 0, all = 0;
	unsigned int class;

	for_each_tier_class(class) {
		size_t bytes = batch_of(class) * class_size(class);

		largest = max(largest, bytes);
		all += bytes;
	}
	KUNIT_EXPECT_LE(test, most, max(all / 2, 3 * largest) + 8 * MIB);
	KUNIT_EXPECT_LE(test, use_all_classes(test), most + SUPERSLAB_SIZE);
}

/* There is no count at which a class is exhausted. */
static void superslabs_are_added_on_demand(struct kunit *test)
{
	unsigned int count = (unsigned int)(100 * MIB / class_size(LAST)), i;
	void **many = malloc(count * sizeof(*many));
	struct superslab_usage usage;

	KUNIT_ASSERT_NOT_NULL(test, many);
	refill(test, LAST, many, count);
	for (i = 0; i < count; i++)
		*(unsigned int *)many[i] = i;
	for (i = 0; i < count; i++)
		KUNIT_ASSERT_EQ(test, *(unsigned int *)many[i], i);
	superslab_usage(&usage);
	KUNIT_EXPECT_GE(test, usage.mapped, count * class_size(LAST));
	tier_under_test.ops->drain(LAST, many, count);
	superslab_reclaim();
	superslab_usage(&usage);
	KUNIT_EXPECT_LE(test, usage.mapped, SUPERSLAB_SIZE);
	free(many);
}

static void counters_count(struct kunit *test)
{
	const struct tier_ops *ops = tier_under_test.ops;
	struct tier_stats stats;

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_STATS is not set");
	KUNIT_ASSERT_EQ(test, ops->refill(FIRST, objs, 2), 2);
	KUNIT_ASSERT_EQ(test, ops->refill(FIRST, objs + 2, 1), 1);
	ops->drain(FIRST, objs, 2);
	ops->stats(FIRST, &stats);
	KUNIT_EXPECT_EQ(test, stats.refills, 2);
	KUNIT_EXPECT_EQ(test, stats.refilled, 3);
	KUNIT_EXPECT_EQ(test, stats.drains, 1);
	KUNIT_EXPECT_EQ(test, stats.drained, 2);
	KUNIT_EXPECT_EQ(test, stats.slabs,
			DIV_ROUND_UP(3, objects_of_a_slab(FIRST)));
}

static void drain_one(void *obj)
{
	tier_under_test.ops->drain(FIRST, &obj, 1);
}

#define EXPECT_DRAIN_DEATH(test, obj, what)				\
	KUNIT_EXPECT_DEATH(test, drain_one, obj, SIGABRT,		\
			   "^hakmem: .*%s.*%p", (what), (void *)(obj))

static void drain_checks_every_object(struct kunit *test)
{
	/* All of a slab but one, so that its last was never handed out. */
	unsigned int n = (unsigned int)objects_of_a_slab(FIRST) - 1;
	void *other_class;
	char *p, on_stack[16];

	if (n < 2)
		kunit_skip(test, "slabs hold too few objects");
	refill(test, FIRST, objs, n);
	refill(test, FIRST + 1, &other_class, 1);
	p = objs[n / 2];
	EXPECT_DRAIN_DEATH(test, p + 16 / 2, "not the start");
	EXPECT_DRAIN_DEATH(test, p + 1, "not the start");
	EXPECT_DRAIN_DEATH(test, on_stack, "not allocated");
	EXPECT_DRAIN_DEATH(test, other_class, "not allocated");
	p = (char *)objs[0] + class_size(FIRST);
	EXPECT_DRAIN_DEATH(test, p, "double free");
	tier_under_test.ops->drain(FIRST, &objs[1], 1);
	EXPECT_DRAIN_DEATH(test, objs[1], "double free");
	KUNIT_EXPECT_SURVIVAL(test, drain_one, objs[0]);
}

static void drain_twice_at_once(void *obj)
{
	void *both[] = { objs[0], obj, objs[1], obj };

	tier_under_test.ops->drain(FIRST, both, 4);
}

static void double_free_within_a_batch(struct kunit *test)
{
	refill(test, FIRST, objs, 30);
	KUNIT_EXPECT_DEATH(test, drain_twice_at_once, objs[20], SIGABRT,
			   "^hakmem: .*double free.*%p", objs[20]);
}

static void drain_row(void *arg)
{
	(void)arg;
	tier_under_test.ops->drain(FIRST, objs, 30);
}

/* Objects next to each other go back by the word; each is checked still. */
static void double_free_within_a_row(struct kunit *test)
{
	unsigned int i;

	refill(test, FIRST, objs, 30);
	tier_under_test.ops->drain(FIRST, &objs[20], 1);
	KUNIT_EXPECT_DEATH(test, drain_row, NULL, SIGABRT,
			   "^hakmem: .*double free.*%p", objs[20]);
	for (i = 0; i < 15; i++) {
		void *other = objs[29 - i];

		objs[29 - i] = objs[i];
		objs[i] = other;
	}
	KUNIT_EXPECT_DEATH(test, drain_row, NULL, SIGABRT,
			   "^hakmem: .*double free.*%p", objs[9]);
}

static unsigned int most_at_once(unsigned int class)
{
	return (unsigned int)min((size_t)300, 1 + 4 * MIB / class_size(class));
}

static void *refill_and_drain(void *arg)
{
	struct kunit *test = arg;
	struct prng prng = { (uintptr_t)&prng };
	void *batch[300];
	unsigned int class, n, i, round;

	for (round = 0; round < 3000; round++) {
		class = FIRST + (unsigned int)prng_below(&prng,
							 LAST - FIRST + 1);
		if (!tier_owns(class))
			continue;
		n = 1 + (unsigned int)prng_below(&prng, most_at_once(class));
		refill(test, class, batch, n);
		for (i = 0; i < n; i++)
			*(void **)batch[i] = &batch[i];
		for (i = 0; i < n; i++)
			KUNIT_ASSERT_PTR_EQ(test, *(void **)batch[i],
					    &batch[i]);
		tier_under_test.ops->drain(class, batch, n);
	}
	return NULL;
}

static void threads_get_different_objects(struct kunit *test)
{
	struct superslab_usage usage;
	pthread_t threads[4];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     refill_and_drain, test),
				0);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	superslab_reclaim();
	superslab_usage(&usage);
	KUNIT_EXPECT_LE(test, usage.mapped, (LAST - FIRST + 1) *
			SUPERSLAB_SIZE);
}

/* Every request of the tier's range is an object of the class of its size. */
static void malloc_uses_the_tier(struct kunit *test)
{
	size_t size;

	for (size = tier_under_test.min_size; size <= tier_under_test.max_size;
	     size++) {
		void *p;

		if (!tier_owns(size_class(size)))
			continue;
		p = hak_malloc(size);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, registry_class(p), size_class(size));
		KUNIT_EXPECT_EQ(test, hak_malloc_usable_size(p),
				class_size(size_class(size)));
		hak_free(p);
	}
}

static const struct kunit_case tier_cases[] = {
	KUNIT_CASE(objects_are_apart_and_of_their_class),
	KUNIT_CASE(powers_of_two_are_aligned),
	KUNIT_CASE(slabs_are_filled),
	KUNIT_CASE(a_batch_descends),
	KUNIT_CASE(drained_objects_come_back),
	KUNIT_CASE(empty_slabs_are_handed_back),
	KUNIT_CASE(slabs_change_classes),
	KUNIT_CASE(superslabs_are_added_on_demand),
	KUNIT_CASE(counters_count),
	KUNIT_CASE(drain_checks_every_object),
	KUNIT_CASE(double_free_within_a_batch),
	KUNIT_CASE(double_free_within_a_row),
	KUNIT_CASE(threads_get_different_objects),
	KUNIT_CASE(malloc_uses_the_tier),
	{}
};

static const struct kunit_suite tier_suite = {
	.name = "tier",
	.init = start_allocator,
	.test_cases = tier_cases,
};
kunit_test_suite(tier_suite);
