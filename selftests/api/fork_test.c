// SPDX-License-Identifier: MIT
/*
 * fork(): the child has one thread and a copy of everything, whatever the
 * other threads were doing to it.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "lib/lock_stats.h"
#include "memory.h"
#include "mm/init.h"

#define CHILD_SECONDS	10

/* Return: the exit status, or -1 if the child hung or died. */
static int wait_for_child(pid_t pid)
{
	double deadline = seconds_now() + CHILD_SECONDS;
	int status = 0;
	pid_t got;

	do {
		got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		usleep(200);
	} while (seconds_now() < deadline && (!got || errno == EINTR));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static const size_t sizes[] = {
	10, 100, 600, 1024, 3000, 9000, 40000, 300000, 3000000,
};

static unsigned char *objects[ARRAY_LENGTH(sizes)];

static void allocate_objects(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		objects[i] = hak_malloc(sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, objects[i]);
		pattern_fill(objects[i], sizes[i], i);
	}
}

static void *use_all_sizes(void *arg)
{
	unsigned char *p[ARRAY_LENGTH(sizes)][8];
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < 8; j++) {
			p[i][j] = hak_malloc(sizes[i]);
			if (!p[i][j])
				return arg;
			p[i][j][0] = 1;
			p[i][j][sizes[i] - 1] = 1;
		}
	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < 8; j++)
			hak_free(p[i][j]);
	return NULL;
}

/* All that a program may want of the allocator in a child. */
static _Noreturn void live_as_child(void)
{
	pthread_t thread;
	void *failed;
	size_t i;

	if (use_all_sizes(objects))
		_exit(1);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		if (!pattern_intact(objects[i], sizes[i], i))
			_exit(2);
		objects[i] = hak_realloc(objects[i], sizes[i] + 100);
		if (!objects[i] || !pattern_intact(objects[i], sizes[i] & ~7UL,
						   i))
			_exit(3);
		hak_free(objects[i]);
	}
	if (pthread_create(&thread, NULL, use_all_sizes, objects))
		_exit(4);
	pthread_join(thread, &failed);
	hak_malloc_trim(0);
	_exit(failed ? 5 : 0);
}

static void fork_and_check(struct kunit *test, size_t times)
{
	size_t i;
	pid_t pid;

	for (i = 0; i < times; i++) {
		pid = fork();
		KUNIT_ASSERT_GE(test, pid, 0);
		if (!pid)
			live_as_child();
		KUNIT_ASSERT_EQ(test, wait_for_child(pid), 0);
	}
}

static void child_uses_what_it_inherits(struct kunit *test)
{
	size_t i;

	allocate_objects(test);
	fork_and_check(test, 20);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		KUNIT_EXPECT_TRUE(test, pattern_intact(objects[i], sizes[i],
						       i));
		hak_free(objects[i]);
	}
}

static void child_before_the_first_request(struct kunit *test)
{
	pid_t pid = fork();

	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid)
		_exit(use_all_sizes(objects) ? 1 : 0);
	KUNIT_EXPECT_EQ(test, wait_for_child(pid), 0);
	KUNIT_EXPECT_NULL(test, use_all_sizes(test));
}

static atomic_bool start_lingers, start_has_begun;

/* The C library's, which the start of the allocator calls. */
int sysinfo(struct sysinfo *info)
{
	if (atomic_load(&start_lingers)) {
		atomic_store(&start_has_begun, true);
		usleep(200000);
	}
	return (int)syscall(SYS_sysinfo, info);
}

static void child_while_another_thread_starts(struct kunit *test)
{
	pthread_t thread;
	pid_t pid;

	need_fork_of_threads(test);
	if (IS_ENABLED(CONFIG_HAKMEM_LIBC))
		kunit_skip(test, "the start is over");
	atomic_store(&start_lingers, true);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, use_all_sizes,
					     objects), 0);
	while (!atomic_load(&start_has_begun))
		usleep(1000);
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	atomic_store(&start_lingers, false);
	if (!pid)
		_exit(use_all_sizes(objects) ? 1 : 0);
	KUNIT_EXPECT_EQ(test, wait_for_child(pid), 0);
	pthread_join(thread, NULL);
}

static void grandchildren_work(struct kunit *test)
{
	int depth;
	pid_t pid;

	allocate_objects(test);
	for (depth = 0; depth < 8; depth++) {
		pid = fork();
		KUNIT_ASSERT_GE(test, pid, 0);
		if (!pid)
			continue;
		if (!depth)
			break;
		_exit(wait_for_child(pid) ? 1 : 0);
	}
	if (depth == 8)
		live_as_child();
	KUNIT_EXPECT_EQ(test, wait_for_child(pid), 0);
}

static atomic_bool stop;

/* Allocation in many sizes, so that every lock is taken all the time. */
static void *be_busy(void *arg)
{
	static const size_t sizes_max[] = {
		KIB, 8 * KIB, KIB, 64 * KIB, KIB, 256 * KIB, KIB, 4 * MIB,
	};
	struct prng prng = { (uintptr_t)arg };
	void *p[64] = { NULL };
	size_t i, step = 0;

	while (!atomic_load(&stop)) {
		i = prng_below(&prng, ARRAY_LENGTH(p));
		hak_free(p[i]);
		p[i] = hak_malloc(prng_size(&prng, sizes_max[step++ % 8]));
		if (!prng_below(&prng, 4096))
			hak_malloc_trim(0);
	}
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		hak_free(p[i]);
	return NULL;
}

static void start_busy_threads(struct kunit *test, pthread_t *threads,
			       size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
					be_busy, (void *)(i + 1)), 0);
}

static void stop_busy_threads(pthread_t *threads, size_t count)
{
	size_t i;

	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void fork_beside_busy_threads(struct kunit *test, size_t times)
{
	pthread_t threads[3];

	need_fork_of_threads(test);
	allocate_objects(test);
	start_busy_threads(test, threads, ARRAY_LENGTH(threads));
	fork_and_check(test, times);
	stop_busy_threads(threads, ARRAY_LENGTH(threads));
}

static void children_of_a_busy_process(struct kunit *test)
{
	kunit_need_plain(test);
	fork_beside_busy_threads(test, 500);
}

static void many_children_of_a_busy_process(struct kunit *test)
{
	fork_beside_busy_threads(test, 5000);
}

static void *fork_in_thread(void *arg)
{
	fork_and_check(arg, 150);
	return NULL;
}

static void two_threads_fork(struct kunit *test)
{
	pthread_t busy[2], forking[2];
	size_t i;

	need_fork_of_threads(test);
	kunit_need_plain(test);
	allocate_objects(test);
	start_busy_threads(test, busy, ARRAY_LENGTH(busy));
	for (i = 0; i < ARRAY_LENGTH(forking); i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&forking[i], NULL,
						     fork_in_thread, test), 0);
	for (i = 0; i < ARRAY_LENGTH(forking); i++)
		pthread_join(forking[i], NULL);
	stop_busy_threads(busy, ARRAY_LENGTH(busy));
}

/**
 * struct holder - a thread that holds a lock while its process forks
 * @lock: which
 * @held: it has it
 * @let_go: it shall give it back
 */
struct holder {
	struct lock *lock;
	sem_t held;
	sem_t let_go;
};

static void *hold_lock(void *arg)
{
	struct holder *holder = arg;

	lock_acquire(holder->lock);
	sem_post(&holder->held);
	while (sem_wait(&holder->let_go))
		;
	lock_release(holder->lock);
	return NULL;
}

/* Return: how the child ended. */
static int fork_beside_holder(struct kunit *test, struct lock *lock)
{
	struct holder holder = { .lock = lock };
	pthread_t thread;
	int status;
	pid_t pid;

	sem_init(&holder.held, 0, 0);
	sem_init(&holder.let_go, 0, 0);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, hold_lock,
					     &holder), 0);
	while (sem_wait(&holder.held))
		;
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid)
		live_as_child();
	status = wait_for_child(pid);
	sem_post(&holder.let_go);
	pthread_join(thread, NULL);
	return status;
}

/* Of whatever the child may want, and its thread, which has to get a cache. */
static void child_beside_each_lock(struct kunit *test)
{
	struct lock *lock = NULL;
	unsigned int n = 0;
	int status;

	need_fork_of_threads(test);
	if (!IS_ENABLED(CONFIG_HAKMEM_LOCK_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_LOCK_STATS is not set");
	lock_stats_start();
	allocate_objects(test);
	use_all_sizes(objects);
	hak_malloc_trim(0);
	while ((lock = lock_after(lock))) {
		status = fork_beside_holder(test, lock);
		KUNIT_EXPECT_MSG(test, !status, "child %d beside lock %u",
				 status, n);
		n++;
	}
	kunit_info(test, "%u locks", n);
	KUNIT_EXPECT_GE(test, n, 5);
}

static atomic_int handler_forks, handler_failures;

/*
 * Interrupts the allocator anywhere. A child that returns from here goes on
 * with the interrupted request and must be able to finish it.
 */
static void fork_in_handler(int signal)
{
	int saved = errno;
	pid_t pid;

	(void)signal;
	pid = fork();
	if (!pid) {
		atomic_store(&handler_forks, -1);
		return;
	}
	if (pid < 0 || wait_for_child(pid))
		atomic_fetch_add(&handler_failures, 1);
	atomic_fetch_add(&handler_forks, 1);
	errno = saved;
}

static void signal_handler_forks(struct kunit *test)
{
	const struct sigaction action = { .sa_handler = fork_in_handler };
	const struct itimerval tick = { { 0, 3000 }, { 0, 3000 } };
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };

	allocate_objects(test);
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &tick, NULL);
	while (atomic_load(&handler_forks) >= 0 &&
	       atomic_load(&handler_forks) < 100)
		use_all_sizes(test);
	setitimer(ITIMER_VIRTUAL, &none, NULL);
	if (atomic_load(&handler_forks) < 0)
		live_as_child();
	KUNIT_EXPECT_EQ(test, atomic_load(&handler_failures), 0);
}

static const struct kunit_case fork_cases[] = {
	KUNIT_CASE(child_uses_what_it_inherits),
	KUNIT_CASE(child_before_the_first_request),
	KUNIT_CASE(child_while_another_thread_starts),
	KUNIT_CASE(grandchildren_work),
	KUNIT_CASE(children_of_a_busy_process),
	KUNIT_CASE_SLOW(many_children_of_a_busy_process),
	KUNIT_CASE(two_threads_fork),
	KUNIT_CASE(child_beside_each_lock),
	KUNIT_CASE(signal_handler_forks),
	{}
};

/* What a C library does whose own malloc it is. */
static int hook_fork(struct kunit *test)
{
	(void)test;
	if (!IS_ENABLED(CONFIG_HAKMEM_LIBC))
		return 0;
	hak_free(hak_malloc(1));
	return pthread_atfork(NULL, NULL, init_fork_child);
}

static const struct kunit_suite fork_suite = {
	.name = "fork",
	.init = hook_fork,
	.test_cases = fork_cases,
};
kunit_test_suite(fork_suite);
