// SPDX-License-Identifier: MIT
/*
 * Programs that move on to other sizes and leave survivors behind: what is free
 * between these serves the next size, and nobody's content is touched by that.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/ace.h"
#include "mm/cache.h"
#include "mm/mixed.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "report.h"

/* Without a delay, all that is freed is searched and given back at once. */
#define LIVE		(CONFIG_HAKMEM_DECAY_MS ? 24 * MIB : 6 * MIB)
#define PHASES		9
#define SURVIVORS_MAX	200000

/**
 * struct survivor - an object that outlives its phase
 * @p: where it is
 * @size: what was asked for
 */
struct survivor {
	unsigned char *p;
	size_t size;
};

/**
 * struct life - of a program, or of one of its threads
 * @prng: its chance
 * @live: bytes in use at a time
 * @survivors: objects of all earlier phases
 * @count: of these
 * @failed: content was not what it should be
 */
struct life {
	struct prng prng;
	size_t live;
	struct survivor *survivors;
	size_t count;
	bool failed;
};

/* The first bytes and the last tell whose it is. */
static void sign(unsigned char *p, size_t size)
{
	memset(p, (int)((uintptr_t)p >> 4), size);
}

static bool is_signed(const unsigned char *p, size_t size)
{
	return bytes_are(p, size, (unsigned char)((uintptr_t)p >> 4));
}

static void take_leave(struct life *life, unsigned char **objs, size_t count,
		       size_t size)
{
	size_t i;

	for (i = 0; i < count; i++) {
		life->failed |= !is_signed(objs[i], size);
		if (prng_below(&life->prng, 50) ||
		    life->count == SURVIVORS_MAX)
			hak_free(objs[i]);
		else
			life->survivors[life->count++] =
				(struct survivor){ objs[i], size };
	}
}

static void live_a_phase(struct life *life, size_t size)
{
	size_t count = life->live / size, i;
	unsigned char **objs = calloc(count, sizeof(*objs));

	for (i = 0; i < count; i++) {
		objs[i] = hak_malloc(size);
		if (!objs[i])
			abort();
		sign(objs[i], size);
	}
	take_leave(life, objs, count, size);
	free(objs);
}

static void check_survivors(struct life *life)
{
	size_t i;

	for (i = 0; i < life->count; i++)
		life->failed |= !is_signed(life->survivors[i].p,
					   life->survivors[i].size);
}

static void live(struct life *life)
{
	size_t size = 24;
	int phase;

	life->survivors = calloc(SURVIVORS_MAX, sizeof(*life->survivors));
	for (phase = 0; phase < PHASES; phase++) {
		live_a_phase(life, size);
		size += size - 7;
	}
	check_survivors(life);
}

static void die(struct life *life)
{
	check_survivors(life);
	while (life->count)
		hak_free(life->survivors[--life->count].p);
	free(life->survivors);
}

/*
 * Without that, the cases would test nothing. When slabs become mixed ones is a
 * matter of time and size: known of what is close to the default.
 */
static void expect_mixed_slabs(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_HAKMEM_ACE) && IS_ENABLED(CONFIG_HAKMEM_TINY) &&
	    CONFIG_HAKMEM_ACE_TICK_MS <= 100 && CONFIG_HAKMEM_DECAY_MS >= 100)
		KUNIT_ASSERT_GE(test, mixed_free_bytes(), MIB);
}

static void survivors_stay_as_they_were(struct kunit *test)
{
	struct life life = { .prng = { prng_seed() }, .live = LIVE };
	struct superslab_usage usage;

	live(&life);
	expect_mixed_slabs(test);
	die(&life);
	KUNIT_EXPECT_FALSE(test, life.failed);
	hak_malloc_trim(0);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, usage.mapped);
	KUNIT_EXPECT_EQ(test, mixed_free_bytes(), 0);
	KUNIT_EXPECT_EQ(test, hak_mallinfo2().uordblks, 0);
}

static void survivors_can_grow(struct kunit *test)
{
	struct life life = { .prng = { prng_seed() }, .live = LIVE };
	size_t i;

	live(&life);
	for (i = 0; i < life.count; i++) {
		struct survivor *survivor = &life.survivors[i];
		unsigned char first = survivor->p[0];

		KUNIT_ASSERT_GE(test, hak_malloc_usable_size(survivor->p),
				survivor->size);
		KUNIT_ASSERT_TRUE(test, is_aligned(survivor->p, 16));
		survivor->p = hak_realloc(survivor->p, survivor->size * 2);
		KUNIT_ASSERT_NOT_NULL(test, survivor->p);
		KUNIT_ASSERT_TRUE(test, bytes_are(survivor->p, survivor->size,
						  first));
		survivor->size *= 2;
		sign(survivor->p, survivor->size);
	}
	die(&life);
	KUNIT_EXPECT_FALSE(test, life.failed);
}

/* They come from the same holes as others. */
static void alignment_is_kept(struct kunit *test)
{
	struct life life = { .prng = { prng_seed() }, .live = LIVE };
	void *p[1000];
	size_t align, i;

	live(&life);
	for (align = 32; align <= 4096; align *= 2) {
		for (i = 0; i < ARRAY_LENGTH(p); i++) {
			p[i] = hak_aligned_alloc(align, align);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			KUNIT_ASSERT_TRUE(test, is_aligned(p[i], align));
			memset(p[i], 1, align);
		}
		for (i = 0; i < ARRAY_LENGTH(p); i++)
			hak_free(p[i]);
	}
	die(&life);
	KUNIT_EXPECT_FALSE(test, life.failed);
}

static void *live_in_thread(void *arg)
{
	live(arg);
	return NULL;
}

/* The survivors of each are freed by another. */
static void threads_share_what_is_free(struct kunit *test)
{
	struct life lives[4];
	pthread_t threads[ARRAY_LENGTH(lives)];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(lives); i++) {
		lives[i] = (struct life){
			.prng = { prng_seed() + i }, .live = LIVE / 3,
		};
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     live_in_thread,
						     &lives[i]), 0);
	}
	for (i = 0; i < ARRAY_LENGTH(lives); i++)
		pthread_join(threads[i], NULL);
	expect_mixed_slabs(test);
	for (i = 0; i < ARRAY_LENGTH(lives); i++) {
		die(&lives[i]);
		KUNIT_EXPECT_FALSE(test, lives[i].failed);
	}
}

static void free_twice(void *p)
{
	hak_free(opaque(p));
	hak_free(opaque(p));
	hak_malloc_trim(0);
}

static void free_once(void *p)
{
	hak_free(opaque(p));
	hak_malloc_trim(0);
}

static void wrong_pointers_are_noticed(struct kunit *test)
{
	struct life life = { .prng = { prng_seed() }, .live = LIVE };
	struct survivor *survivor;
	size_t i;

	live(&life);
	for (i = 0; i < life.count; i += life.count / 16) {
		survivor = &life.survivors[i];
		KUNIT_EXPECT_DEATH(test, free_twice, survivor->p, SIGABRT,
				   "^hakmem: free\\(\\): (double free|not all"
				   "ocated).*%p", (void *)survivor->p);
		KUNIT_EXPECT_DEATH(test, free_once, survivor->p + 8, SIGABRT,
				   "^hakmem: free\\(\\): not the start.*%p",
				   (void *)(survivor->p + 8));
		KUNIT_EXPECT_SURVIVAL(test, free_once, survivor->p);
	}
	die(&life);
	KUNIT_EXPECT_FALSE(test, life.failed);
}

/* While others cut and give back. */
static void children_go_on(struct kunit *test)
{
	struct life mine = { .prng = { prng_seed() }, .live = LIVE / 3 };
	struct life other = { .prng = { 7 }, .live = LIVE / 3 };
	pthread_t thread;
	int status, i;
	pid_t pid;

	if (IS_ENABLED(CONFIG_HAKMEM_LIBC))
		kunit_skip(test, "it is the C library that calls what mends "
			   "a child");
	live(&mine);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, live_in_thread,
					     &other), 0);
	for (i = 0; i < 40; i++) {
		pid = fork();
		KUNIT_ASSERT_GE(test, pid, 0);
		if (!pid) {
			live_a_phase(&mine, 100);
			die(&mine);
			_exit(mine.failed);
		}
		KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
		KUNIT_EXPECT_EQ(test, status, 0);
	}
	pthread_join(thread, NULL);
	die(&mine);
	die(&other);
	KUNIT_EXPECT_FALSE(test, mine.failed || other.failed);
}

#define SLAB_OBJECT	((size_t)4096)
#define SLAB_OBJECTS	(SLAB_SIZE / SLAB_OBJECT)

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Of so many slabs, with an object each: to make them mixed and purge them. */
static double seconds_to_mix(struct kunit *test, size_t slabs)
{
	size_t i, kept = 0, count = slabs * SLAB_OBJECTS;
	char **objs = calloc(count, sizeof(*objs));
	double begun;

	for (i = 0; i < count; i++) {
		objs[i] = hak_malloc(SLAB_OBJECT);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	/* Classes that shrink become mixed: since the last look. */
	slab_pool_mix();
	for (i = 0; i < count; i++) {
		if (is_aligned(objs[i], SLAB_SIZE))
			objs[kept++] = objs[i];
		else
			hak_free(objs[i]);
	}
	cache_reclaim();
	begun = cpu_seconds();
	slab_pool_mix();
	/* The second time, what was free all the time since the first goes. */
	slab_pool_expire();
	slab_pool_expire();
	begun = cpu_seconds() - begun;
	KUNIT_EXPECT_GE(test, mixed_free_bytes(), slabs * SLAB_SIZE / 2);
	while (kept)
		hak_free(objs[--kept]);
	free(objs);
	hak_malloc_trim(0);
	return begun;
}

/* Were all passed by for each batch of them, it would be sixteen times. */
static void many_slabs_take_their_time_each(struct kunit *test)
{
	double few, many;

	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN) || sizeof(void *) == 4 ||
	    !IS_ENABLED(CONFIG_HAKMEM_MID) || CONFIG_HAKMEM_DECAY_MS < 100)
		kunit_skip(test, "the hardened build, 32 bits, no mid tier, or "
			   "nothing is kept");
	kunit_need_plain(test);
	seconds_to_mix(test, 500);
	few = seconds_to_mix(test, 8000);
	many = seconds_to_mix(test, 32000);
	kunit_info(test, "8000 slabs: %.1f ms, 32000: %.1f ms", few * 1e3,
		   many * 1e3);
	KUNIT_EXPECT_MSG(test, many < 8 * few, "%.1f ms and %.1f ms",
			 few * 1e3, many * 1e3);
}

static const struct kunit_case mixed_cases[] = {
	KUNIT_CASE(survivors_stay_as_they_were),
	KUNIT_CASE(survivors_can_grow),
	KUNIT_CASE(alignment_is_kept),
	KUNIT_CASE(threads_share_what_is_free),
	KUNIT_CASE(wrong_pointers_are_noticed),
	KUNIT_CASE(children_go_on),
	KUNIT_CASE_SLOW(many_slabs_take_their_time_each),
	{}
};

static const struct kunit_suite mixed_suite = {
	.name = "mixed",
	.test_cases = mixed_cases,
};
kunit_test_suite(mixed_suite);
