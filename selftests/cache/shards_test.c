// SPDX-License-Identifier: MIT
/*
 * Depots of many processors: what holds of one holds of all its shards
 * together. Each thread says here where it runs.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../mm/cache/depot.h"
#include "../../mm/cache/magazine.h"
#include "kunit.h"
#include "memory.h"
#include "mm/init.h"
#include "mm/tier.h"

#define CPUS		64
#define SHARDS		16
#define CPUS_PER_SHARD	(CPUS / SHARDS)
#define DEPTH		10U
#define LIMIT		(SHARDS * DEPTH * 4U)
#define OBJECTS		(2 * LIMIT)
#define FORKS		100

static unsigned int class;
static void *objs[OBJECTS];

static __thread int cpu_here;

int sched_getcpu(void)
{
	return cpu_here;
}

/* A class with short magazines and a depot that is soon full. */
static int spread(struct kunit *test)
{
	init_ensure();
	if (depot_spread(CPUS) != SHARDS)
		kunit_skip(test, "CONFIG_HAKMEM_DEPOT_SHARDS is too low");
	for (class = 1; class < NR_CLASSES && !class_tier(class); class++)
		;
	if (class == NR_CLASSES)
		kunit_skip(test, "no tier with objects is configured");
	class_limits[class] = (struct class_limits){ DEPTH, DEPTH, LIMIT };
	return 0;
}

static size_t outstanding(void)
{
	struct tier_stats stats;

	class_tier(class)->stats(class, &stats);
	return stats.refilled - stats.drained;
}

static void allocate(struct kunit *test, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		objs[i] = cache_alloc(class);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
}

/* From processors that are @step apart. */
static void release(size_t n, int step)
{
	size_t i;

	for (i = 0; i < n; i++) {
		cpu_here = (int)(i * (unsigned int)step % CPUS);
		cache_free(class, objs[i]);
	}
}

static void processors_have_shards(struct kunit *test)
{
	static const unsigned int wanted[][2] = {
		{ 0, 1 }, { 1, 1 }, { 2, 1 }, { 4, 1 }, { 5, 2 }, { 8, 2 },
		{ 9, 4 }, { 16, 4 }, { 64, 16 }, { 128, 32 }, { 1024, 32 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wanted); i++)
		KUNIT_EXPECT_EQ(test, depot_spread(wanted[i][0]),
				min(wanted[i][1],
				    (unsigned int)CONFIG_HAKMEM_DEPOT_SHARDS));
}

static void limit_is_that_of_all(struct kunit *test)
{
	allocate(test, OBJECTS);
	release(OBJECTS, 1);
	KUNIT_EXPECT_LE(test, depot_objects(class), LIMIT);
	KUNIT_EXPECT_GE(test, depot_objects(class), LIMIT - SHARDS * DEPTH);
	KUNIT_EXPECT_EQ(test, outstanding(), cache_objects(class));
}

/* Neighbours take what one processor has no room for. */
static void one_processor_may_use_it_all(struct kunit *test)
{
	allocate(test, OBJECTS);
	release(OBJECTS, 0);
	KUNIT_EXPECT_LE(test, depot_objects(class), LIMIT);
	KUNIT_EXPECT_GE(test, depot_objects(class), LIMIT - SHARDS * DEPTH);
}

/* With magazines so deep that not every shard may have one. */
static void deep_magazines_find_room(struct kunit *test)
{
	class_limits[class].magazine = MAGAZINE_SIZE_MAX;
	class_limits[class].refill = MAGAZINE_SIZE_MAX;
	allocate(test, OBJECTS);
	release(OBJECTS, 1);
	KUNIT_EXPECT_LE(test, depot_objects(class), LIMIT);
	KUNIT_EXPECT_GE(test, depot_objects(class), LIMIT / 2);
	cpu_here = CPUS - 1;
	allocate(test, OBJECTS);
	KUNIT_EXPECT_EQ(test, depot_objects(class), 0);
}

/* What one processor left, another one finds, before the tier is asked. */
static void empty_shards_steal(struct kunit *test)
{
	struct tier_stats before, after;
	int from, to;

	allocate(test, OBJECTS);
	for (from = 0; from < CPUS; from += CPUS_PER_SHARD) {
		to = (from + 29) % CPUS;
		release(OBJECTS / 4, 0);
		cpu_here = to;
		class_tier(class)->stats(class, &before);
		allocate(test, OBJECTS / 4);
		class_tier(class)->stats(class, &after);
		KUNIT_EXPECT_EQ(test, after.refills, before.refills);
	}
}

static void idle_shards_expire(struct kunit *test)
{
	int i;

	allocate(test, LIMIT);
	release(LIMIT, 7);
	KUNIT_EXPECT_GT(test, depot_objects(class), SHARDS * DEPTH);
	for (i = 0; i < 2; i++)
		cache_expire();
	KUNIT_EXPECT_EQ(test, depot_objects(class), 0);
	cache_reclaim();
	KUNIT_EXPECT_EQ(test, outstanding(), 0);
}

static void shards_are_reclaimed(struct kunit *test)
{
	allocate(test, LIMIT);
	release(LIMIT, 3);
	KUNIT_EXPECT_EQ(test, cache_reclaim(), LIMIT);
	KUNIT_EXPECT_EQ(test, depot_objects(class), 0);
	KUNIT_EXPECT_EQ(test, outstanding(), 0);
}

/* --- Threads -------------------------------------------------------------- */

static atomic_bool stop;

/* On ever other processors, more objects come and go than magazines hold. */
static void *wander(void *arg)
{
	static atomic_uint threads;
	struct prng prng = { atomic_fetch_add(&threads, 1) };
	void *held[5 * DEPTH];
	size_t i, n;

	while (!atomic_load(&stop)) {
		cpu_here = (int)prng_below(&prng, CPUS);
		n = 1 + prng_below(&prng, ARRAY_LENGTH(held));
		for (i = 0; i < n; i++) {
			held[i] = cache_alloc(class);
			KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, held[i]);
		}
		cpu_here = (int)prng_below(&prng, CPUS);
		for (i = 0; i < n; i++)
			cache_free(class, held[i]);
	}
	return NULL;
}

static void start(struct kunit *test, pthread_t *threads, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL, wander,
						     test), 0);
}

static void join(pthread_t *threads, size_t n)
{
	atomic_store(&stop, true);
	while (n)
		pthread_join(threads[--n], NULL);
}

static void wanderers_lose_nothing(struct kunit *test)
{
	pthread_t threads[4];
	int i;

	start(test, threads, ARRAY_LENGTH(threads));
	for (i = 0; i < 100; i++) {
		usleep(2000);
		KUNIT_EXPECT_LE(test, depot_objects(class), LIMIT + DEPTH);
		cache_expire();
	}
	join(threads, ARRAY_LENGTH(threads));
	KUNIT_EXPECT_EQ(test, outstanding(), cache_objects(class));
	cache_reclaim();
	KUNIT_EXPECT_EQ(test, outstanding(), 0);
}

/* Return: an exit code. */
static int use_in_child(void)
{
	size_t i;

	cache_reclaim();
	if (depot_objects(class))
		return 1;
	for (i = 0; i < LIMIT; i++) {
		objs[i] = cache_alloc(class);
		if (!objs[i])
			return 2;
	}
	release(LIMIT, 5);
	return depot_objects(class) > LIMIT ? 3 : 0;
}

/* Threads that the child has not got were anywhere between two stores. */
static void forked_child_repairs_shards(struct kunit *test)
{
	pthread_t threads[3];
	int i, status;
	pid_t pid;

	kunit_need_plain(test);
	start(test, threads, ARRAY_LENGTH(threads));
	for (i = 0; i < FORKS; i++) {
		pid = fork();
		KUNIT_ASSERT_GE(test, pid, 0);
		if (!pid)
			_exit(use_in_child());
		waitpid(pid, &status, 0);
		KUNIT_EXPECT_EQ(test, status, 0);
	}
	join(threads, ARRAY_LENGTH(threads));
}

static const struct kunit_case shards_cases[] = {
	KUNIT_CASE(processors_have_shards),
	KUNIT_CASE(limit_is_that_of_all),
	KUNIT_CASE(one_processor_may_use_it_all),
	KUNIT_CASE(deep_magazines_find_room),
	KUNIT_CASE(empty_shards_steal),
	KUNIT_CASE(idle_shards_expire),
	KUNIT_CASE(shards_are_reclaimed),
	KUNIT_CASE(wanderers_lose_nothing),
	KUNIT_CASE(forked_child_repairs_shards),
	{}
};

static const struct kunit_suite shards_suite = {
	.name = "shards",
	.init = spread,
	.test_cases = shards_cases,
};
kunit_test_suite(shards_suite);
