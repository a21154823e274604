// SPDX-License-Identifier: MIT
/*
 * The lock: exclusion, sleeping, and what a forked child can tell of it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kunit.h"
#include "lib/lock.h"
#include "memory.h"
#include "mm/vm.h"
#include "report.h"

#define THREADS		4
#define ROUNDS		200000

static struct lock lock = LOCK_INIT;

static void start_threads(struct kunit *test, pthread_t *threads, size_t count,
			  void *(*fn)(void *arg))
{
	size_t i;

	for (i = 0; i < count; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL, fn,
						     test), 0);
}

static void join_threads(pthread_t *threads, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* Not atomic on purpose: two words that the lock alone keeps equal. */
static volatile size_t first, second;

static void *increment(void *arg)
{
	size_t i;

	for (i = 0; i < ROUNDS; i++) {
		lock_acquire(&lock);
		KUNIT_ASSERT_EQ((struct kunit *)arg, first, second);
		first++;
		/* Owners that lose the processor make others sleep. */
		if (i % 1024 == 0)
			sched_yield();
		second++;
		lock_release(&lock);
	}
	return NULL;
}

static void excludes_other_threads(struct kunit *test)
{
	pthread_t threads[THREADS];

	start_threads(test, threads, THREADS, increment);
	join_threads(threads, THREADS);
	KUNIT_EXPECT_EQ(test, first, (size_t)THREADS * ROUNDS);
	KUNIT_EXPECT_EQ(test, lock.word, 0);
}

static void *try_lock(void *arg)
{
	(void)arg;
	return lock_try(&lock) ? &lock : NULL;
}

static void try_fails_while_held(struct kunit *test)
{
	pthread_t thread;
	void *got;

	KUNIT_ASSERT_TRUE(test, lock_try(&lock));
	KUNIT_EXPECT_FALSE(test, lock_try(&lock));
	start_threads(test, &thread, 1, try_lock);
	pthread_join(thread, &got);
	KUNIT_EXPECT_NULL(test, got);
	lock_release(&lock);
	start_threads(test, &thread, 1, try_lock);
	pthread_join(thread, &got);
	KUNIT_EXPECT_PTR_EQ(test, got, &lock);
}

static atomic_int entered;

static void *enter_once(void *arg)
{
	errno = 4711;
	lock_acquire(&lock);
	atomic_fetch_add(&entered, 1);
	lock_release(&lock);
	KUNIT_EXPECT_EQ((struct kunit *)arg, errno, 4711);
	return NULL;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* Waiters sleep, all of them are woken, and the lock counts them. */
static void waiters_sleep_and_wake(struct kunit *test)
{
	unsigned long before = lock.contended;
	pthread_t threads[THREADS];
	double used;

	lock_acquire(&lock);
	start_threads(test, threads, THREADS, enter_once);
	usleep(20000);
	used = cpu_seconds();
	usleep(300000);
	KUNIT_EXPECT_TRUE(test, cpu_seconds() - used < 0.1);
	KUNIT_EXPECT_EQ(test, atomic_load(&entered), 0);
	lock_release(&lock);
	join_threads(threads, THREADS);
	KUNIT_EXPECT_EQ(test, atomic_load(&entered), THREADS);
	KUNIT_EXPECT_GE(test, lock.contended, before + THREADS);
}

static atomic_bool held, may_release;

static void *hold(void *arg)
{
	lock_acquire(&lock);
	atomic_store(&held, true);
	while (!atomic_load(&may_release))
		usleep(100);
	lock_release(&lock);
	return arg;
}

/* Return: what @in_child says in a forked child. */
static bool ask_child(bool (*in_child)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(in_child());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static bool sees_orphan(void)
{
	if (!lock_orphaned(&lock))
		return false;
	lock_reset(&lock);
	return lock_try(&lock);
}

static bool sees_no_orphan(void)
{
	return !lock_orphaned(&lock);
}

static bool sees_own_lock(void)
{
	if (lock_orphaned(&lock) || lock_try(&lock))
		return false;
	lock_release(&lock);
	return lock_try(&lock);
}

static void child_tells_orphaned_locks(struct kunit *test)
{
	pthread_t holder, waiter;

	KUNIT_EXPECT_TRUE(test, ask_child(sees_no_orphan));
	lock_acquire(&lock);
	KUNIT_EXPECT_TRUE(test, ask_child(sees_own_lock));
	lock_release(&lock);

	start_threads(test, &holder, 1, hold);
	while (!atomic_load(&held))
		usleep(100);
	KUNIT_EXPECT_TRUE(test, ask_child(sees_orphan));
	/* With waiters, too. */
	start_threads(test, &waiter, 1, enter_once);
	usleep(20000);
	KUNIT_EXPECT_TRUE(test, ask_child(sees_orphan));
	atomic_store(&may_release, true);
	pthread_join(holder, NULL);
	pthread_join(waiter, NULL);
	KUNIT_EXPECT_EQ(test, atomic_load(&entered), 1);
}

/* --- Ranks ---------------------------------------------------------------- */

static struct lock inner = LOCK_INIT, outer = LOCK_INIT_RANK(5);
static struct lock outermost = LOCK_INIT_RANK(6), sibling = LOCK_INIT;

static void take_in_order(void *arg)
{
	(void)arg;
	lock_acquire(&outermost);
	lock_acquire(&outer);
	lock_acquire(&inner);
	lock_release(&outermost);
	lock_release(&inner);
	lock_acquire(&sibling);
	lock_release(&sibling);
	lock_release(&outer);
	lock_acquire(&outermost);
}

/* The first of a pair, then the second. */
static void take_inverted(void *arg)
{
	struct lock **pair = arg;

	lock_acquire(pair[0]);
	lock_acquire(pair[1]);
}

/* What was only tried cannot wait for ever, and counts when it was had. */
static void take_under_tried(void *arg)
{
	struct lock **pair = arg;

	if (lock_try(pair[0]))
		lock_acquire(pair[1]);
}

static void try_against_order(void *arg)
{
	(void)arg;
	lock_acquire(&inner);
	lock_try(&outer);
}

static void call_memory_under_lock(void *arg)
{
	lock_acquire(arg);
	vm_unmap(vm_map(NULL, vm_page_size(), 1), vm_page_size());
	lock_release(arg);
}

static void order_is_looked_at(struct kunit *test)
{
	static struct lock *pairs[][2] = {
		{ &inner, &outer }, { &outer, &outermost },
		{ &inner, &sibling }, { &outer, &outer },
	};
	size_t i;

	if (!IS_ENABLED(CONFIG_HAKMEM_LOCK_RANKS))
		kunit_skip(test, "CONFIG_HAKMEM_LOCK_RANKS is not set");
	KUNIT_EXPECT_SURVIVAL(test, take_in_order, NULL);
	KUNIT_EXPECT_SURVIVAL(test, try_against_order, NULL);
	for (i = 0; i < ARRAY_LENGTH(pairs); i++) {
		KUNIT_EXPECT_DEATH(test, take_inverted, pairs[i], SIGABRT,
				   "rank . taken under lock .* of rank ");
		KUNIT_EXPECT_DEATH(test, take_under_tried, pairs[i], SIGABRT,
				   "rank . taken under lock .* of rank ");
	}
}

static void memory_calls_are_looked_at(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_LOCK_RANKS))
		kunit_skip(test, "CONFIG_HAKMEM_LOCK_RANKS is not set");
	KUNIT_EXPECT_SURVIVAL(test, call_memory_under_lock, &outer);
	KUNIT_EXPECT_DEATH(test, call_memory_under_lock, &inner, SIGABRT,
			   "memory call under a lock");
}

static const struct kunit_case lock_cases[] = {
	KUNIT_CASE(excludes_other_threads),
	KUNIT_CASE(try_fails_while_held),
	KUNIT_CASE(waiters_sleep_and_wake),
	KUNIT_CASE(child_tells_orphaned_locks),
	KUNIT_CASE(order_is_looked_at),
	KUNIT_CASE(memory_calls_are_looked_at),
	{}
};

static const struct kunit_suite lock_suite = {
	.name = "lock",
	.test_cases = lock_cases,
};
kunit_test_suite(lock_suite);
