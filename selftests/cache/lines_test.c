// SPDX-License-Identifier: MIT
/*
 * What malloc() and free() write without a lock is one thread's alone, down to
 * the pairs of lines that processors fetch: the cache, the magazines that are
 * loaded, and the places of what was freed last.
 */
#include <pthread.h>
#include <stdlib.h>

#include "../../mm/cache/magazine.h"
#include "hakmem.h"
#include "kunit.h"
#include "memory.h"

#define THREADS		64
#define LINES_MAX	65536
#define OBJECTS		300

/* Lines that thread @owner writes. */
struct lines {
	uintptr_t number;
	unsigned int owner;
};

static struct lines written[LINES_MAX];
static size_t nr_written;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_have, may_end;

static void note(struct kunit *test, unsigned int owner, const void *from,
		 size_t size)
{
	uintptr_t number = (uintptr_t)from / ARCH_LINES_BYTES;

	for (; number * ARCH_LINES_BYTES < (uintptr_t)from + size; number++) {
		KUNIT_ASSERT_LE(test, nr_written + 1, LINES_MAX);
		written[nr_written++] = (struct lines){ number, owner };
	}
}

static void note_cache(struct kunit *test, unsigned int owner)
{
	const struct cache *cache = cache_self(cache_tables_base());
	const struct magazine *loaded;
	unsigned int class;

	KUNIT_ASSERT_TRUE(test, cache_is_real(cache));
	note(test, owner, cache, sizeof(*cache));
	if (cache->recent)
		note(test, owner, cache->recent,
		     RECENT_FREES * sizeof(*cache->recent));
	for (class = 1; class < NR_CLASSES; class++) {
		loaded = magazine_of(cache->top[class]);
		if (loaded)
			note(test, owner, loaded, sizeof(*loaded));
		if (cache->spare[class])
			note(test, owner, cache->spare[class],
			     sizeof(*cache->spare[class]));
	}
}

static void *load_magazines(void *arg)
{
	static unsigned int nr_threads;
	void *objs[OBJECTS];
	unsigned int i;
	size_t size;

	for (size = 16; size <= 4096; size *= 2) {
		for (i = 0; i < OBJECTS; i++)
			objs[i] = hak_malloc(size);
		for (i = 0; i < OBJECTS; i++)
			hak_free(objs[i]);
	}
	pthread_barrier_wait(&all_have);
	pthread_mutex_lock(&lock);
	note_cache(arg, nr_threads++);
	pthread_mutex_unlock(&lock);
	pthread_barrier_wait(&may_end);
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	const struct lines *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

static void threads_write_lines_of_their_own(struct kunit *test)
{
	pthread_t threads[THREADS];
	size_t i;

	pthread_barrier_init(&all_have, NULL, THREADS);
	pthread_barrier_init(&may_end, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     load_magazines, test), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	KUNIT_EXPECT_GT(test, nr_written, THREADS * sizeof(struct cache) /
			ARCH_LINES_BYTES);
	qsort(written, nr_written, sizeof(*written), by_number);
	for (i = 1; i < nr_written; i++) {
		if (written[i].number == written[i - 1].number)
			KUNIT_EXPECT_EQ(test, written[i].owner,
					written[i - 1].owner);
	}
}

static const struct kunit_case lines_cases[] = {
	KUNIT_CASE(threads_write_lines_of_their_own),
	{}
};

static const struct kunit_suite lines_suite = {
	.name = "lines",
	.test_cases = lines_cases,
};
kunit_test_suite(lines_suite);
