// SPDX-License-Identifier: MIT
/*
 * How often the locks are taken, by 4 to 64 threads at several kinds of work.
 *
 * The counts do not depend on the processors of this machine: what no thread
 * takes often on two of them, no thread takes often on 64.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "hakmem.h"
#include "kunit.h"
#include "lib/lock_stats.h"
#include "memory.h"

#define THREADS_MAX	64
#define OPERATIONS	40000
#define SLOTS		512
#define RING_SIZE	256
#define WAVE		2000
/* Operations of each of the threads that follow each other. */
#define LIFE		2000

/* In which ACE has looked a few times. */
#define WARM_MS		400

struct work;

/**
 * struct worker - a thread, or some that follow each other
 * @work: what it does
 * @number: from 0
 * @random: its generator
 * @operations: mallocs and frees
 * @counts: of each lock
 * @slots: its blocks
 */
struct worker {
	const struct work *work;
	unsigned int number;
	uint64_t random;
	unsigned long operations;
	unsigned int counts[LOCK_NUMBERS];
	void **slots;
};

/**
 * struct work - a kind of work
 * @name: of it
 * @run: a worker's part
 * @threads: workers
 * @min: smallest size
 * @max: largest size
 * @least: operations of any thread for each time that it takes any one lock
 */
struct work {
	const char *name;
	void (*run)(struct worker *worker);
	unsigned int threads;
	size_t min, max;
	unsigned long least;
};

static struct worker workers[THREADS_MAX];
static struct kunit *this_test;
static pthread_barrier_t start;
static bool counting;

static uint32_t next_random(struct worker *worker)
{
	worker->random = worker->random * 6364136223846793005u + 1;
	return (uint32_t)(worker->random >> 33);
}

static void *allocate(struct worker *worker)
{
	const struct work *work = worker->work;
	void *block = hak_malloc(work->min + next_random(worker) %
				 (work->max - work->min + 1));

	KUNIT_ASSERT_NOT_NULL(this_test, block);
	/* So that the others have their share: each has few operations. */
	if (++worker->operations % 256 == 0)
		sched_yield();
	return block;
}

static void release(struct worker *worker, void *block)
{
	hak_free(block);
	worker->operations += block != NULL;
}

/* --- Works ---------------------------------------------------------------- */

static void replace(struct worker *worker, size_t times)
{
	void **slot;

	while (times--) {
		slot = &worker->slots[next_random(worker) % SLOTS];
		release(worker, *slot);
		*slot = allocate(worker);
	}
}

static void keep_to_itself(struct worker *worker)
{
	replace(worker, OPERATIONS / 2);
}

/* As servers do: what one worker allocates another one frees. */
static void swap_blocks(struct worker *worker)
{
	static void **_Atomic spare;
	unsigned int i;

	for (i = 0; i < OPERATIONS / LIFE; i++) {
		replace(worker, LIFE / 2);
		do {
			worker->slots = atomic_exchange(&spare, worker->slots);
		} while (!worker->slots &&
			 (worker->slots = calloc(SLOTS, sizeof(void *))) == 0);
	}
}

static void *live(void *arg)
{
	struct worker *worker = arg;

	lock_count_here(counting ? worker->counts : NULL);
	replace(worker, LIFE / 2);
	return NULL;
}

static void pass_on(struct worker *worker)
{
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < OPERATIONS / LIFE; i++) {
		KUNIT_ASSERT_EQ(this_test, pthread_create(&thread, NULL, live,
							  worker), 0);
		pthread_join(thread, NULL);
	}
}

static void make_waves(struct worker *worker)
{
	void *blocks[WAVE];
	unsigned int i, wave;

	for (wave = 0; wave < OPERATIONS / WAVE / 2; wave++) {
		for (i = 0; i < WAVE; i++)
			blocks[i] = allocate(worker);
		for (i = 0; i < WAVE; i++)
			release(worker, blocks[i]);
	}
}

static void *_Atomic rings[THREADS_MAX][RING_SIZE];

static void produce(struct worker *worker)
{
	void *_Atomic *ring = rings[worker->number / 2];
	unsigned int i;

	for (i = 0; i < OPERATIONS; i++) {
		while (atomic_load(&ring[i % RING_SIZE]))
			sched_yield();
		atomic_store(&ring[i % RING_SIZE], allocate(worker));
	}
}

static void consume(struct worker *worker)
{
	void *_Atomic *ring = rings[worker->number / 2];
	void *block;
	unsigned int i;

	for (i = 0; i < OPERATIONS; i++) {
		while (!(block = atomic_exchange(&ring[i % RING_SIZE], NULL)))
			sched_yield();
		release(worker, block);
	}
}

static void hand_over(struct worker *worker)
{
	if (worker->number % 2)
		consume(worker);
	else
		produce(worker);
}

#define AT_ALL_WIDTHS(name, run, min, max, least)			\
	{ name, run, 4, min, max, least },				\
	{ name, run, 8, min, max, least },				\
	{ name, run, 16, min, max, least },				\
	{ name, run, 64, min, max, least }

static const struct work few_works[] = {
	{ "own", keep_to_itself, 64, 16, 256, 100 },
	{ "larson", swap_blocks, 64, 16, 1024, 100 },
	{ "lives", pass_on, 16, 16, 1024, 100 },
	{ "waves_wide", make_waves, 16, 16, 8192, 8 },
	{ "producer", hand_over, 64, 16, 256, 60 },
	{ "producer_64", hand_over, 4, 64, 64, 60 },
};

/*
 * Objects of slabs that became mixed ones are freed one by one: how many there
 * are is chance, most so in waves.
 *
 * From the first request on. What is more than 2 KiB is fetched by bytes, and
 * so few at a time, until ACE knows that many are wanted.
 */
static const struct work cold_works[] = {
	AT_ALL_WIDTHS("own", keep_to_itself, 16, 256, 100),
	AT_ALL_WIDTHS("own_wide", keep_to_itself, 16, 8192, 8),
	AT_ALL_WIDTHS("own_8k", keep_to_itself, 8192, 8192, 30),
	AT_ALL_WIDTHS("larson", swap_blocks, 16, 1024, 100),
	AT_ALL_WIDTHS("larson_wide", swap_blocks, 16, 8192, 8),
	AT_ALL_WIDTHS("lives", pass_on, 16, 1024, 100),
	AT_ALL_WIDTHS("waves", make_waves, 16, 1024, 100),
	AT_ALL_WIDTHS("waves_wide", make_waves, 16, 8192, 8),
	AT_ALL_WIDTHS("producer", hand_over, 16, 256, 60),
	AT_ALL_WIDTHS("producer_64", hand_over, 64, 64, 60),
	AT_ALL_WIDTHS("producer_1k", hand_over, 1024, 1024, 8),
	AT_ALL_WIDTHS("producer_wide", hand_over, 16, 8192, 8),
};

static const struct work warm_works[] = {
	AT_ALL_WIDTHS("own", keep_to_itself, 16, 256, 1000),
	AT_ALL_WIDTHS("own_wide", keep_to_itself, 16, 8192, 100),
	AT_ALL_WIDTHS("larson", swap_blocks, 16, 1024, 300),
	AT_ALL_WIDTHS("larson_wide", swap_blocks, 16, 8192, 30),
	AT_ALL_WIDTHS("waves_wide", make_waves, 16, 8192, 4),
	AT_ALL_WIDTHS("producer", hand_over, 16, 256, 100),
	AT_ALL_WIDTHS("producer_64", hand_over, 64, 64, 60),
	AT_ALL_WIDTHS("producer_1k", hand_over, 1024, 1024, 30),
	AT_ALL_WIDTHS("producer_wide", hand_over, 16, 8192, 30),
	AT_ALL_WIDTHS("producer_8k", hand_over, 8192, 8192, 2),
};

static void describe_work(const void *param, char *text, size_t size)
{
	const struct work *work = param;

	snprintf(text, size, "%s_%u", work->name, work->threads);
}

/* --- Counting ------------------------------------------------------------- */

static bool is_warm(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 +
	       (now.tv_nsec - since->tv_nsec) / 1000000 >= WARM_MS;
}

/* Rounds that do not count, if any, and one that does. */
static void *work_at_it(void *arg)
{
	struct worker *worker = arg;
	struct timespec began;

	clock_gettime(CLOCK_MONOTONIC, &began);
	for (;;) {
		if (pthread_barrier_wait(&start) ==
		    PTHREAD_BARRIER_SERIAL_THREAD)
			counting = counting || is_warm(&began);
		pthread_barrier_wait(&start);
		if (counting)
			break;
		worker->work->run(worker);
	}
	worker->operations = 0;
	lock_count_here(worker->counts);
	worker->work->run(worker);
	lock_count_here(NULL);
	return NULL;
}

static void run_all(struct kunit *test, const struct work *work)
{
	pthread_t threads[THREADS_MAX];
	unsigned int i;

	this_test = test;
	pthread_barrier_init(&start, NULL, work->threads);
	for (i = 0; i < work->threads; i++) {
		workers[i].work = work;
		workers[i].number = i;
		workers[i].random = i + 1;
		workers[i].slots = calloc(SLOTS, sizeof(void *));
		KUNIT_ASSERT_NOT_NULL(test, workers[i].slots);
	}
	for (i = 0; i < work->threads; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     work_at_it, &workers[i]),
				0);
	for (i = 0; i < work->threads; i++)
		pthread_join(threads[i], NULL);
}

/* Operations of a worker for each time that it took a lock; the least. */
struct finding {
	unsigned long one_lock, all_locks;
	const char *name;
};

static void look_at(const struct worker *worker, struct finding *finding)
{
	unsigned long all = 0, each;
	unsigned int number;

	for (number = 0; number < LOCK_NUMBERS; number++) {
		if (!worker->counts[number])
			continue;
		all += worker->counts[number];
		each = worker->operations / worker->counts[number];
		if (each < finding->one_lock) {
			finding->one_lock = each;
			finding->name = lock_name(number);
		}
	}
	finding->all_locks = min(finding->all_locks,
				 worker->operations / max(all, 1UL));
}

static void count_locks(struct kunit *test)
{
	struct finding finding = { ~0UL, ~0UL, "none" };
	const struct work *work = test->param_value;
	struct lock_stats stats = { .at = NULL };
	unsigned long contended = 0, taken = 0;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_HAKMEM_LOCK_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_LOCK_STATS is not set");
	lock_stats_start();
	run_all(test, work);
	for (i = 0; i < work->threads; i++)
		look_at(&workers[i], &finding);
	while (lock_stats_next(&stats)) {
		contended += stats.contended;
		taken += stats.taken;
	}
	kunit_info(test, "%s, %u threads: operations per lock %lu (%s), "
		   "for all locks %lu; %lu of %lu contended", work->name,
		   work->threads, finding.one_lock, finding.name,
		   finding.all_locks, contended, taken);
	KUNIT_EXPECT_GE(test, finding.one_lock, work->least);
}

static void locks_are_seldom_taken(struct kunit *test)
{
	counting = true;
	count_locks(test);
}

static void locks_are_seldom_taken_by_any(struct kunit *test)
{
	locks_are_seldom_taken(test);
}

static void locks_are_seldom_taken_later(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_ACE))
		kunit_skip(test, "CONFIG_HAKMEM_ACE is not set");
	count_locks(test);
}

static const struct kunit_case contention_cases[] = {
	KUNIT_CASE_PARAM(locks_are_seldom_taken, few_works, describe_work),
	KUNIT_CASE_PARAM_SLOW(locks_are_seldom_taken_by_any, cold_works,
			      describe_work),
	KUNIT_CASE_PARAM_SLOW(locks_are_seldom_taken_later, warm_works,
			      describe_work),
	{}
};

static const struct kunit_suite contention_suite = {
	.name = "contention",
	.test_cases = contention_cases,
};
kunit_test_suite(contention_suite);
