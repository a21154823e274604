// SPDX-License-Identifier: MIT
/*
 * Which requests are sampled, where their blocks lie, and what becomes of the
 * pages: by chance, within a bound of memory and of time, in every thread and
 * in every child.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/fault.h"
#include "mm/sizes.h"
#include "sampled.h"

/* A millisecond has room for one, and nobody waits exactly that long. */
static void wait_for_budget(unsigned int samples)
{
	usleep(2000 * samples);
}

/* Of so many requests, with time enough for all that are due. */
static size_t count_sampled(size_t requests, size_t every)
{
	size_t i, count = 0;
	void *p;

	for (i = 0; i < requests; i++) {
		p = hak_malloc(i % 1000 + 1);
		count += kfence_owns(p);
		hak_free(p);
		if (i % every == 0)
			wait_for_budget(1);
	}
	return count;
}

/* --- Which ---------------------------------------------------------------- */

/* Six deviations from the mean: the waits are drawn from 1 to twice that. */
static void expect_rate(struct kunit *test, size_t every)
{
	size_t count = count_sampled(200 * every, every);

	kunit_info(test, "1 in %zu: %zu of %zu requests", every, count,
		   200 * every);
	KUNIT_EXPECT_GE(test, count, 150);
	KUNIT_EXPECT_LE(test, count, 250);
}

static void rate_is_as_set(struct kunit *test)
{
	setenv("HAKMEM_KFENCE_SAMPLE", "100", 1);
	expect_rate(test, 100);
}

static void rate_is_as_configured(struct kunit *test)
{
	if (CONFIG_HAKMEM_KFENCE_SAMPLE < 10 ||
	    CONFIG_HAKMEM_KFENCE_SAMPLE > 10000)
		kunit_skip(test, "CONFIG_HAKMEM_KFENCE_SAMPLE is %d",
			   CONFIG_HAKMEM_KFENCE_SAMPLE);
	unsetenv("HAKMEM_KFENCE_SAMPLE");
	expect_rate(test, CONFIG_HAKMEM_KFENCE_SAMPLE);
}

/* However many ask: two system calls for each must not add up. */
static void time_is_bounded(struct kunit *test)
{
	double begun = seconds_now(), took;
	size_t count = 0, requests;
	void *p;

	for (requests = 0; seconds_now() - begun < 0.2; requests++) {
		p = hak_malloc(100);
		count += kfence_owns(p);
		hak_free(p);
	}
	took = seconds_now() - begun;
	KUNIT_EXPECT_GT(test, count, 8);
	KUNIT_EXPECT_LT(test, count, requests / 2);
	KUNIT_EXPECT_LE(test, count, took * 1000 + 10);
}

static void none_with_0(struct kunit *test)
{
	struct sigaction action;
	size_t mappings;

	setenv("HAKMEM_KFENCE_SAMPLE", "0", 1);
	hak_free(hak_malloc(10));
	mappings = process_mappings();
	KUNIT_EXPECT_EQ(test, count_sampled(1000000, 1000000), 0);
	KUNIT_EXPECT_EQ(test, kfence_pool_size, 0);
	KUNIT_EXPECT_LE(test, process_mappings(), mappings + 2);
	KUNIT_ASSERT_EQ(test, sigaction(SIGSEGV, NULL, &action), 0);
	KUNIT_EXPECT_TRUE(test, action.sa_handler == SIG_DFL);
}

static void *request_once(void *arg)
{
	void *p = hak_malloc(10);

	*(size_t *)arg += kfence_owns(p);
	hak_free(p);
	return NULL;
}

/* Each one's first request would be chosen, were its draw not its own. */
static void short_threads_are_not_preferred(struct kunit *test)
{
	pthread_t thread;
	size_t count = 0;
	int i;

	setenv("HAKMEM_KFENCE_SAMPLE", "1000000", 1);
	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL,
						     request_once, &count), 0);
		pthread_join(thread, NULL);
		wait_for_budget(1);
	}
	KUNIT_EXPECT_LE(test, count, 2);
}

static void only_what_fits_a_page(struct kunit *test)
{
	size_t page = (size_t)getpagesize(), i;
	void *p;

	hak_free(sampled(1, page));
	for (i = 0; i < 50; i++) {
		wait_for_budget(1);
		p = hak_malloc(i % 2 ? page + 1 : 0);
		KUNIT_EXPECT_FALSE(test, kfence_owns(p));
		hak_free(p);
		p = hak_aligned_alloc(2 * page, 100);
		KUNIT_EXPECT_FALSE(test, kfence_owns(p));
		hak_free(p);
	}
}

/* --- Where ---------------------------------------------------------------- */

static void sides_are_chance(struct kunit *test)
{
	size_t i, right = 0;
	char *p;

	for (i = 0; i < 200; i++) {
		p = sampled(1, 100);
		right += page_offset(p) != 0;
		KUNIT_EXPECT_TRUE(test, page_offset(p) == 0 ||
				  page_offset(p + 112) == 0);
		hak_free(p);
	}
	kunit_info(test, "%zu of 200 at the end of their page", right);
	KUNIT_EXPECT_GE(test, right, 60);
	KUNIT_EXPECT_LE(test, right, 140);
}

static void alignment_is_kept(struct kunit *test)
{
	size_t page = (size_t)getpagesize(), align, size;
	char *p;

	for (align = 32; align <= page; align *= 2) {
		size = align / 2 + 3;
		p = sampled(align, size);
		KUNIT_EXPECT_TRUE(test, is_aligned(p, align));
		KUNIT_EXPECT_LE(test, page_offset(p) + size, page);
		KUNIT_EXPECT_EQ(test, hak_malloc_usable_size(p), size);
		hak_free(p);
	}
}

/* The page that was freed longest ago comes next. */
static void pages_rest_as_long_as_can_be(struct kunit *test)
{
	uintptr_t pages[OBJECTS], page;
	size_t round, i, j;
	void *p;

	for (round = 0; round < 2; round++)
		for (i = 0; i < OBJECTS; i++) {
			p = sampled(1, 20);
			page = (uintptr_t)p - page_offset(p);
			for (j = 0; !round && j < i; j++)
				KUNIT_EXPECT_NE(test, page, pages[j]);
			if (round)
				KUNIT_EXPECT_EQ(test, page, pages[i]);
			pages[i] = page;
			hak_free(p);
		}
}

static void pool_is_bounded(struct kunit *test)
{
	unsigned char *p[OBJECTS];
	void *other = hak_malloc(64);
	size_t i, before = process_mappings();

	hak_free(other);
	for (i = 0; i < OBJECTS; i++) {
		p[i] = sampled(1, 64);
		memset(p[i], (int)i, 64);
	}
	KUNIT_EXPECT_LE(test, kfence_pool_size, 2 * MIB);
	KUNIT_EXPECT_LE(test, process_mappings(), before + 2 * OBJECTS + 8);
	for (i = 0; i < 20; i++) {
		wait_for_budget(1);
		other = hak_malloc(64);
		KUNIT_ASSERT_NOT_NULL(test, other);
		KUNIT_EXPECT_FALSE(test, kfence_owns(other));
		hak_free(other);
	}
	for (i = 0; i < OBJECTS; i++) {
		KUNIT_EXPECT_TRUE(test, bytes_are(p[i], 64, (uint8_t)i));
		hak_free(p[i]);
	}
	hak_free(sampled(1, 64));
}

/* --- As any other block --------------------------------------------------- */

static void resized_blocks_keep_their_content(struct kunit *test)
{
	static const size_t sizes[] = { 200, 150, 60, 1000, 4000, 20000, 8 };
	size_t i, had = 100, have;
	char *p = sampled(1, had);

	pattern_fill(p, had, 0);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		wait_for_budget(1);
		have = had < sizes[i] ? had : sizes[i];
		p = hak_realloc(p, sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, pattern_intact(p, have, i));
		had = sizes[i];
		pattern_fill(p, had, i + 1);
	}
	hak_free(p);
}

/* Its page was another block's before. */
static void zeroed_blocks_are_zero(struct kunit *test)
{
	size_t i, count = 0;
	char *p;

	for (i = 0; i < 4 * OBJECTS; i++) {
		p = sampled(1, 500);
		memset(p, -1, 500);
		hak_free(p);
		wait_for_budget(1);
		p = hak_calloc(5, 100);
		count += kfence_owns(p);
		KUNIT_EXPECT_TRUE(test, bytes_are(p, 500, 0));
		memset(p, -1, 500);
		hak_free(p);
	}
	if (TINY_MAX_SIZE >= 500 || IS_ENABLED(CONFIG_HAKMEM_HARDEN))
		kunit_info(test, "%zu of calloc()", count);
}

/* mprotect() may fail, at the limit of mappings: then it is not sampled. */
static void refusals_cost_nothing_but_the_sample(struct kunit *test)
{
	const struct fault_plan plan = {
		.calls = VM_CALL_BIT(VM_CALL_COMMIT), .first = 1, .interval = 1,
	};
	size_t i;
	void *p;

	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	hak_free(sampled(1, 100));
	fault_set(&plan);
	errno = ERANGE;
	for (i = 0; i < 2 * OBJECTS; i++) {
		wait_for_budget(1);
		p = hak_malloc(100);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_FALSE(test, kfence_owns(p));
		hak_free(p);
	}
	KUNIT_EXPECT_GE(test, fault_strikes_so_far(), OBJECTS);
	KUNIT_EXPECT_EQ(test, errno, ERANGE);
	fault_set(NULL);
	for (i = 0; i < 2 * OBJECTS; i++)
		hak_free(sampled(1, 100));
}

/* --- Threads and children ------------------------------------------------- */

#define THREADS		4
#define SHARED		64

struct block {
	char *p;
	size_t size;
};

static struct block shared[SHARED];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool over;

static struct block swap_shared(size_t i, struct block mine)
{
	struct block other;

	pthread_mutex_lock(&mutex);
	other = shared[i];
	shared[i] = mine;
	pthread_mutex_unlock(&mutex);
	return other;
}

/* Whoever comes by frees what another has left, and leaves one of its own. */
static void *exchange(void *arg)
{
	struct prng prng = { (uintptr_t)arg };
	struct block block;
	size_t count = 0;

	while (!READ_ONCE(over)) {
		block.size = prng_size(&prng, 5000);
		block.p = hak_malloc(block.size);
		count += kfence_owns(block.p);
		pattern_fill(block.p, block.size, 1);
		block = swap_shared(prng_below(&prng, SHARED), block);
		if (block.p && !pattern_intact(block.p, block.size, 1))
			abort();
		hak_free(block.p);
	}
	return (void *)count;
}

static void start_exchange(struct kunit *test, pthread_t *threads)
{
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     exchange, (void *)(i + 1)),
				0);
}

/* Return: blocks that were sampled. */
static size_t stop_exchange(pthread_t *threads)
{
	size_t i, sum = 0;
	void *count;

	WRITE_ONCE(over, true);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &count);
		sum += (size_t)count;
	}
	for (i = 0; i < SHARED; i++)
		hak_free(shared[i].p);
	return sum;
}

static void threads_share_the_pool(struct kunit *test)
{
	pthread_t threads[THREADS];
	uintptr_t pages[OBJECTS];
	size_t i, count;
	void *p;

	start_exchange(test, threads);
	usleep(300000);
	count = stop_exchange(threads);
	kunit_info(test, "%zu sampled", count);
	KUNIT_EXPECT_GT(test, count, OBJECTS / 4);
	/* No page was lost. */
	for (i = 0; i < OBJECTS; i++) {
		p = sampled(1, 100);
		pages[i] = (uintptr_t)p - page_offset(p);
		KUNIT_EXPECT_TRUE(test, !i || pages[i] != pages[0]);
		hak_free(p);
	}
}

/* A lock of the pool's that another thread held has no owner there. */
static void live_as_child(char *inherited, size_t size)
{
	int i;

	alarm(20);
	if (!pattern_intact(inherited, size, 1))
		_exit(1);
	hak_free(inherited);
	for (i = 0; i < 20; i++)
		hak_free(hak_malloc(100));
	_exit(0);
}

static void children_go_on(struct kunit *test)
{
	pthread_t threads[THREADS];
	size_t size = 100;
	char *p = sampled(1, size);
	int i, status;
	pid_t pid;

	need_fork_of_threads(test);
	if (IS_ENABLED(CONFIG_HAKMEM_LIBC))
		kunit_skip(test, "it is the C library that calls what mends "
			   "a child");
	pattern_fill(p, size, 1);
	start_exchange(test, threads);
	for (i = 0; i < 200; i++) {
		pid = fork();
		KUNIT_ASSERT_GE(test, pid, 0);
		if (!pid)
			live_as_child(p, size);
		KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
		KUNIT_ASSERT_EQ(test, status, 0);
	}
	stop_exchange(threads);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, size, 1));
	hak_free(p);
}

static const struct kunit_case sample_cases[] = {
	KUNIT_CASE(rate_is_as_set),
	KUNIT_CASE(rate_is_as_configured),
	KUNIT_CASE(time_is_bounded),
	KUNIT_CASE(none_with_0),
	KUNIT_CASE(short_threads_are_not_preferred),
	KUNIT_CASE(only_what_fits_a_page),
	KUNIT_CASE(sides_are_chance),
	KUNIT_CASE(alignment_is_kept),
	KUNIT_CASE(pages_rest_as_long_as_can_be),
	KUNIT_CASE(pool_is_bounded),
	KUNIT_CASE(resized_blocks_keep_their_content),
	KUNIT_CASE(zeroed_blocks_are_zero),
	KUNIT_CASE(refusals_cost_nothing_but_the_sample),
	KUNIT_CASE(threads_share_the_pool),
	KUNIT_CASE(children_go_on),
	{}
};

static const struct kunit_suite sample_suite = {
	.name = "sample",
	.init = sample_every_request,
	.test_cases = sample_cases,
};
kunit_test_suite(sample_suite);
