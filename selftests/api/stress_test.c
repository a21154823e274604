// SPDX-License-Identifier: MIT
/*
 * Random operations, checked against a shadow of what every object holds.
 * KUNIT_SEED chooses the sequence.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"

#define SLOTS	4000

/* An object and what it holds: @size bytes of the pattern @seed. */
struct shadow {
	unsigned char *ptr;
	size_t size;
	uint64_t seed;
};

/* Mostly small, some from the page runs, a few with their own mapping. */
static size_t random_size(struct prng *prng)
{
	size_t chance = prng_below(prng, 1000);

	if (!chance)
		return prng_size(prng, 4 * MIB);
	return prng_size(prng, chance < 30 ? 256 * KIB : 4 * KIB);
}

static unsigned char *random_alloc(struct kunit *test, struct prng *prng,
				   size_t size)
{
	size_t align = (size_t)16 << prng_below(prng, 9);
	unsigned char *p;

	switch (prng_below(prng, 8)) {
	case 0:
		p = hak_calloc(1, size);
		KUNIT_EXPECT_MSG(test, !p || bytes_are(p, size, 0),
				 "calloc(%zu) at %p", size, (void *)p);
		return p;
	case 1:
		p = hak_aligned_alloc(align, size);
		KUNIT_EXPECT_MSG(test, is_aligned(p, align),
				 "aligned_alloc(%zu, %zu) at %p", align, size,
				 (void *)p);
		return p;
	default:
		return hak_malloc(size);
	}
}

static void shadow_fill(struct shadow *shadow, struct prng *prng)
{
	shadow->seed = prng_next(prng);
	pattern_fill(shadow->ptr, shadow->size, shadow->seed);
}

static void shadow_check(struct kunit *test, const struct shadow *shadow)
{
	KUNIT_ASSERT_MSG(test, pattern_intact(shadow->ptr, shadow->size,
					      shadow->seed),
			 "%zu bytes at %p", shadow->size, (void *)shadow->ptr);
}

static void random_step(struct kunit *test, struct prng *prng,
			struct shadow *shadow)
{
	size_t size = random_size(prng);
	/* Whole words: the pattern of a shorter length ends differently. */
	size_t common = size < (shadow->size & ~(size_t)7) ?
			(size & ~(size_t)7) : (shadow->size & ~(size_t)7);

	shadow_check(test, shadow);
	if (shadow->ptr && size && !prng_below(prng, 4)) {
		shadow->ptr = hak_realloc(shadow->ptr, size);
		KUNIT_ASSERT_NOT_NULL(test, shadow->ptr);
		shadow->size = common;
		shadow_check(test, shadow);
	} else {
		hak_free(shadow->ptr);
		shadow->ptr = random_alloc(test, prng, size);
		KUNIT_ASSERT_NOT_NULL(test, shadow->ptr);
	}
	KUNIT_EXPECT_TRUE(test, is_aligned(shadow->ptr, 16));
	shadow->size = size;
	shadow_fill(shadow, prng);
}

static void random_run(struct kunit *test, uint64_t seed, size_t steps)
{
	struct shadow *shadows = calloc(SLOTS, sizeof(*shadows));
	struct prng prng = { seed };
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, shadows);
	for (i = 0; i < steps; i++)
		random_step(test, &prng, &shadows[prng_below(&prng, SLOTS)]);
	for (i = 0; i < SLOTS; i++) {
		shadow_check(test, &shadows[i]);
		hak_free(shadows[i].ptr);
	}
	free(shadows);
}

static void random_operations(struct kunit *test)
{
	kunit_info(test, "KUNIT_SEED=%ju", (uintmax_t)prng_seed());
	random_run(test, prng_seed(), 1000000);
}

/* One of several threads on a run of their own. */
struct stress_thread {
	pthread_t thread;
	struct kunit *test;
	uint64_t seed;
	size_t steps;
};

static void *random_run_in_thread(void *arg)
{
	struct stress_thread *thread = arg;

	random_run(thread->test, thread->seed, thread->steps);
	return NULL;
}

static void run_in_threads(struct kunit *test, void *(*fn)(void *arg),
			   size_t steps)
{
	struct stress_thread threads[4];
	size_t i;

	kunit_info(test, "KUNIT_SEED=%ju", (uintmax_t)prng_seed());
	for (i = 0; i < ARRAY_LENGTH(threads); i++) {
		threads[i].test = test;
		threads[i].seed = prng_seed() + i;
		threads[i].steps = steps;
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i].thread, NULL,
						     fn, &threads[i]), 0);
	}
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i].thread, NULL);
}

static void random_operations_in_threads(struct kunit *test)
{
	run_in_threads(test, random_run_in_thread, 400000);
}

static void many_random_operations(struct kunit *test)
{
	run_in_threads(test, random_run_in_thread, 4000000);
}

static _Atomic(struct shadow *) shared_slots[1000];

/* Takes what some thread left in a slot, checks and frees it, leaves one. */
static void *exchange_in_thread(void *arg)
{
	struct stress_thread *thread = arg;
	struct prng prng = { thread->seed };
	size_t i;

	for (i = 0; i < thread->steps; i++) {
		size_t slot = prng_below(&prng, ARRAY_LENGTH(shared_slots));
		struct shadow *shadow = hak_malloc(sizeof(*shadow));

		KUNIT_ASSERT_NOT_NULL(thread->test, shadow);
		shadow->size = random_size(&prng);
		shadow->ptr = hak_malloc(shadow->size);
		KUNIT_ASSERT_NOT_NULL(thread->test, shadow->ptr);
		shadow_fill(shadow, &prng);
		shadow = atomic_exchange(&shared_slots[slot], shadow);
		if (!shadow)
			continue;
		shadow_check(thread->test, shadow);
		hak_free(shadow->ptr);
		hak_free(shadow);
	}
	return NULL;
}

static void free_shared_slots(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(shared_slots); i++) {
		struct shadow *shadow = atomic_load(&shared_slots[i]);

		if (!shadow)
			continue;
		shadow_check(test, shadow);
		hak_free(shadow->ptr);
		hak_free(shadow);
	}
}

static void threads_exchange_objects(struct kunit *test)
{
	run_in_threads(test, exchange_in_thread, 500000);
	free_shared_slots(test);
}

static void threads_exchange_many_objects(struct kunit *test)
{
	run_in_threads(test, exchange_in_thread, 4000000);
	free_shared_slots(test);
}

static int by_address(const void *left, const void *right)
{
	const struct shadow *a = left, *b = right;

	return a->ptr < b->ptr ? -1 : a->ptr > b->ptr;
}

/* What usable_size promises of 100,000 live objects must not overlap. */
static void live_objects_do_not_overlap(struct kunit *test)
{
	const size_t count = 100000;
	struct shadow *all = calloc(count, sizeof(*all));
	struct prng prng = { prng_seed() };
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, all);
	for (i = 0; i < count; i++) {
		all[i].ptr = hak_malloc(random_size(&prng));
		KUNIT_ASSERT_NOT_NULL(test, all[i].ptr);
		all[i].size = hak_malloc_usable_size(all[i].ptr);
		/* Holes, so that reused memory is among the live objects. */
		if (i % 3 == 2) {
			hak_free(all[i - 1].ptr);
			all[i - 1].ptr = hak_malloc(random_size(&prng));
			KUNIT_ASSERT_NOT_NULL(test, all[i - 1].ptr);
			all[i - 1].size =
				hak_malloc_usable_size(all[i - 1].ptr);
		}
	}
	qsort(all, count, sizeof(*all), by_address);
	for (i = 1; i < count; i++)
		KUNIT_ASSERT_MSG(test, all[i - 1].ptr + all[i - 1].size <=
				 all[i].ptr, "%zu bytes at %p and %p",
				 all[i - 1].size, (void *)all[i - 1].ptr,
				 (void *)all[i].ptr);
	for (i = 0; i < count; i++)
		hak_free(all[i].ptr);
	free(all);
}

static const struct kunit_case stress_cases[] = {
	KUNIT_CASE(live_objects_do_not_overlap),
	KUNIT_CASE(random_operations),
	KUNIT_CASE(random_operations_in_threads),
	KUNIT_CASE(threads_exchange_objects),
	KUNIT_CASE_SLOW(many_random_operations),
	KUNIT_CASE_SLOW(threads_exchange_many_objects),
	{}
};

static const struct kunit_suite stress_suite = {
	.name = "stress",
	.test_cases = stress_cases,
};
kunit_test_suite(stress_suite);
