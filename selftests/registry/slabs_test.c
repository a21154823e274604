// SPDX-License-Identifier: MIT
/*
 * Units and slabs: where they are found, and what is known to be touched.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kunit.h"
#include "memory.h"
#include "mm/fault.h"
#include "mm/init.h"
#include "mm/registry.h"
#include "mm/reclaim.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "retained.h"

static int start_allocator(struct kunit *test)
{
	(void)test;
	init_ensure();
	return registry.nr_slabs ? 0 : -1;
}

static struct superslab *take(struct kunit *test, unsigned int n,
			      unsigned int *first, uint32_t *dirty)
{
	struct superslab *superslab = superslab_take_units(n, first, dirty);

	KUNIT_ASSERT_NOT_NULL(test, superslab);
	KUNIT_EXPECT_EQ(test, *dirty & ~unit_mask(*first, n), 0);
	return superslab;
}

static struct superslab *take_all(struct kunit *test)
{
	unsigned int first;
	uint32_t dirty;

	return take(test, SUPERSLAB_SLABS, &first, &dirty);
}

/* Superslabs with runs of 5, of 3 and 2, and of 8 free units. */
static void tightest_run_is_taken(struct kunit *test)
{
	struct superslab *five = take_all(test), *three = take_all(test);
	struct superslab *eight = take_all(test), *got;
	unsigned int first;
	uint32_t dirty;

	superslab_put_units(eight, unit_mask(20, 8), 0);
	superslab_put_units(five, unit_mask(10, 5), 0);
	superslab_put_units(three, unit_mask(1, 2) | unit_mask(7, 3), 0);

	KUNIT_EXPECT_PTR_EQ(test, take(test, 3, &first, &dirty), three);
	KUNIT_EXPECT_EQ(test, first, 7);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 2, &first, &dirty), three);
	KUNIT_EXPECT_EQ(test, first, 1);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 4, &first, &dirty), five);
	KUNIT_EXPECT_EQ(test, first, 10);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 1, &first, &dirty), five);
	KUNIT_EXPECT_EQ(test, first, 14);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 6, &first, &dirty), eight);
	got = take(test, 3, &first, &dirty);
	KUNIT_EXPECT_TRUE(test, got != five && got != three && got != eight);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 2, &first, &dirty), eight);
}

/* Runs that touch become one, wherever their units came from. */
static void neighbouring_units_join(struct kunit *test)
{
	struct superslab *superslab = take_all(test);
	unsigned int i, first;
	uint32_t dirty;

	for (i = 0; i < SUPERSLAB_SLABS; i += 2)
		superslab_put_units(superslab, unit_mask(i, 1), 0);
	KUNIT_EXPECT_PTR_NE(test, take(test, 2, &first, &dirty), superslab);
	for (i = 1; i < SUPERSLAB_SLABS - 1; i += 2)
		superslab_put_units(superslab, unit_mask(i, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 31, &first, &dirty), superslab);
	KUNIT_EXPECT_EQ(test, first, 0);
	superslab_put_units(superslab, unit_mask(0, 32), 0);
	KUNIT_EXPECT_PTR_EQ(test, take_all(test), superslab);
}

static void units_come_back_as_told(struct kunit *test)
{
	struct superslab *superslab = take_all(test);
	struct superslab_usage usage;
	unsigned int first;
	uint32_t dirty;

	need_retained(test, 2);
	superslab_put_units(superslab, unit_mask(4, 6), unit_mask(7, 2));
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, 6 * SLAB_SIZE);
	KUNIT_EXPECT_EQ(test, usage.dirty, 2 * SLAB_SIZE);
	/* What was touched is paid for. */
	take(test, 1, &first, &dirty);
	KUNIT_EXPECT_EQ(test, first, 7);
	KUNIT_EXPECT_EQ(test, dirty, unit_mask(7, 1));
	take(test, 1, &first, &dirty);
	KUNIT_EXPECT_EQ(test, first, 8);
	KUNIT_EXPECT_EQ(test, dirty, unit_mask(8, 1));
	take(test, 3, &first, &dirty);
	KUNIT_EXPECT_EQ(test, first, 4);
	KUNIT_EXPECT_EQ(test, dirty, 0);
	superslab_put_units(superslab, unit_mask(4, 3), unit_mask(5, 1));
	take(test, 3, &first, &dirty);
	KUNIT_EXPECT_EQ(test, first, 4);
	KUNIT_EXPECT_EQ(test, dirty, unit_mask(5, 1));
}

static void purged_units_read_as_zero(struct kunit *test)
{
	struct superslab *superslab = take_all(test);
	char *base = (char *)superslab->base;
	unsigned int first;
	uint32_t dirty;

	need_retained(test, 5);
	memset(base, 1, SUPERSLAB_SIZE);
	superslab_put_units(superslab, unit_mask(3, 5), unit_mask(3, 5));
	KUNIT_EXPECT_EQ(test, superslab_reclaim(), 5 * SLAB_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 5, &first, &dirty), superslab);
	KUNIT_EXPECT_EQ(test, first, 3);
	KUNIT_EXPECT_EQ(test, dirty, 0);
	KUNIT_EXPECT_TRUE(test, bytes_are(base + 3 * SLAB_SIZE, 5 * SLAB_SIZE,
					  0));
	KUNIT_EXPECT_TRUE(test, bytes_are(base, 3 * SLAB_SIZE, 1));
	KUNIT_EXPECT_TRUE(test, bytes_are(base + 8 * SLAB_SIZE, 24 * SLAB_SIZE,
					  1));
}

/* Memory that is there before memory that is not, whichever came last. */
static void touched_superslabs_go_first(struct kunit *test)
{
	struct superslab *touched = take_all(test), *clean = take_all(test);
	unsigned int first;
	uint32_t dirty;

	need_retained(test, 5);
	superslab_put_units(touched, unit_mask(0, 5), unit_mask(0, 1));
	superslab_put_units(clean, unit_mask(0, 5), 0);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 5, &first, &dirty), touched);
	superslab_put_units(touched, unit_mask(0, 5), 0);
	superslab_put_units(clean, unit_mask(5, 1), unit_mask(5, 1));
	superslab_put_units(touched, unit_mask(5, 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, take(test, 6, &first, &dirty), clean);
}

/* More superslabs than may stay touched, and as much that stays in use. */
#define CROWD		(RETAIN_BYTES / SUPERSLAB_SIZE + 8)
#define CROWD_UNITS	unit_mask(0, 31)

static void use_and_put(struct kunit *test, struct superslab **crowd)
{
	unsigned int first;
	uint32_t dirty;
	size_t i;

	for (i = 0; i < CROWD; i++)
		crowd[i] = take(test, 31, &first, &dirty);
	for (i = 0; i < CROWD; i++)
		superslab_put_units(crowd[i], CROWD_UNITS, CROWD_UNITS);
}

static size_t dirty_bytes(void)
{
	struct superslab_usage usage;

	superslab_usage(&usage);
	return usage.dirty;
}

/* Only what nobody wanted since the last time goes, and not all of it. */
static void idle_units_expire(struct kunit *test)
{
	struct superslab **crowd = malloc(CROWD * sizeof(*crowd));
	const size_t all = CROWD * 31 * SLAB_SIZE;
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	/* The first time too much is touched, it goes at once, not again. */
	reclaim_set_decay_ms(60000);
	for (i = 0; i < CROWD; i++)
		take_all(test);
	use_and_put(test, crowd);
	use_and_put(test, crowd);
	KUNIT_ASSERT_EQ(test, dirty_bytes(), all);
	superslab_expire();
	use_and_put(test, crowd);
	superslab_expire();
	KUNIT_EXPECT_EQ(test, dirty_bytes(), all);
	superslab_expire();
	KUNIT_EXPECT_LE(test, dirty_bytes(), RETAIN_BYTES);
	KUNIT_EXPECT_GT(test, dirty_bytes() + 31 * SLAB_SIZE, RETAIN_BYTES);
	free(crowd);
}

static size_t bounced_bytes(void)
{
	struct superslab_usage usage;

	superslab_usage(&usage);
	return usage.bounced;
}

/* Memory that only comes or only goes does not bounce. */
static void missed_units_are_counted(struct kunit *test)
{
	struct superslab **crowd = malloc(CROWD * sizeof(*crowd));
	size_t before;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	superslab_reclaim();
	use_and_put(test, crowd);
	before = bounced_bytes();
	superslab_reclaim();
	KUNIT_EXPECT_EQ(test, bounced_bytes(), before);
	use_and_put(test, crowd);
	KUNIT_EXPECT_GT(test, bounced_bytes(), before);
	free(crowd);
}

#define TRIMS		50
#define PEAK		200

/* A program that trims in a loop does not miss the sum of it all. */
static void missed_units_do_not_add_up(struct kunit *test)
{
	struct superslab **crowd = malloc(CROWD * sizeof(*crowd));
	struct superslab *peak[PEAK];
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	reclaim_set_decay_ms(60000);
	for (i = 0; i < TRIMS; i++) {
		use_and_put(test, crowd);
		superslab_reclaim();
	}
	for (i = 0; i < PEAK; i++)
		peak[i] = take_all(test);
	for (i = 0; i < PEAK; i++)
		superslab_put_units(peak[i], unit_mask(0, 32),
				    unit_mask(0, 32));
	KUNIT_EXPECT_LE(test, dirty_bytes(), max(IDLE_BYTES_MAX, RETAIN_BYTES) +
			2 * CROWD * SUPERSLAB_SIZE);
	free(crowd);
}

#define FRAGMENTED	1500
#define SLAB_PAIRS	2000

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Of slabs of two units, the best of some rounds. */
static double time_slab_pairs(struct kunit *test)
{
	double best = 1e9, start;
	struct slab *slab;
	int i, round;

	for (round = 0; round < 7; round++) {
		start = cpu_seconds();
		for (i = 0; i < SLAB_PAIRS; i++) {
			slab = slab_get(1, 2);
			KUNIT_ASSERT_NOT_NULL(test, slab);
			slab_put(slab);
		}
		best = min(best, cpu_seconds() - start);
	}
	return best;
}

/* A search through superslabs without room would show: 1500 of them. */
static void fragments_do_not_slow_down(struct kunit *test)
{
	struct superslab *superslab;
	double empty, fragmented;
	unsigned int i, j;

	empty = time_slab_pairs(test);
	for (i = 0; i < FRAGMENTED; i++) {
		superslab = take_all(test);
		for (j = 0; j < SUPERSLAB_SLABS; j += 2)
			superslab_put_units(superslab, unit_mask(j, 1), 0);
	}
	fragmented = time_slab_pairs(test);
	kunit_info(test, "%.0f ns without, %.0f with %u fragmented ones",
		   empty / SLAB_PAIRS * 1e9, fragmented / SLAB_PAIRS * 1e9,
		   FRAGMENTED);
	KUNIT_EXPECT_LT(test, fragmented, 10 * empty + 1e-3);
}

static const struct kunit_case slabs_cases[] = {
	KUNIT_CASE(tightest_run_is_taken),
	KUNIT_CASE(neighbouring_units_join),
	KUNIT_CASE(units_come_back_as_told),
	KUNIT_CASE(touched_superslabs_go_first),
	KUNIT_CASE(purged_units_read_as_zero),
	KUNIT_CASE(idle_units_expire),
	KUNIT_CASE(missed_units_are_counted),
	KUNIT_CASE(missed_units_do_not_add_up),
	KUNIT_CASE(fragments_do_not_slow_down),
	{}
};

static const struct kunit_suite slabs_suite = {
	.name = "slabs",
	.init = start_allocator,
	.test_cases = slabs_cases,
};
kunit_test_suite(slabs_suite);

/* Three units with four objects, so that two share a unit: 48 KiB. */
#define SHARED		((unsigned int)CLASS_OF(48 * KIB))
#define SHARED_SIZE	(48 * KIB)

/* The objects of a slab, in order; all are taken. */
static void take_slab(struct kunit *test, void **objs)
{
	unsigned int i, n;

	for (n = 0; n < 4; n += i) {
		i = slab_pool_refill(SHARED, objs + n, 4 - n);
		KUNIT_ASSERT_GE(test, i, 1);
	}
	for (i = 1; i < 4; i++)
		KUNIT_ASSERT_PTR_EQ(test, objs[i], (char *)objs[i - 1] +
				    SHARED_SIZE);
}

static uint64_t dirty_map(const void *obj)
{
	return slab_of(registry_superslab(obj), obj)->dirty_map;
}

static void put(void *obj)
{
	slab_pool_drain(SHARED, &obj, 1);
}

static void *get(struct kunit *test)
{
	void *obj;

	KUNIT_ASSERT_EQ(test, slab_pool_refill(SHARED, &obj, 1), 1);
	return obj;
}

/* Through taking, putting, purging and the slab's own end. */
static void dirty_objects_are_known(struct kunit *test)
{
	struct superslab_usage usage;
	size_t bytes = 0;
	void *objs[4];

	need_retained(test, 1);
	take_slab(test, objs);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 0);
	memset(objs[1], 1, SHARED_SIZE);
	memset(objs[2], 1, SHARED_SIZE);
	put(objs[1]);
	put(objs[2]);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 6);
	KUNIT_EXPECT_FALSE(test, slab_pool_is_clean(SHARED, get(test)));
	put(objs[1]);
	KUNIT_EXPECT_EQ(test, slab_pool_reclaim(&bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, 2 * SHARED_SIZE);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 0);
	KUNIT_EXPECT_PTR_EQ(test, get(test), objs[1]);
	KUNIT_EXPECT_TRUE(test, slab_pool_is_clean(SHARED, objs[1]));
	KUNIT_EXPECT_TRUE(test, bytes_are(objs[1], 2 * SHARED_SIZE, 0));
	/* Of the first unit object 1 has the end, and it is back by now. */
	put(objs[1]);
	put(objs[0]);
	bytes = 0;
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, 2 * SHARED_SIZE);
	put(objs[3]);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, usage.mapped);
	KUNIT_EXPECT_EQ(test, usage.dirty, SLAB_SIZE);
}

/* They are paid for, wherever in the slab they are. */
static void dirty_objects_go_first(struct kunit *test)
{
	size_t bytes = 0;
	void *objs[4];

	take_slab(test, objs);
	put(objs[0]);
	slab_pool_reclaim(&bytes);
	put(objs[2]);
	KUNIT_EXPECT_PTR_EQ(test, get(test), objs[2]);
	KUNIT_EXPECT_PTR_EQ(test, get(test), objs[0]);
}

/* A unit of another class is dirt in each object that lies in it. */
static void dirty_units_are_dirty_objects(struct kunit *test)
{
	unsigned int i;
	void *objs[4];
	struct slab *slab = slab_get(1, 1);

	need_retained(test, 1);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	memset((void *)slab->base, 1, SLAB_SIZE);
	slab_put(slab);
	take_slab(test, objs);
	KUNIT_ASSERT_PTR_EQ(test, objs[0], (void *)slab->base);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 3);
	for (i = 2; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, bytes_are(objs[i], SHARED_SIZE, 0));
}

#define PURGED_SLABS	8000

/* Free one object of each slab and purge it. Return: seconds for that. */
static double time_purges(struct kunit *test, void *(*slabs)[4],
			  unsigned int index)
{
	size_t bytes = 0;
	double start;
	unsigned int i;

	for (i = 0; i < PURGED_SLABS; i++)
		put(slabs[i][index]);
	start = cpu_seconds();
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, PURGED_SLABS * SHARED_SIZE);
	return cpu_seconds() - start;
}

/* A search through slabs that were purged before would show. */
static void purged_slabs_do_not_slow_down(struct kunit *test)
{
	void *(*slabs)[4] = malloc(PURGED_SLABS * sizeof(*slabs));
	double first, second;
	unsigned int i;

	need_retained(test, 1);
	KUNIT_ASSERT_NOT_NULL(test, slabs);
	for (i = 0; i < PURGED_SLABS; i++)
		take_slab(test, slabs[i]);
	first = time_purges(test, slabs, 0);
	second = time_purges(test, slabs, 2);
	kunit_info(test, "%.0f ns each, then %.0f", first / PURGED_SLABS * 1e9,
		   second / PURGED_SLABS * 1e9);
	KUNIT_EXPECT_LT(test, second, 4 * first + 2e-3);
	free(slabs);
}

/* The first class whose slabs end in the midst of a unit. */
static void tail_of_a_slab_is_purged_too(struct kunit *test)
{
	unsigned int class = PAGED_CLASS_FIRST, i, units;
	size_t bytes = 0, size;
	struct slab *slab;
	char *tail;
	void *objs[64];

	while (class_units(class) * SLAB_SIZE % class_size(class) == 0)
		class++;
	units = class_units(class);
	size = class_size(class);
	slab = slab_get(1, units);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	tail = (char *)slab->base + units * SLAB_SIZE - 1;
	memset((void *)slab->base, 1, units * SLAB_SIZE);
	slab_put(slab);
	for (i = 0; i < units * SLAB_SIZE / size; i++)
		KUNIT_ASSERT_EQ(test, slab_pool_refill(class, &objs[i], 1), 1);
	KUNIT_ASSERT_PTR_EQ(test, slab_of(registry_superslab(tail), tail),
			    slab);
	/* All but one are purged, the last with what is behind it. */
	slab_pool_drain(class, objs + 1, i - 1);
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, (i - 1) * size);
	KUNIT_EXPECT_EQ(test, *tail, 0);
}

static void refuse_purges(struct kunit *test)
{
	static const struct fault_plan plan = {
		.calls = VM_CALL_BIT(VM_CALL_PURGE), .first = 1, .interval = 1,
	};

	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	fault_set(&plan);
}

/* What the kernel will not take stays, as dirty as it was. */
static void refused_purges_lose_nothing(struct kunit *test)
{
	struct superslab_usage usage;
	void *objs[4], *again[4];
	size_t bytes = 0;

	refuse_purges(test);
	take_slab(test, objs);
	memset(objs[0], 1, 4 * SHARED_SIZE);
	put(objs[2]);
	put(objs[1]);
	slab_pool_expire();
	slab_pool_expire();
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_GE(test, fault_strikes_so_far(), 2);
	KUNIT_EXPECT_EQ(test, bytes, 0);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 6);
	again[1] = get(test);
	again[2] = get(test);
	KUNIT_EXPECT_PTR_EQ(test, again[1], objs[1]);
	KUNIT_EXPECT_PTR_EQ(test, again[2], objs[2]);
	KUNIT_EXPECT_FALSE(test, slab_pool_is_clean(SHARED, again[1]));
	KUNIT_EXPECT_TRUE(test, bytes_are(objs[0], 4 * SHARED_SIZE, 1));
	/* And once the kernel is willing: */
	put(objs[1]);
	put(objs[2]);
	fault_set(NULL);
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, 2 * SHARED_SIZE);
	KUNIT_EXPECT_TRUE(test, bytes_are(objs[1], 2 * SHARED_SIZE, 0));
	put(objs[0]);
	put(objs[3]);
	superslab_reclaim();
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, 0);
}

static void refused_purges_of_units(struct kunit *test)
{
	struct superslab *superslab = take_all(test);
	struct superslab_usage usage;
	unsigned int first;
	uint32_t dirty;

	need_retained(test, 3);
	superslab_put_units(superslab, unit_mask(1, 9), unit_mask(2, 3));
	refuse_purges(test);
	KUNIT_EXPECT_EQ(test, superslab_reclaim(), 0);
	KUNIT_EXPECT_GE(test, fault_strikes_so_far(), 1);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, 9 * SLAB_SIZE);
	KUNIT_EXPECT_EQ(test, usage.dirty, 3 * SLAB_SIZE);
	take(test, 9, &first, &dirty);
	KUNIT_EXPECT_EQ(test, first, 1);
	KUNIT_EXPECT_EQ(test, dirty, unit_mask(2, 3));
}

/* Objects that were used since the last call stay. */
static void busy_objects_do_not_expire(struct kunit *test)
{
	void *objs[4];

	take_slab(test, objs);
	put(objs[2]);
	put(objs[3]);
	slab_pool_expire();
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 12);
	get(test);
	get(test);
	put(objs[2]);
	put(objs[3]);
	slab_pool_expire();
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 12);
	slab_pool_expire();
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 0);
}

static const struct kunit_case objects_cases[] = {
	KUNIT_CASE(dirty_objects_are_known),
	KUNIT_CASE(dirty_objects_go_first),
	KUNIT_CASE(purged_slabs_do_not_slow_down),
	KUNIT_CASE(dirty_units_are_dirty_objects),
	KUNIT_CASE(tail_of_a_slab_is_purged_too),
	KUNIT_CASE(refused_purges_lose_nothing),
	KUNIT_CASE(refused_purges_of_units),
	KUNIT_CASE(busy_objects_do_not_expire),
	{}
};

static const struct kunit_suite objects_suite = {
	.name = "objects",
	.init = start_allocator,
	.test_cases = objects_cases,
};
kunit_test_suite(objects_suite);
