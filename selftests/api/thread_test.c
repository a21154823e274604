// SPDX-License-Identifier: MIT
/*
 * Threads that hand objects over, come, go, and allocate while they go.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"

static void start_thread(struct kunit *test, pthread_t *thread,
			 const pthread_attr_t *attr, void *(*fn)(void *arg),
			 void *arg)
{
	KUNIT_ASSERT_EQ(test, pthread_create(thread, attr, fn, arg), 0);
}

static void run_thread(struct kunit *test, void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;

	start_thread(test, &thread, NULL, fn, arg);
	pthread_join(thread, NULL);
}

#define HANDOVERS	200000

/* One thread allocates, the other frees. */
static struct {
	_Atomic(unsigned char *) slots[256];
	struct kunit *test;
} ring;

static size_t ring_size(size_t i)
{
	return i % 100 ? i * 13 % 1000 : 3000 + i % 70000;
}

static void *free_from_ring(void *arg)
{
	size_t i;

	for (i = 0; i < HANDOVERS; i++) {
		unsigned char *p;

		while (!(p = atomic_exchange(&ring.slots[i % 256], NULL)))
			sched_yield();
		KUNIT_ASSERT_MSG((struct kunit *)arg,
				 pattern_intact(p, ring_size(i), i),
				 "object %zu", i);
		hak_free(p);
	}
	return NULL;
}

static void objects_change_threads(struct kunit *test)
{
	unsigned char *expected, *p;
	pthread_t thread;
	size_t i, before = 0;

	start_thread(test, &thread, NULL, free_from_ring, test);
	for (i = 0; i < HANDOVERS; i++) {
		if (i == HANDOVERS / 4)
			before = process_status("VmRSS:");
		p = hak_malloc(ring_size(i));
		KUNIT_ASSERT_NOT_NULL(test, p);
		pattern_fill(p, ring_size(i), i);
		do {
			expected = NULL;
			if (atomic_load(&ring.slots[i % 256]))
				sched_yield();
		} while (!atomic_compare_exchange_weak(&ring.slots[i % 256],
						       &expected, p));
	}
	pthread_join(thread, NULL);
	/* Depots and magazines may fill meanwhile. */
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), before + 16 * MIB +
			2 * CONFIG_HAKMEM_DEPOT_KB * KIB +
			8 * CONFIG_HAKMEM_MAGAZINE_KB * KIB);
}

#define HEIRLOOMS	20

static void *leave_objects(void *arg)
{
	unsigned char **objects = arg;
	size_t i;

	for (i = 0; i < HEIRLOOMS; i++) {
		size_t size = 10 << (i % 14);

		objects[i] = hak_malloc(size);
		if (objects[i])
			pattern_fill(objects[i], size, i);
	}
	return NULL;
}

static void objects_outlive_threads(struct kunit *test)
{
	static unsigned char *objects[300][HEIRLOOMS];
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(objects); i++)
		run_thread(test, leave_objects, objects[i]);
	for (i = 0; i < ARRAY_LENGTH(objects); i++)
		for (j = 0; j < HEIRLOOMS; j++) {
			KUNIT_ASSERT_NOT_NULL(test, objects[i][j]);
			KUNIT_EXPECT_MSG(test, pattern_intact(objects[i][j],
							10 << (j % 14), j),
					 "thread %zu object %zu", i, j);
			hak_free(objects[i][j]);
		}
}

static void *allocate_and_free(void *arg)
{
	void *p[50];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		p[i] = hak_malloc(i * i * 4);
		KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, p[i]);
		memset(p[i], 1, i * i * 4);
	}
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		hak_free(p[i]);
	return NULL;
}

/* What they leave may wait for others in the depots. */
static void passing_threads_leave_nothing(struct kunit *test)
{
	const size_t depot = (size_t)CONFIG_HAKMEM_DEPOT_KB * KIB;
	size_t i, before = 0;

	kunit_need_plain(test);
	for (i = 0; i < 4000; i++) {
		if (i == 500)
			before = process_status("VmRSS:");
		run_thread(test, allocate_and_free, test);
	}
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"),
			before + 8 * MIB + depot);
}

static pthread_barrier_t all_started, may_end;

static void *hold_two_objects(void *arg)
{
	void *p = hak_malloc(24), *q = hak_malloc(2000);

	KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, p);
	KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, q);
	pthread_barrier_wait(&all_started);
	pthread_barrier_wait(&may_end);
	hak_free(p);
	hak_free(q);
	return NULL;
}

/* A thread that does little must cost little. */
static void idle_threads_are_cheap(struct kunit *test)
{
	static pthread_t threads[500];
	pthread_attr_t attr;
	size_t i, before = process_status("VmRSS:");

	kunit_need_plain(test);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * KIB);
	pthread_barrier_init(&all_started, NULL, ARRAY_LENGTH(threads) + 1);
	pthread_barrier_init(&may_end, NULL, ARRAY_LENGTH(threads) + 1);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		start_thread(test, &threads[i], &attr, hold_two_objects, test);
	pthread_barrier_wait(&all_started);
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), before + 32 * MIB);
	pthread_barrier_wait(&may_end);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
}

static void least_stack_is_enough(struct kunit *test)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t i;

	pthread_attr_init(&attr);
	KUNIT_ASSERT_EQ(test, pthread_attr_setstacksize(&attr,
						(size_t)PTHREAD_STACK_MIN), 0);
	for (i = 0; i < 20; i++) {
		start_thread(test, &thread, &attr, allocate_and_free, test);
		pthread_join(thread, NULL);
	}
}

static pthread_key_t early_key, late_key;
static atomic_size_t destructions;

/*
 * Allocates in each of the rounds that POSIX grants destructors; whichever
 * round the allocator's own destructor runs in, others come after it.
 */
static void destroy(pthread_key_t key, void *value)
{
	size_t *left = value;
	size_t *next;
	void *p = hak_malloc(700), *q = hak_calloc(1, 30000);

	if (!p || !q)
		_exit(1);
	memset(p, 1, 700);
	hak_free(p);
	hak_free(q);
	atomic_fetch_add(&destructions, 1);
	if (*left) {
		next = hak_malloc(sizeof(*next));
		if (!next)
			_exit(1);
		*next = *left - 1;
		pthread_setspecific(key, next);
	}
	hak_free(left);
}

static void destroy_early(void *value)
{
	destroy(early_key, value);
}

static void destroy_late(void *value)
{
	destroy(late_key, value);
}

static void *leave_to_destructors(void *arg)
{
	size_t *early = hak_malloc(sizeof(*early));
	size_t *late = hak_malloc(sizeof(*late));

	KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, early);
	KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, late);
	*early = 3;
	*late = 3;
	pthread_setspecific(early_key, early);
	pthread_setspecific(late_key, late);
	return NULL;
}

#define DESTRUCTION_THREADS	3000

static void destructors_may_allocate(struct kunit *test)
{
	size_t i, before = 0;

	kunit_need_plain(test);
	KUNIT_ASSERT_EQ(test, pthread_key_create(&early_key, destroy_early), 0);
	hak_free(hak_malloc(1));
	KUNIT_ASSERT_EQ(test, pthread_key_create(&late_key, destroy_late), 0);
	for (i = 0; i < DESTRUCTION_THREADS; i++) {
		if (i == DESTRUCTION_THREADS / 5)
			before = process_status("VmRSS:");
		run_thread(test, leave_to_destructors, test);
	}
	KUNIT_EXPECT_EQ(test, atomic_load(&destructions),
			8 * DESTRUCTION_THREADS);
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), before + 8 * MIB);
}

/* A program may have taken every key before it allocates for the first time. */
static void no_key_is_left(struct kunit *test)
{
	pthread_key_t key;
	size_t i, before = 0;

	while (!pthread_key_create(&key, NULL))
		;
	for (i = 0; i < 1000; i++) {
		if (i == 200)
			before = process_status("VmRSS:");
		run_thread(test, allocate_and_free, test);
	}
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), before + 8 * MIB);
}

#define STARTERS	4
#define STARTS		40

static atomic_uint waiting, done;

/* Half of them free NULL before, while and after the others start it. */
static void *call_first(void *arg)
{
	bool frees = (uintptr_t)arg % 2;
	unsigned char *p;

	atomic_fetch_sub(&waiting, 1);
	while (atomic_load(&waiting))
		;
	while (frees && atomic_load(&done) < STARTERS / 2)
		hak_free(NULL);
	p = hak_malloc(100 + (uintptr_t)arg);
	if (!p)
		abort();
	pattern_fill(p, 100, 1);
	atomic_fetch_add(&done, !frees);
	if (!pattern_intact(p, 100, 1))
		abort();
	hak_free(p);
	return NULL;
}

static void start_by_threads(void)
{
	pthread_t threads[STARTERS];
	uintptr_t i;

	atomic_store(&waiting, STARTERS);
	for (i = 0; i < STARTERS; i++)
		if (pthread_create(&threads[i], NULL, call_first, (void *)i))
			_exit(1);
	for (i = 0; i < STARTERS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

static void first_calls_may_race(struct kunit *test)
{
	int i, status;
	pid_t pid;

	for (i = 0; i < STARTS; i++) {
		pid = fork();
		KUNIT_ASSERT_GE(test, pid, 0);
		if (!pid) {
			alarm(20);
			start_by_threads();
		}
		KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
		KUNIT_ASSERT_EQ(test, status, 0);
	}
}

static bool many_processors;

/* The C library's, which the start calls: more than the set has bits for. */
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	memset(set, 0, size);
	if (many_processors) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_sched_getaffinity, pid, size, set) < 0 ? -1 : 0;
}

static void start_keeps_errno(struct kunit *test)
{
	many_processors = true;
	errno = 4711;
	hak_free(hak_malloc(100));
	KUNIT_EXPECT_EQ(test, errno, 4711);
}

static void *start_when_cancelled(void *arg)
{
	(void)arg;
	pthread_cancel(pthread_self());
	hak_free(hak_malloc(100));
	return NULL;
}

/* Neither malloc() nor free() is where a thread may be cancelled. */
static void cancelled_thread_starts(struct kunit *test)
{
	pthread_t thread;
	void *result;

	start_thread(test, &thread, NULL, start_when_cancelled, NULL);
	pthread_join(thread, &result);
	KUNIT_ASSERT_NULL(test, result);
	hak_free(hak_malloc(100));
}

static const struct kunit_case thread_cases[] = {
	KUNIT_CASE(first_calls_may_race),
	KUNIT_CASE(start_keeps_errno),
	KUNIT_CASE(cancelled_thread_starts),
	KUNIT_CASE(objects_change_threads),
	KUNIT_CASE(objects_outlive_threads),
	KUNIT_CASE(passing_threads_leave_nothing),
	KUNIT_CASE(idle_threads_are_cheap),
	KUNIT_CASE(least_stack_is_enough),
	KUNIT_CASE(destructors_may_allocate),
	KUNIT_CASE(no_key_is_left),
	{}
};

static const struct kunit_suite thread_suite = {
	.name = "thread",
	.test_cases = thread_cases,
};
kunit_test_suite(thread_suite);
