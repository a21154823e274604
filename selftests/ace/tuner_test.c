// SPDX-License-Identifier: MIT
/*
 * The controller: limits follow the load, within a second.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../mm/ace/policy.h"
#include "ace.h"
#include "mm/init.h"
#include "mm/large.h"
#include "mm/route.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"

/* What must happen in a second may take so many looks. */
#define LOOKS		10
#define FOLLOW_SECONDS	\
	(LOOKS * CONFIG_HAKMEM_ACE_TICK_MS > 1000 ?			\
	 LOOKS * CONFIG_HAKMEM_ACE_TICK_MS / 1000.0 : 1.0)

/* More than magazines hold, little enough for any machine. */
#define ROUND_OBJECTS	600
#define ROUND_BYTES	(32 * MIB)

/**
 * struct mix - a workload that changes its size
 * @before: bytes
 * @after: bytes
 */
struct mix {
	size_t before;
	size_t after;
};

static const struct mix mixes[] = {
	{ 4000, 100000 }, { 100000, 4000 }, { 900, 3000 }, { 20000, 900 },
	{ 1200, 500000 },
};

static void describe_mix(const void *param, char *text, size_t size)
{
	const struct mix *mix = param;

	snprintf(text, size, "%zu, then %zu bytes", mix->before, mix->after);
}

/* A burst of requests of a size, and as many frees. */
static void work(struct kunit *test, size_t size)
{
	static void *objs[ROUND_OBJECTS];
	size_t n = min((size_t)ROUND_OBJECTS, ROUND_BYTES / size), i;

	for (i = 0; i < n; i++) {
		objs[i] = hak_malloc(size);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	for (i = 0; i < n; i++)
		hak_free(objs[i]);
}

static bool limits_equal(const struct class_limits *a,
			 const struct class_limits *b)
{
	return a->magazine == b->magazine && a->refill == b->refill &&
	       a->depot == b->depot;
}

static bool at_base(unsigned int class)
{
	struct class_limits base = class_limits_default(class);

	return limits_equal(&base, &class_limits[class]);
}

static bool is_deeper(unsigned int class)
{
	return class_limits[class].magazine >
	       class_limits_default(class).magazine;
}

/* The configuration may allow the most from the first. */
static void need_room_to_grow(struct kunit *test, size_t size)
{
	unsigned int class = size_class(size);
	size_t most = min(ACE_MAGAZINE_BYTES / class_size(class),
			  (size_t)MAGAZINE_SIZE_MAX);

	if (!class_tier(class) || class_limits_default(class).magazine >= most)
		kunit_skip(test, "magazines of %zu bytes cannot grow", size);
}

/* Work until the limits are as they should be. Return: CPU seconds. */
static double work_until(struct kunit *test, size_t size, bool also_cold,
			 size_t cold)
{
	double start = ace_cpu_seconds(), spent;
	bool followed;

	do {
		work(test, size);
		followed = is_deeper(size_class(size)) &&
			   (!also_cold || at_base(size_class(cold)));
		spent = ace_cpu_seconds() - start;
	} while (!followed && spent < ace_patience(FOLLOW_SECONDS));
	KUNIT_EXPECT_MSG(test, followed, "%zu bytes: not in %.2f s, %u deep",
			 size, spent,
			 class_limits[size_class(size)].magazine);
	return spent;
}

static void change_of_sizes_is_followed(struct kunit *test)
{
	const struct mix *mix = test->param_value;
	double grown, changed;

	init_ensure();
	need_room_to_grow(test, mix->before);
	need_room_to_grow(test, mix->after);
	grown = work_until(test, mix->before, false, 0);
	KUNIT_EXPECT_TRUE(test, at_base(size_class(mix->after)));
	changed = work_until(test, mix->after, true, mix->before);
	kunit_info(test, "%.2f s to grow, %.2f s to change", grown, changed);
}

/* A load that stays has its limits settle, and they stay too. */
static void constant_load_is_left_alone(struct kunit *test)
{
	unsigned int class = size_class(4000), depth, changes = 0;
	double until;

	init_ensure();
	need_room_to_grow(test, 4000);
	for (until = seconds_now() + FOLLOW_SECONDS; seconds_now() < until;)
		work(test, 4000);
	depth = class_limits[class].magazine;
	for (until = seconds_now() + FOLLOW_SECONDS; seconds_now() < until;) {
		work(test, 4000);
		changes += class_limits[class].magazine != depth;
		depth = class_limits[class].magazine;
	}
	KUNIT_EXPECT_GT(test, depth, class_limits_default(class).magazine);
	/* One look may come late on a machine that others use. */
	KUNIT_EXPECT_LE(test, changes, 2);
}

static void slow_load_stays_at_base(struct kunit *test)
{
	double until = seconds_now() + FOLLOW_SECONDS;
	unsigned int class;

	while (seconds_now() < until) {
		hak_free(hak_malloc(100000));
		hak_free(hak_malloc(4000));
		usleep(50000);
	}
	for (class = 1; class < NR_CLASSES; class++)
		KUNIT_EXPECT_TRUE(test, at_base(class));
}

/* As if it were not built in. */
static void switched_off_it_does_nothing(struct kunit *test)
{
	double until = seconds_now() + FOLLOW_SECONDS;
	const struct tier_ops *gap;
	unsigned int class;

	setenv("HAKMEM_ACE_ENABLED", "0", 1);
	while (seconds_now() < until) {
		work(test, 4000);
		work(test, 100000);
	}
	KUNIT_EXPECT_FALSE(test, ace_is_on());
	for (class = 1; class < NR_CLASSES; class++)
		KUNIT_EXPECT_TRUE(test, at_base(class));
	for (class = BEYOND_TINY_CLASS; class < MID_CLASS_FIRST; class++) {
		gap = IS_ENABLED(CONFIG_HAKMEM_GAP_MID) ?
		      class_tier(MID_CLASS_LAST) : NULL;
		KUNIT_EXPECT_PTR_EQ(test, class_tier(class), gap);
	}
	for (class = max(BEYOND_TINY_CLASS, MID_CLASS_LAST + 1);
	     class < NR_CLASSES; class++)
		KUNIT_EXPECT_NULL(test, class_tier(class));
}

/* What hak_ace_stats() writes. */
static void capture_stats(struct kunit *test, char *text, size_t size)
{
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t got;

	KUNIT_ASSERT_EQ(test, pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	hak_ace_stats();
	dup2(saved, STDERR_FILENO);
	close(fds[1]);
	/* Less than a pipe holds: all of it is there. */
	got = read(fds[0], text, size - 1);
	KUNIT_ASSERT_GE(test, got, 1);
	text[got] = '\0';
	close(fds[0]);
	close(saved);
}

/* Return: the class of a line of the table, 0 if it is none. */
static unsigned int check_line(struct kunit *test, const char *line)
{
	struct class_limits base, now, expected;
	size_t size, rate;

	if (sscanf(line, "%zu %zu %u -> %u %u -> %u %u -> %u", &size, &rate,
		   &base.magazine, &now.magazine, &base.refill, &now.refill,
		   &base.depot, &now.depot) != 8)
		return 0;
	KUNIT_ASSERT_LE(test, size, SUPERSLAB_SIZE);
	expected = class_limits_default(size_class(size));
	KUNIT_EXPECT_TRUE(test, limits_equal(&base, &expected));
	KUNIT_EXPECT_TRUE(test, limits_equal(&now, &class_limits[
					     size_class(size)]));
	return size_class(size);
}

static void stats_name_classes_and_limits(struct kunit *test)
{
	bool seen[NR_CLASSES] = { false };
	char text[16384], *line, *rest;

	init_ensure();
	need_room_to_grow(test, 4000);
	work_until(test, 4000, false, 0);
	capture_stats(test, text, sizeof(text));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "ACE is on"));
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		seen[check_line(test, line)] = true;
	KUNIT_EXPECT_TRUE(test, seen[size_class(4000)]);
	KUNIT_EXPECT_FALSE(test, seen[size_class(20000)]);
}

static const size_t fork_sizes[] = {
	100, 1500, 4000, 7000, 33000, 48 * KIB, 100000, 300 * KIB, 3 * MIB / 2,
};

static void use_fork_sizes(struct kunit *test, unsigned int seed)
{
	void *p[ARRAY_LENGTH(fork_sizes)];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		p[i] = hak_calloc(1, fork_sizes[i]);
		KUNIT_ASSERT_TRUE(test, p[i] && bytes_are(p[i], fork_sizes[i],
							  0));
		pattern_fill(p[i], fork_sizes[i], seed + i);
	}
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		KUNIT_ASSERT_TRUE(test, pattern_intact(p[i], fork_sizes[i],
						       seed + i));
		hak_free(p[i]);
	}
}

static atomic_bool stop;

/* All that a tick may set going. */
static void expire(void)
{
	cache_expire();
	slab_pool_expire();
	large_expire();
	superslab_expire();
}

/* Far more often than a controller does. */
static void *tick_all_the_time(void *arg)
{
	unsigned int round;

	for (round = 0; !atomic_load(&stop); round++) {
		use_fork_sizes(arg, round);
		route_tick();
		expire();
	}
	return NULL;
}

/* With a class's lock held most of the time. */
static void *exchange_batches(void *arg)
{
	unsigned int class = size_class(1500), n;
	void *objs[200];

	while (!atomic_load(&stop)) {
		n = class_tier(class)->refill(class, objs, ARRAY_LENGTH(objs));
		KUNIT_ASSERT_GE((struct kunit *)arg, n, 1);
		class_tier(class)->drain(class, objs, n);
	}
	return NULL;
}

/* The same with the lock of the superslabs. */
static void *exchange_slabs(void *arg)
{
	struct slab *slab;

	while (!atomic_load(&stop)) {
		slab = slab_get(1, 1);
		KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, slab);
		slab_put(slab);
	}
	return NULL;
}

static int wait_for(pid_t pid, double seconds)
{
	double deadline = seconds_now() + ace_patience(seconds);
	int status = -1;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (seconds_now() > deadline) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		usleep(500);
	}
	return status;
}

static void work_in_child(struct kunit *test)
{
	int i;

	for (i = 0; i < 5; i++) {
		use_fork_sizes(test, (unsigned int)i);
		route_tick();
		expire();
	}
	hak_malloc_trim(0);
	use_fork_sizes(test, 7);
	_exit(0);
}

static void forks_amid_ticks(struct kunit *test)
{
	static void *(*const loops[])(void *arg) = {
		tick_all_the_time, exchange_batches, exchange_slabs,
		tick_all_the_time,
	};
	pthread_t threads[ARRAY_LENGTH(loops)];
	size_t i;
	pid_t pid;

	kunit_need_plain(test);
	init_ensure();
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     loops[i], test), 0);
	for (i = 0; i < 60; i++) {
		usleep(1000);
		pid = fork();
		KUNIT_ASSERT_GE(test, pid, 0);
		if (!pid)
			work_in_child(test);
		KUNIT_ASSERT_MSG(test, !wait_for(pid, 10), "child %zu", i);
	}
	atomic_store(&stop, true);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
}

/* A child's controller goes on from the parent's counters. */
static void child_follows_its_load(struct kunit *test)
{
	pid_t pid;

	init_ensure();
	need_room_to_grow(test, 4000);
	need_room_to_grow(test, 100000);
	work_until(test, 4000, false, 0);
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid) {
		work_until(test, 100000, true, 4000);
		_exit(is_deeper(size_class(100000)) ? 0 : 1);
	}
	KUNIT_EXPECT_EQ(test, wait_for(pid, 10), 0);
}

static const struct kunit_case tuner_cases[] = {
	KUNIT_CASE_PARAM(change_of_sizes_is_followed, mixes, describe_mix),
	KUNIT_CASE(constant_load_is_left_alone),
	KUNIT_CASE(slow_load_stays_at_base),
	KUNIT_CASE(switched_off_it_does_nothing),
	KUNIT_CASE(stats_name_classes_and_limits),
	KUNIT_CASE(forks_amid_ticks),
	KUNIT_CASE(child_follows_its_load),
	{}
};

static const struct kunit_suite tuner_suite = {
	.name = "tuner",
	.test_cases = tuner_cases,
};
kunit_test_suite(tuner_suite);
