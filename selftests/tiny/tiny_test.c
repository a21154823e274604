// SPDX-License-Identifier: MIT
/*
 * The tiny tier as a provider of batches, beneath the cache layer.
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
#include "mm/tiny.h"
#include "report.h"

#define BATCH	2000

static void *objs[BATCH];

static int start_allocator(struct kunit *test)
{
	(void)test;
	init_ensure();
	return 0;
}

/* Fetch exactly @n objects, in as many batches as it takes. */
static void refill(struct kunit *test, unsigned int class, void **batch,
		   unsigned int n)
{
	unsigned int got, count = 0;

	while (count < n) {
		got = tiny_ops.refill(class, batch + count, n - count);
		KUNIT_ASSERT_MSG(test, got > 0, "class %u after %u objects",
				 class, count);
		KUNIT_ASSERT_MSG(test, got <= n - count, "class %u: %u of %u",
				 class, got, n - count);
		count += got;
	}
}

static size_t slabs_of(unsigned int class)
{
	struct tier_stats stats;

	tiny_ops.stats(class, &stats);
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

	for (class = 1; class <= TINY_CLASS_LAST; class++) {
		size_t size = class_size(class);

		refill(test, class, objs, BATCH);
		for (i = 0; i < BATCH; i++) {
			KUNIT_EXPECT_EQ(test, registry_class(objs[i]), class);
			KUNIT_EXPECT_EQ(test, registry_class((char *)objs[i] +
							     size - 1), class);
			KUNIT_EXPECT_TRUE(test, is_aligned(objs[i], 16));
			pattern_fill(objs[i], size, i);
		}
		for (i = 0; i < BATCH; i++)
			KUNIT_EXPECT_TRUE(test, pattern_intact(objs[i], size,
							       i));
		qsort(objs, BATCH, sizeof(*objs), by_address);
		for (i = 1; i < BATCH; i++)
			KUNIT_ASSERT_TRUE(test, (char *)objs[i - 1] + size <=
					  (char *)objs[i]);
		tiny_ops.drain(class, objs, BATCH);
	}
}

/* A power of two is aligned to itself: it serves aligned requests. */
static void powers_of_two_are_aligned(struct kunit *test)
{
	unsigned int class, i;

	for (class = 1; class <= TINY_CLASS_LAST; class++) {
		size_t size = class_size(class);

		if (size & (size - 1))
			continue;
		refill(test, class, objs, BATCH);
		for (i = 0; i < BATCH; i++)
			KUNIT_ASSERT_TRUE(test, is_aligned(objs[i], size));
	}
}

static void slabs_are_filled(struct kunit *test)
{
	unsigned int class;

	for (class = 1; class <= TINY_CLASS_LAST; class++) {
		size_t fit = SLAB_SIZE / class_size(class);

		refill(test, class, objs, BATCH);
		KUNIT_EXPECT_EQ(test, slabs_of(class), (BATCH + fit - 1) / fit);
	}
}

static void a_batch_ascends(struct kunit *test)
{
	unsigned int n = tiny_ops.refill(3, objs, 100), i;

	KUNIT_EXPECT_EQ(test, n, 100);
	for (i = 1; i < n; i++)
		KUNIT_EXPECT_PTR_EQ(test, objs[i], (char *)objs[i - 1] +
				    class_size(3));
}

/* What came home serves again, lowest first, before any fresh memory. */
static void drained_objects_come_back(struct kunit *test)
{
	void *back[10], *again[10];
	size_t slabs;
	unsigned int i;

	refill(test, 4, objs, BATCH);
	slabs = slabs_of(4);
	for (i = 0; i < 10; i++)
		back[i] = objs[37 * i + 5];
	tiny_ops.drain(4, back, 10);
	KUNIT_EXPECT_EQ(test, tiny_ops.refill(4, again, 10), 10);
	KUNIT_EXPECT_EQ(test, slabs_of(4), slabs);
	qsort(back, 10, sizeof(*back), by_address);
	qsort(again, 10, sizeof(*again), by_address);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_PTR_EQ(test, again[i], back[i]);
}

static void empty_slabs_are_handed_back(struct kunit *test)
{
	unsigned int class = TINY_CLASS_LAST;
	size_t slabs;

	refill(test, class, objs, BATCH);
	slabs = slabs_of(class);
	KUNIT_EXPECT_GT(test, slabs, 10);
	tiny_ops.drain(class, objs, BATCH);
	KUNIT_EXPECT_LE(test, slabs_of(class), slabs / 8);
}

/* What one class gave up serves another. */
static void slabs_change_classes(struct kunit *test)
{
	struct superslab_usage before, after;
	unsigned int class;

	for (class = 1; class <= TINY_CLASS_LAST; class++) {
		refill(test, class, objs, BATCH);
		tiny_ops.drain(class, objs, BATCH);
	}
	superslab_usage(&before);
	for (class = 1; class <= TINY_CLASS_LAST; class++) {
		refill(test, class, objs, BATCH);
		tiny_ops.drain(class, objs, BATCH);
	}
	superslab_usage(&after);
	KUNIT_EXPECT_LE(test, after.mapped, before.mapped);
}

/* One object of each class must not cost a superslab each. */
static void small_programs_need_one_superslab(struct kunit *test)
{
	struct superslab_usage usage;
	unsigned int class;

	for (class = 1; class <= TINY_CLASS_LAST; class++)
		refill(test, class, objs, 1);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, SUPERSLAB_SIZE);
}

/* There is no count at which a class is exhausted. */
static void superslabs_are_added_on_demand(struct kunit *test)
{
	const unsigned int count = 100000;
	void **many = malloc(count * sizeof(*many));
	unsigned int class = TINY_CLASS_LAST, i;
	struct superslab_usage usage;

	KUNIT_ASSERT_NOT_NULL(test, many);
	refill(test, class, many, count);
	for (i = 0; i < count; i++)
		*(unsigned int *)many[i] = i;
	for (i = 0; i < count; i++)
		KUNIT_ASSERT_EQ(test, *(unsigned int *)many[i], i);
	superslab_usage(&usage);
	KUNIT_EXPECT_GE(test, usage.mapped, count * class_size(class));
	tiny_ops.drain(class, many, count);
	superslab_reclaim();
	superslab_usage(&usage);
	KUNIT_EXPECT_LE(test, usage.mapped, SUPERSLAB_SIZE);
	free(many);
}

static void counters_count(struct kunit *test)
{
	struct tier_stats stats;

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_STATS is not set");
	KUNIT_EXPECT_EQ(test, tiny_ops.refill(2, objs, 50), 50);
	KUNIT_EXPECT_EQ(test, tiny_ops.refill(2, objs + 50, 7), 7);
	tiny_ops.drain(2, objs, 20);
	tiny_ops.stats(2, &stats);
	KUNIT_EXPECT_EQ(test, stats.refills, 2);
	KUNIT_EXPECT_EQ(test, stats.refilled, 57);
	KUNIT_EXPECT_EQ(test, stats.drains, 1);
	KUNIT_EXPECT_EQ(test, stats.drained, 20);
	KUNIT_EXPECT_EQ(test, stats.slabs, 1);
}

static void drain_of_class_5(void *obj)
{
	tiny_ops.drain(5, &obj, 1);
}

static void drain_checks_every_object(struct kunit *test)
{
	char *p, on_stack[16];

	refill(test, 5, objs, 100);
	refill(test, 6, objs + 100, 1);
	p = objs[50];
	KUNIT_EXPECT_DEATH(test, drain_of_class_5, p + 16, SIGABRT,
			   "^hakmem: .*not the start.*%p", (void *)(p + 16));
	KUNIT_EXPECT_DEATH(test, drain_of_class_5, p + 1, SIGABRT,
			   "^hakmem: .*not the start.*%p", (void *)(p + 1));
	KUNIT_EXPECT_DEATH(test, drain_of_class_5, on_stack, SIGABRT,
			   "^hakmem: .*not allocated.*%p", (void *)on_stack);
	KUNIT_EXPECT_DEATH(test, drain_of_class_5, objs[100], SIGABRT,
			   "^hakmem: .*not allocated.*%p", objs[100]);
	/* An object that was never handed out is as free as one drained. */
	p = (char *)objs[99] + class_size(5);
	KUNIT_EXPECT_DEATH(test, drain_of_class_5, p, SIGABRT,
			   "^hakmem: .*double free.*%p", (void *)p);
	tiny_ops.drain(5, &objs[7], 1);
	KUNIT_EXPECT_DEATH(test, drain_of_class_5, objs[7], SIGABRT,
			   "^hakmem: .*double free.*%p", objs[7]);
	KUNIT_EXPECT_SURVIVAL(test, drain_of_class_5, objs[8]);
}

static void drain_twice_at_once(void *obj)
{
	void *both[] = { objs[0], obj, objs[1], obj };

	tiny_ops.drain(5, both, 4);
}

static void double_free_within_a_batch(struct kunit *test)
{
	refill(test, 5, objs, 100);
	KUNIT_EXPECT_DEATH(test, drain_twice_at_once, objs[50], SIGABRT,
			   "^hakmem: .*double free.*%p", objs[50]);
}

/* The end of a slab that no object fits into belongs to none. */
static void remainder_of_a_slab_is_no_object(struct kunit *test)
{
	unsigned int class = TINY_CLASS_LAST - 1;
	size_t size = class_size(class);
	char *base, *end;

	if (!(SLAB_SIZE % size))
		kunit_skip(test, "class %u leaves no remainder", class);
	refill(test, class, objs, 1);
	base = (char *)((uintptr_t)objs[0] & ~(SLAB_SIZE - 1));
	end = base + SLAB_SIZE / size * size;
	hak_free(hak_malloc(1));
	KUNIT_EXPECT_DEATH(test, hak_free, end, SIGABRT,
			   "^hakmem: .*not the start.*%p", (void *)end);
}

static void *refill_and_drain(void *arg)
{
	struct kunit *test = arg;
	struct prng prng = { (uintptr_t)&prng };
	void *batch[300];
	unsigned int class, n, i, round;

	for (round = 0; round < 3000; round++) {
		class = 1 + (unsigned int)prng_below(&prng, TINY_CLASS_LAST);
		n = 1 + (unsigned int)prng_below(&prng, 300);
		refill(test, class, batch, n);
		for (i = 0; i < n; i++)
			*(void **)batch[i] = &batch[i];
		for (i = 0; i < n; i++)
			KUNIT_ASSERT_PTR_EQ(test, *(void **)batch[i],
					    &batch[i]);
		tiny_ops.drain(class, batch, n);
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
	superslab_usage(&usage);
	KUNIT_EXPECT_LE(test, usage.mapped, 8 * SUPERSLAB_SIZE);
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
	KUNIT_CASE(objects_are_apart_and_of_their_class),
	KUNIT_CASE(powers_of_two_are_aligned),
	KUNIT_CASE(slabs_are_filled),
	KUNIT_CASE(a_batch_ascends),
	KUNIT_CASE(drained_objects_come_back),
	KUNIT_CASE(empty_slabs_are_handed_back),
	KUNIT_CASE(slabs_change_classes),
	KUNIT_CASE(small_programs_need_one_superslab),
	KUNIT_CASE(superslabs_are_added_on_demand),
	KUNIT_CASE(counters_count),
	KUNIT_CASE(drain_checks_every_object),
	KUNIT_CASE(double_free_within_a_batch),
	KUNIT_CASE(remainder_of_a_slab_is_no_object),
	KUNIT_CASE(threads_get_different_objects),
	KUNIT_CASE(malloc_uses_the_tier),
	{}
};

static const struct kunit_suite tiny_suite = {
	.name = "tiny",
	.init = start_allocator,
	.test_cases = tiny_cases,
};
kunit_test_suite(tiny_suite);
