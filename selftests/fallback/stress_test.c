// SPDX-License-Identifier: MIT
/*
 * Threads that allocate, resize and free each other's blocks while memory calls
 * fail: blocks of the tiers and of libc in one heap, their content checked.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/fallback.h"
#include "mm/fault.h"
#include "mm/registry.h"
#include "oom.h"

#define THREADS		4
#define SLOTS		400
#define SIZE_MAX_USED	(400 * KIB)
#define SECONDS		2.0
#define TURN_USEC	20000
#define FORKS		20

/* At the start of each block; the pattern follows. */
struct tag {
	size_t size;
	uint64_t seed;
};

/* A block belongs to who exchanges it for NULL. */
static struct tag *slots[SLOTS];
static bool stop;
static unsigned long of_tiers, refused;	/* atomic */

static struct tag *swap(size_t slot, struct tag *block)
{
	return __atomic_exchange_n(&slots[slot], block, __ATOMIC_ACQ_REL);
}

static void fill(struct tag *block, size_t size, uint64_t seed)
{
	block->size = size;
	block->seed = seed;
	pattern_fill(block + 1, size - sizeof(*block), seed);
}

static void check(const struct tag *block)
{
	OOM_CHECK(hak_malloc_usable_size((void *)(uintptr_t)block) >=
		  block->size);
	OOM_CHECK(pattern_intact(block + 1, block->size - sizeof(*block),
				 block->seed));
}

static struct tag *count(struct tag *block)
{
	unsigned int none = 0;

	if (oom_refused(block, &none))
		__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
	else if (registry_class(block) != CLASS_NONE)
		__atomic_add_fetch(&of_tiers, 1, __ATOMIC_RELAXED);
	return block;
}

static size_t some_size(struct prng *prng)
{
	return sizeof(struct tag) + prng_size(prng, SIZE_MAX_USED);
}

static struct tag *allocate(struct prng *prng)
{
	size_t size = some_size(prng);
	size_t align = (size_t)16 << prng_below(prng, 10);
	struct tag *block;

	switch (prng_below(prng, 4)) {
	case 0:
		block = count(hak_calloc(1, size));
		OOM_CHECK(!block || bytes_are((void *)block, size, 0));
		break;
	case 1:
		block = count(hak_aligned_alloc(align, size));
		OOM_CHECK(!block || is_aligned(block, align));
		break;
	default:
		block = count(hak_malloc(size));
		break;
	}
	if (block)
		fill(block, size, prng_next(prng));
	return block;
}

/* Return: the block, its old self when there was no memory for another. */
static struct tag *resize(struct tag *block, struct prng *prng)
{
	size_t size = some_size(prng), had = block->size;
	struct tag *resized = count(hak_realloc(block, size));

	if (!resized)
		return block;
	OOM_CHECK(resized->size == had);
	OOM_CHECK(pattern_intact(resized + 1, min(had, size) / 8 * 8 -
				 sizeof(*block), resized->seed));
	fill(resized, size, prng_next(prng));
	return resized;
}

static void work_once(struct prng *prng)
{
	struct tag *block = swap(prng_below(prng, SLOTS), NULL);

	if (block) {
		check(block);
		if (prng_below(prng, 3) == 0) {
			block = resize(block, prng);
		} else {
			hak_free(block);
			block = NULL;
		}
	}
	if (!block)
		block = allocate(prng);
	block = swap(prng_below(prng, SLOTS), block);
	if (block) {
		check(block);
		hak_free(block);
	}
}

static void *work(void *seed)
{
	struct prng prng = { (uintptr_t)seed };

	errno = 0;
	while (!READ_ONCE(stop))
		work_once(&prng);
	return NULL;
}

static const struct fault_plan plans[] = {
	{ .calls = VM_CALL_BIT(VM_CALL_MAP), .first = 1, .interval = 1 },
	{ .calls = VM_CALLS_ALL, .permille = 300 },
	{ .calls = VM_CALL_BIT(VM_CALL_MAP), .first = 3, .interval = 2 },
	{ 0 },
};

static void start_workers(struct kunit *test, pthread_t *threads)
{
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL, work,
				(void *)(prng_seed() + i)), 0);
}

static void end_workers(pthread_t *threads)
{
	size_t i;

	WRITE_ONCE(stop, true);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	fault_set(NULL);
	for (i = 0; i < SLOTS; i++) {
		if (slots[i])
			check(slots[i]);
		hak_free(slots[i]);
	}
}

/* What comes next finds little that the tiers could serve it from. */
static void make_tiers_small(void)
{
	struct tag *block;
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		block = swap(i, NULL);
		if (block)
			check(block);
		hak_free(block);
	}
	hak_malloc_trim(0);
}

static void stress(struct kunit *test)
{
	double end = seconds_now() + SECONDS;
	pthread_t threads[THREADS];
	size_t turn = 0;

	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	fault_set(&plans[0]);
	start_workers(test, threads);
	/* So far no tier has anything: all kinds of block are libc's. */
	usleep(10 * TURN_USEC);
	while (seconds_now() < end) {
		usleep(TURN_USEC);
		fault_set(&plans[++turn % ARRAY_LENGTH(plans)]);
		make_tiers_small();
	}
	end_workers(threads);
}

static void expect_nothing_lost(struct kunit *test)
{
	struct hak_mallinfo2 info;

	hak_malloc_trim(0);
	info = hak_mallinfo2();
	KUNIT_EXPECT_EQ(test, info.uordblks, 0);
	KUNIT_EXPECT_EQ(test, info.hblkhd, 0);
	KUNIT_EXPECT_EQ(test, info.smblks, 0);
}

static void threads_share_both_kinds(struct kunit *test)
{
	struct fallback_stats stats;

	setenv("HAKMEM_ALLOW_MALLOC_FALLBACK", "1", 1);
	stress(test);
	KUNIT_ASSERT_TRUE(test, fallback_stats(&stats));
	kunit_info(test, "%zu blocks of libc, %lu of tiers",
		   stats.handed_out, of_tiers);
	KUNIT_EXPECT_GT(test, stats.handed_out, 5000);
	KUNIT_EXPECT_GT(test, of_tiers, 500);
	KUNIT_EXPECT_EQ(test, refused, 0);
	KUNIT_EXPECT_EQ(test, stats.blocks, 0);
	KUNIT_EXPECT_EQ(test, stats.bytes, 0);
	expect_nothing_lost(test);
}

/* The same without libc: NULL and ENOMEM, which count() looks for. */
static void threads_are_refused(struct kunit *test)
{
	struct fallback_stats stats;

	setenv("HAKMEM_ALLOW_MALLOC_FALLBACK", "0", 1);
	stress(test);
	kunit_info(test, "%lu refused, %lu of tiers", refused, of_tiers);
	KUNIT_EXPECT_GT(test, refused, 500);
	KUNIT_EXPECT_GT(test, of_tiers, 500);
	KUNIT_EXPECT_FALSE(test, fallback_stats(&stats));
	expect_nothing_lost(test);
}

/* In a child: its parent's blocks of both kinds, and more of them. */
static void live_on(struct tag **blocks, size_t n, uint64_t seed)
{
	struct prng prng = { seed };
	size_t i;

	errno = 0;
	for (i = 0; i < n; i++) {
		check(blocks[i]);
		if (i % 4 < 2)
			blocks[i] = resize(blocks[i], &prng);
		check(blocks[i]);
		hak_free(blocks[i]);
		blocks[i] = allocate(&prng);
		OOM_CHECK(blocks[i]);
	}
	for (i = 0; i < n; i++)
		hak_free(blocks[i]);
	_exit(0);
}

static void child_has_both_kinds(struct kunit *test)
{
	struct tag *blocks[200];
	struct prng prng = { prng_seed() };
	struct fallback_stats stats;
	pthread_t threads[THREADS];
	int i, status;
	pid_t pid;

	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	setenv("HAKMEM_ALLOW_MALLOC_FALLBACK", "1", 1);
	for (i = 0; i < ARRAY_LENGTH(blocks); i += 2) {
		blocks[i] = allocate(&prng);
		KUNIT_ASSERT_NOT_NULL(test, blocks[i]);
		blocks[i + 1] = fallback_alloc(1000, 64, false);
		KUNIT_ASSERT_NOT_NULL(test, blocks[i + 1]);
		fill(blocks[i + 1], 1000, prng_next(&prng));
	}
	fault_set(&plans[0]);
	start_workers(test, threads);
	for (i = 0; i < FORKS; i++) {
		pid = fork();
		if (!pid)
			live_on(blocks, ARRAY_LENGTH(blocks), (uint64_t)i);
		KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
		KUNIT_EXPECT_EQ(test, status, 0);
	}
	end_workers(threads);
	for (i = 0; i < ARRAY_LENGTH(blocks); i++) {
		check(blocks[i]);
		hak_free(blocks[i]);
	}
	fallback_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.blocks, 0);
	expect_nothing_lost(test);
}

static const struct kunit_case stress_cases[] = {
	KUNIT_CASE(threads_share_both_kinds),
	KUNIT_CASE(threads_are_refused),
	KUNIT_CASE(child_has_both_kinds),
	{}
};

static const struct kunit_suite stress_suite = {
	.name = "stress",
	.test_cases = stress_cases,
};
kunit_test_suite(stress_suite);
