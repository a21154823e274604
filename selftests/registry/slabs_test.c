// SPDX-License-Identifier: MIT
/*
 * Units: where they are found, and what is known to be touched.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kunit.h"
#include "lib/lock_stats.h"
#include "memory.h"
#include "mm/fault.h"
#include "mm/reclaim.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "retained.h"
#include "units.h"

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

static struct superslab_usage usage_now(void)
{
	struct superslab_usage usage;

	superslab_usage(&usage);
	return usage;
}

/* Only what nobody wanted since the last time goes, and not all of it. */
static void idle_units_expire(struct kunit *test)
{
	struct superslab **crowd = malloc(CROWD * sizeof(*crowd));
	const size_t all = CROWD * 31 * SLAB_SIZE;
	const size_t retain = reclaim_retain(CROWD * SUPERSLAB_SIZE);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	/* The first time too much is touched, it goes at once, not again. */
	reclaim_set_decay_ms(60000);
	for (i = 0; i < CROWD; i++)
		take_all(test);
	use_and_put(test, crowd);
	use_and_put(test, crowd);
	KUNIT_ASSERT_EQ(test, usage_now().dirty, all);
	superslab_expire();
	use_and_put(test, crowd);
	superslab_expire();
	KUNIT_EXPECT_EQ(test, usage_now().dirty, all);
	superslab_expire();
	KUNIT_EXPECT_LE(test, usage_now().dirty, retain);
	KUNIT_EXPECT_GT(test, usage_now().dirty + 31 * SLAB_SIZE, retain);
	free(crowd);
}

/* Memory that only comes or only goes does not bounce. */
static void missed_units_are_counted(struct kunit *test)
{
	struct superslab **crowd = malloc(CROWD * sizeof(*crowd));
	size_t before;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	superslab_reclaim();
	use_and_put(test, crowd);
	before = usage_now().bounced;
	superslab_reclaim();
	KUNIT_EXPECT_EQ(test, usage_now().bounced, before);
	use_and_put(test, crowd);
	KUNIT_EXPECT_GT(test, usage_now().bounced, before);
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
	KUNIT_EXPECT_LE(test, usage_now().dirty,
			max(IDLE_BYTES_MAX, RETAIN_BYTES) +
			2 * CROWD * SUPERSLAB_SIZE);
	free(crowd);
}

#define FORKS		200

static bool enough_forks;

static void *take_and_put(void *unused)
{
	struct superslab *superslab;
	unsigned int first;
	uint32_t dirty;

	while (!READ_ONCE(enough_forks)) {
		superslab = superslab_take_units(1, false, &first,
						 &dirty);
		if (superslab)
			superslab_put_units(superslab, unit_mask(first, 1), 0);
	}
	return unused;
}

/*
 * As when a signal handler forks before they are a slab, while another thread
 * has the lock: the child goes on with them.
 */
static void units_in_hand_stay_there(struct kunit *test)
{
	struct superslab *superslab;
	unsigned int first, i;
	pthread_t thread;
	uint32_t dirty, mine;
	int status = -1;

	superslab = take(test, 5, &first, &dirty);
	mine = unit_mask(first, 5);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, take_and_put,
					     NULL), 0);
	for (i = 0; i < FORKS; i++) {
		pid_t child = fork();

		if (!child)
			_exit(superslab->free_units & mine ? 1 : 0);
		KUNIT_ASSERT_EQ(test, waitpid(child, &status, 0), child);
		KUNIT_ASSERT_EQ(test, status, 0);
	}
	WRITE_ONCE(enough_forks, true);
	pthread_join(thread, NULL);
	superslab_put_units(superslab, mine, 0);
}

#define FRAGMENTED	1500
#define SLAB_PAIRS	2000

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

static void *reclaim(void *arg)
{
	superslab_reclaim();
	return arg;
}

static struct lock *find_lock(const char *name)
{
	struct lock_stats stats = { .at = NULL };

	while (lock_stats_next(&stats)) {
		if (strstr(stats.name, name))
			return (struct lock *)(uintptr_t)stats.at;
	}
	return NULL;
}

static size_t free_units(void)
{
	struct superslab_usage usage;

	superslab_usage(&usage);
	return usage.free / SLAB_SIZE;
}

/* Whoever forks has given some back since another thread took its own out. */
static void units_on_their_way_come_back_in_a_child(struct kunit *test)
{
	struct superslab *empty, *part;
	struct lock *grow_lock;
	pthread_t thread;
	int status;
	pid_t pid;

	if (!IS_ENABLED(CONFIG_HAKMEM_LOCK_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_LOCK_STATS is not set");
	lock_stats_start();
	empty = take_all(test);
	part = take_all(test);
	superslab_put_units(part, unit_mask(3, 2), unit_mask(3, 2));
	superslab_put_units(empty, unit_mask(0, 32), 0);
	grow_lock = find_lock("grow_lock");
	KUNIT_ASSERT_NOT_NULL(test, grow_lock);
	KUNIT_ASSERT_EQ(test, free_units(), 34);

	lock_acquire(grow_lock);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, reclaim, NULL), 0);
	while (free_units() != 2)
		sched_yield();
	KUNIT_EXPECT_EQ(test, superslab_reclaim(), 2 * SLAB_SIZE);
	pid = fork();
	/* Those in no slab and in no other thread's hand are free there. */
	if (!pid)
		_exit(free_units() == 64 ? 0 : 1);
	lock_release(grow_lock);
	pthread_join(thread, NULL);
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	KUNIT_EXPECT_EQ(test, status, 0);
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
	KUNIT_CASE(units_in_hand_stay_there),
	KUNIT_CASE(units_on_their_way_come_back_in_a_child),
	KUNIT_CASE(fragments_do_not_slow_down),
	{}
};

static const struct kunit_suite slabs_suite = {
	.name = "slabs",
	.init = start_allocator,
	.test_cases = slabs_cases,
};
kunit_test_suite(slabs_suite);
