// SPDX-License-Identifier: MIT
/*
 * The cache layer: magazines and depots in front of the tiers.
 *
 * Most cases rest on one law: what the tier gave out and has not got back is
 * either with the program or in a magazine.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../mm/cache/depot.h"
#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/cache.h"
#include "mm/init.h"
#include "mm/tier.h"

#define DEPOT_BYTES	((size_t)CONFIG_HAKMEM_DEPOT_KB * KIB)

/* A class with short magazines and one with long ones. */
static unsigned int small_class, big_class;

static int find_classes(struct kunit *test)
{
	unsigned int class;

	init_ensure();
	for (class = 1; class < NR_CLASSES; class++) {
		if (!class_tier(class))
			continue;
		small_class = small_class ? small_class : class;
		big_class = class;
	}
	if (!small_class)
		kunit_skip(test, "no tier with objects is configured");
	return 0;
}

static size_t outstanding(unsigned int class)
{
	struct tier_stats stats;

	class_tier(class)->stats(class, &stats);
	return stats.refilled - stats.drained;
}

static size_t tier_calls(unsigned int class)
{
	struct tier_stats stats;

	class_tier(class)->stats(class, &stats);
	return stats.refills + stats.drains;
}

static void need_counters(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_STATS is not set");
}

static void expect_all_accounted(struct kunit *test, unsigned int class,
				 size_t live)
{
	KUNIT_EXPECT_EQ(test, outstanding(class), live + cache_objects(class));
}

static void allocate(struct kunit *test, unsigned int class, void **objs,
		     size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		objs[i] = cache_alloc(class);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
}

static void release(unsigned int class, void **objs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		cache_free(class, objs[i]);
}

static void limits_have_their_bounds(struct kunit *test)
{
	unsigned int class;

	for (class = 1; class <= big_class; class++) {
		struct class_limits limits = class_limits_default(class);
		size_t size = class_size(class);

		KUNIT_EXPECT_LE(test, limits.magazine,
				CONFIG_HAKMEM_MAGAZINE_SIZE);
		if (limits.magazine != 1 ||
		    size > CONFIG_HAKMEM_MAGAZINE_SINGLE_KB * KIB)
			KUNIT_EXPECT_LE(test, limits.magazine * size,
					CONFIG_HAKMEM_MAGAZINE_KB * KIB);
		KUNIT_EXPECT_LE(test, limits.refill, limits.magazine);
		KUNIT_EXPECT_EQ(test, !limits.refill, !limits.magazine);
		KUNIT_EXPECT_LE(test, limits.depot * size, DEPOT_BYTES);
	}
}

#define MANY	20000

static void *many[MANY];

/* As many as a machine surely has address space for. */
static size_t how_many(unsigned int class)
{
	return min((size_t)MANY, 512 * MIB / class_size(class));
}

static void set_magazine(unsigned int class, unsigned int magazine)
{
	class_limits[class].magazine = magazine;
	class_limits[class].refill = magazine;
}

/* Magazines of all depths that a class had are in use at the same time. */
static void limits_change_at_any_time(struct kunit *test)
{
	static const unsigned int depths[] = { 1, 124, 0, 2, 60, 0, 0, 7, 3 };
	static void *objs[ARRAY_LENGTH(depths)][300];
	unsigned int i, round;

	need_counters(test);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_LENGTH(depths); i++) {
			set_magazine(small_class, depths[i]);
			allocate(test, small_class, objs[i], 300);
		}
		for (i = 0; i < ARRAY_LENGTH(depths); i++) {
			expect_all_accounted(test, small_class,
					     (ARRAY_LENGTH(depths) - i) * 300);
			set_magazine(small_class, depths[(i + round) %
						ARRAY_LENGTH(depths)]);
			release(small_class, objs[i], 300);
		}
	}
	cache_reclaim();
	KUNIT_EXPECT_EQ(test, outstanding(small_class), 0);
}

/* With no magazines, every object comes from the tier and goes back there. */
static void class_without_magazines(struct kunit *test)
{
	void *objs[100];

	need_counters(test);
	set_magazine(small_class, 0);
	allocate(test, small_class, objs, 100);
	KUNIT_EXPECT_EQ(test, outstanding(small_class), 100);
	release(small_class, objs, 100);
	KUNIT_EXPECT_EQ(test, outstanding(small_class), 0);
	KUNIT_EXPECT_EQ(test, cache_objects(small_class), 0);
}

static void nudge(unsigned int class)
{
	void *obj = cache_alloc_slow(class);

	cache_free(class, obj);
}

/* What lay idle from one call of cache_expire() to the next goes home. */
static void idle_magazines_expire(struct kunit *test)
{
	unsigned int other = small_class + 1;
	int i;

	need_counters(test);
	if (!class_tier(other) || !class_limits_default(other).magazine)
		kunit_skip(test, "needs two classes with magazines");
	allocate(test, small_class, many, 1000);
	release(small_class, many, 1000);
	KUNIT_EXPECT_GT(test, cache_objects(small_class), 0);
	for (i = 0; i < 4; i++) {
		cache_begin_epoch();
		cache_expire();
		nudge(other);
		cache_tend(0);
	}
	KUNIT_EXPECT_EQ(test, cache_objects(small_class), 0);
	KUNIT_EXPECT_EQ(test, outstanding(small_class), 0);
}

static void boot_cache_is_empty_and_full(struct kunit *test)
{
	const struct cache_tables *tables = cache_tables_base();
	unsigned int class;

	KUNIT_ASSERT_PTR_EQ(test, cache_self(tables), &tables->boot);
	for (class = 0; class < NR_REGISTRY_CLASSES; class++) {
		KUNIT_EXPECT_NULL(test, cache_pop(tables, class));
		KUNIT_EXPECT_FALSE(test, cache_push(tables, class, test));
	}
}

/* What was pushed last is popped first, and the tier hears nothing of it. */
static void magazine_is_a_stack(struct kunit *test)
{
	unsigned int n = class_limits[small_class].magazine / 2, i, round;
	void *objs[MAGAZINE_WORDS];
	size_t calls;

	need_counters(test);
	allocate(test, small_class, objs, n);
	release(small_class, objs, n);
	calls = tier_calls(small_class);
	for (round = 0; round < 1000; round++) {
		for (i = n; i-- > 0;)
			KUNIT_ASSERT_PTR_EQ(test, cache_alloc(small_class),
					    objs[i]);
		release(small_class, objs, n);
	}
	KUNIT_EXPECT_EQ(test, tier_calls(small_class), calls);
}

static void nothing_is_lost(struct kunit *test)
{
	unsigned int class;
	size_t n;

	need_counters(test);
	for (class = small_class; class <= big_class; class++) {
		if (!class_tier(class))
			continue;
		n = how_many(class);
		allocate(test, class, many, n);
		expect_all_accounted(test, class, n);
		release(class, many, n / 2);
		expect_all_accounted(test, class, n - n / 2);
		release(class, many + n / 2, n - n / 2);
		expect_all_accounted(test, class, 0);
		cache_reclaim();
		KUNIT_EXPECT_EQ(test, cache_objects(class), 0);
		KUNIT_EXPECT_EQ(test, outstanding(class), 0);
	}
}

/* Two magazines a thread, and CONFIG_HAKMEM_DEPOT_KB in the depot. */
static void caches_are_bounded(struct kunit *test)
{
	unsigned int class, step = big_class - small_class;

	for (class = small_class; class <= big_class; class += step + !step) {
		allocate(test, class, many, how_many(class));
		release(class, many, how_many(class));
		KUNIT_EXPECT_LE(test, cache_objects(class) * class_size(class),
				DEPOT_BYTES + 2 * class_limits[class].magazine *
				class_size(class));
		KUNIT_EXPECT_LE(test, depot_objects(class) * class_size(class),
				DEPOT_BYTES);
	}
}

static void reclaim_says_how_many(struct kunit *test)
{
	size_t count;

	allocate(test, small_class, many, 1000);
	release(small_class, many, 1000);
	count = cache_objects(small_class);
	KUNIT_EXPECT_EQ(test, !count, !class_limits[small_class].magazine);
	if (count && 1000 * class_size(small_class) <= DEPOT_BYTES)
		KUNIT_EXPECT_GE(test, count, 1000);
	KUNIT_EXPECT_EQ(test, cache_reclaim(), count);
	KUNIT_EXPECT_EQ(test, cache_reclaim(), 0);
}

static void run_thread(struct kunit *test, void *(*fn)(void *arg))
{
	pthread_t thread;

	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, fn, test), 0);
	pthread_join(thread, NULL);
}

#define SINGLES_BYTES	((size_t)CONFIG_HAKMEM_MAGAZINE_SINGLES_KB * KIB)

/* Of which a magazine may hold one, though it is more than others hold. */
static bool is_single(unsigned int class)
{
	return class_tier(class) && class_limits[class].magazine == 1 &&
	       class_size(class) > CONFIG_HAKMEM_MAGAZINE_KB * KIB &&
	       class_size(class) <= SINGLES_BYTES;
}

static unsigned int first_single(struct kunit *test)
{
	unsigned int class;

	for (class = small_class; class <= big_class; class++) {
		if (is_single(class) && is_single(class + 2))
			return class;
	}
	kunit_skip(test, "no magazine holds a single object");
	return 0;
}

static void make_pairs(struct kunit *test, unsigned int class, size_t n)
{
	void *obj;

	for (; n; n--) {
		allocate(test, class, &obj, 1);
		release(class, &obj, 1);
	}
}

static size_t bytes_of_singles(void)
{
	unsigned int class;
	size_t bytes = 0;

	for (class = small_class; class <= big_class; class++) {
		if (is_single(class))
			bytes += cache_objects(class) * class_size(class);
	}
	return bytes;
}

static void pairs_of_singles(struct kunit *test, unsigned int first, size_t n)
{
	unsigned int class;

	for (class = first; class <= big_class; class++) {
		if (is_single(class))
			make_pairs(test, class, n);
	}
}

/* One large size, or two in turns, are the thread's own affair. */
static void wanted_singles_wait(struct kunit *test)
{
	unsigned int first = first_single(test);
	size_t calls;
	int i;

	need_counters(test);
	for (i = 0; i < 5; i++)
		make_pairs(test, first + (unsigned int)i % 2, 1);
	calls = tier_calls(first) + tier_calls(first + 1);
	for (i = 0; i < 1000; i++)
		make_pairs(test, first + (unsigned int)i % 2, 1);
	KUNIT_EXPECT_LE(test, tier_calls(first) + tier_calls(first + 1),
			calls + 4);
}

/* Many sizes in turns share what the tier has. */
static void other_singles_do_not(struct kunit *test)
{
	unsigned int first = first_single(test), round;

	pairs_of_singles(test, first, 1);
	cache_reclaim();
	for (round = 0; round < 10; round++)
		pairs_of_singles(test, first, 1);
	KUNIT_EXPECT_EQ(test, bytes_of_singles(), 0);
}

static void singles_are_bounded(struct kunit *test)
{
	unsigned int first = first_single(test), round;

	for (round = 0; round < 3; round++)
		pairs_of_singles(test, first, 10);
	KUNIT_EXPECT_GT(test, bytes_of_singles(), 0);
	KUNIT_EXPECT_LE(test, bytes_of_singles(), SINGLES_BYTES);
}

static void *allocate_and_release(void *arg)
{
	void *objs[50];

	allocate(arg, small_class, objs, 50);
	release(small_class, objs, 50);
	return NULL;
}

/* A thread takes over the warm cache of the one before it. */
static void caches_are_inherited_warm(struct kunit *test)
{
	size_t most = class_limits[small_class].magazine, calls;
	int i;

	need_counters(test);
	if (!CONFIG_HAKMEM_PARKED_CACHES)
		kunit_skip(test, "no caches are parked");
	/* What is fetched too much, and what magazines and depot can hold */
	if (!most || 50 + most > 2 * most +
	    DEPOT_BYTES / class_size(small_class) / most * most)
		kunit_skip(test, "50 objects are more than is cached");
	run_thread(test, allocate_and_release);
	calls = tier_calls(small_class);
	for (i = 0; i < 200; i++)
		run_thread(test, allocate_and_release);
	KUNIT_EXPECT_EQ(test, tier_calls(small_class), calls);
	expect_all_accounted(test, small_class, 0);
}

#define CROWD	(CONFIG_HAKMEM_PARKED_CACHES + 20)

static pthread_barrier_t barrier;

static void *allocate_in_a_crowd(void *arg)
{
	void *objs[50];

	allocate(arg, small_class, objs, 50);
	pthread_barrier_wait(&barrier);
	release(small_class, objs, 50);
	pthread_barrier_wait(&barrier);
	return NULL;
}

/* More threads leave at once than are parked: the rest goes to the depot. */
static void surplus_caches_are_emptied(struct kunit *test)
{
	pthread_t threads[CROWD];
	int i, round;

	need_counters(test);
	for (round = 0; round < 3; round++) {
		pthread_barrier_init(&barrier, NULL, CROWD);
		for (i = 0; i < CROWD; i++)
			KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						allocate_in_a_crowd, test), 0);
		for (i = 0; i < CROWD; i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&barrier);
		expect_all_accounted(test, small_class, 0);
	}
	if (class_limits[small_class].magazine &&
	    class_limits[small_class].magazine <=
	    class_limits[small_class].depot)
		KUNIT_EXPECT_GT(test, depot_objects(small_class), 0);
	cache_reclaim();
	KUNIT_EXPECT_EQ(test, outstanding(small_class), 0);
}

static pthread_key_t late_key;

static void use_in_destructor(void *arg)
{
	size_t live = outstanding(small_class);
	void *obj;

	/* Set again: in the last round every cache of the thread is gone. */
	if (cache_self(cache_tables_base()) != &cache_detached) {
		pthread_setspecific(late_key, arg);
		return;
	}
	obj = cache_alloc(small_class);
	KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, obj);
	KUNIT_EXPECT_EQ((struct kunit *)arg, outstanding(small_class),
			live + 1);
	cache_free(small_class, obj);
	KUNIT_EXPECT_EQ((struct kunit *)arg, outstanding(small_class), live);
	many[0] = obj;
}

static void *leave_to_destructor(void *arg)
{
	allocate_and_release(arg);
	pthread_setspecific(late_key, arg);
	return NULL;
}

/* After its cache is gone a thread goes straight to the tier. */
static void detached_thread_bypasses_magazines(struct kunit *test)
{
	need_counters(test);
	pthread_key_create(&late_key, use_in_destructor);
	run_thread(test, leave_to_destructor);
	KUNIT_EXPECT_NOT_NULL(test, many[0]);
	expect_all_accounted(test, small_class, 0);
}

#define EXCHANGES	200000

static _Atomic(void *) slots[512];

/* Whoever finds an object in a slot frees it. */
static void *exchange(void *arg)
{
	static atomic_uint threads;
	struct prng prng = { atomic_fetch_add(&threads, 1) };
	size_t i;

	for (i = 0; i < EXCHANGES; i++) {
		void *obj = cache_alloc(small_class);

		KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, obj);
		obj = atomic_exchange(&slots[prng_below(&prng,
						ARRAY_LENGTH(slots))], obj);
		if (obj)
			cache_free(small_class, obj);
	}
	return NULL;
}

static void threads_lose_nothing(struct kunit *test)
{
	pthread_t threads[4];
	size_t i, live = 0;

	need_counters(test);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     exchange, test), 0);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < ARRAY_LENGTH(slots); i++)
		live += atomic_load(&slots[i]) != NULL;
	expect_all_accounted(test, small_class, live);
	for (i = 0; i < ARRAY_LENGTH(slots); i++)
		if (atomic_load(&slots[i]))
			cache_free(small_class, atomic_load(&slots[i]));
	cache_reclaim();
	KUNIT_EXPECT_EQ(test, outstanding(small_class), 0);
}

/* An idle process forks: the child's caches are what the parent's were. */
static void forked_child_keeps_the_caches(struct kunit *test)
{
	int status;
	pid_t pid;

	need_counters(test);
	allocate(test, small_class, many, 1000);
	release(small_class, many, 500);
	run_thread(test, allocate_and_release);
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid) {
		if (outstanding(small_class) != 500 +
		    cache_objects(small_class))
			_exit(1);
		release(small_class, many + 500, 500);
		cache_reclaim();
		_exit(outstanding(small_class) ? 2 : 0);
	}
	waitpid(pid, &status, 0);
	KUNIT_EXPECT_EQ(test, status, 0);
	expect_all_accounted(test, small_class, 500);
}

static const struct kunit_case cache_cases[] = {
	KUNIT_CASE(limits_have_their_bounds),
	KUNIT_CASE(limits_change_at_any_time),
	KUNIT_CASE(class_without_magazines),
	KUNIT_CASE(idle_magazines_expire),
	KUNIT_CASE(boot_cache_is_empty_and_full),
	KUNIT_CASE(magazine_is_a_stack),
	KUNIT_CASE(nothing_is_lost),
	KUNIT_CASE(caches_are_bounded),
	KUNIT_CASE(wanted_singles_wait),
	KUNIT_CASE(other_singles_do_not),
	KUNIT_CASE(singles_are_bounded),
	KUNIT_CASE(reclaim_says_how_many),
	KUNIT_CASE(caches_are_inherited_warm),
	KUNIT_CASE(surplus_caches_are_emptied),
	KUNIT_CASE(detached_thread_bypasses_magazines),
	KUNIT_CASE(threads_lose_nothing),
	KUNIT_CASE(forked_child_keeps_the_caches),
	{}
};

static const struct kunit_suite cache_suite = {
	.name = "cache",
	.init = find_classes,
	.test_cases = cache_cases,
};
kunit_test_suite(cache_suite);
