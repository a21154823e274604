// SPDX-License-Identifier: MIT
/*
 * Random operations, sizes from 0 to 1 GiB, against a shadow of the heap.
 * KUNIT_SEED chooses the sequence.
 */
#include "block.h"
#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "replay.h"
#include "report.h"
#include "shadow.h"

/* 32 bits have no room for many of 1 GiB. */
#define LARGEST_LOG2	(sizeof(void *) == 4 ? 26U : 30U)
#define LARGEST		((size_t)1 << LARGEST_LOG2)

static void run(struct kunit *test, const struct replay_plan *plan,
		struct replay_result *result)
{
	struct hak_mallinfo2 info;

	replay_run(plan, result);
	kunit_info(test, "KUNIT_SEED=%ju: %ju operations, %ju blocks to %zu "
		   "MiB, %ju resized, %ju freed elsewhere, %ju threads ended",
		   (uintmax_t)plan->seed, (uintmax_t)result->operations,
		   (uintmax_t)result->allocations, result->largest / MIB,
		   (uintmax_t)result->resizes, (uintmax_t)result->strangers,
		   (uintmax_t)result->exits);
	info = hak_mallinfo2();
	/* What rests in quarantine is nobody's yet. */
	if (!IS_ENABLED(CONFIG_HAKMEM_HARDEN_QUARANTINE))
		KUNIT_EXPECT_EQ(test, info.uordblks, 0);
	KUNIT_EXPECT_EQ(test, info.hblkhd, 0);
}

/* The same threads in the same order each time. */
static void run_in_turns(struct kunit *test, uint64_t operations)
{
	struct replay_plan plan = {
		.seed = prng_seed(), .operations = operations,
		.worlds = 1, .lanes = 4, .size_log2 = LARGEST_LOG2,
		.live_bytes = 3 * (LARGEST / 2),
	};
	struct replay_result result;

	run(test, &plan, &result);
	KUNIT_EXPECT_GT(test, result.exits, 4);
	KUNIT_EXPECT_GT(test, result.strangers, operations / 10);
	KUNIT_EXPECT_GT(test, result.largest, LARGEST / 2);
}

/* All at the same time, handing blocks to each other. */
static void run_together(struct kunit *test, uint64_t operations,
			 unsigned int size_log2)
{
	struct replay_plan plan = {
		.seed = prng_seed(), .operations = operations / 4,
		.worlds = 4, .lanes = 2, .size_log2 = size_log2,
		.live_bytes = size_log2 < LARGEST_LOG2 ? GIB / 8 : LARGEST,
	};
	struct replay_result result;

	run(test, &plan, &result);
	KUNIT_EXPECT_GT(test, result.exits, 2 * 4);
	KUNIT_EXPECT_GT(test, result.strangers, operations / 10);
}

static void threads_take_turns(struct kunit *test)
{
	run_in_turns(test, 100000);
}

static void threads_run_together(struct kunit *test)
{
	run_together(test, 100000, LARGEST_LOG2);
}

static void small_blocks(struct kunit *test)
{
	run_together(test, 3000000, 14);
}

/* 10^8 operations, these four. */
static void threads_take_many_turns(struct kunit *test)
{
	run_in_turns(test, 5000000);
}

static void threads_run_together_long(struct kunit *test)
{
	run_together(test, 5000000, LARGEST_LOG2);
}

static void many_middling_blocks(struct kunit *test)
{
	run_together(test, 20000000, 20);
}

static void many_small_blocks(struct kunit *test)
{
	run_together(test, 70000000, 14);
}

static uint64_t stream_of(uint64_t seed)
{
	struct replay_plan plan = {
		.seed = seed, .operations = 20000, .worlds = 1, .lanes = 3,
		.size_log2 = 24, .live_bytes = 64 * MIB,
	};
	struct replay_result result;

	replay_run(&plan, &result);
	return result.stream;
}

static void seed_chooses_the_stream(struct kunit *test)
{
	uint64_t stream = stream_of(1);

	KUNIT_EXPECT_EQ(test, stream_of(1), stream);
	KUNIT_EXPECT_NE(test, stream_of(2), stream);
}

/* Would all of this be noticed? */
static void shadow_sees_overlap(struct kunit *test)
{
	static const struct {
		size_t from, size, other, other_size;
	} pairs[] = {
		{ 0, 16, 0, 16 },
		{ 0, 48, 32, 16 },
		{ 1024, 4096, 1008, 32 },
		{ 65520, 32, 65536, 16 },
		{ 0, 3 * 65536, 65536 + 16, 16 },
		{ 65536 + 16, 16, 0, 3 * 65536 },
		{ 32, MIB, 3 * 65536, 65536 },
		{ 4096, 4 * MIB, 4 * MIB + 4080, 4096 },
		{ GIB - 65536, 131072, GIB, 16 },
	};
	const char *base = (char *)((uintptr_t)3 << 30);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(pairs); i++) {
		if (sizeof(void *) == 4 && pairs[i].other >= GIB)
			continue;
		KUNIT_EXPECT_TRUE(test, shadow_enter(base + pairs[i].from,
						     pairs[i].size));
		KUNIT_EXPECT_TRUE(test, shadow_leave(base + pairs[i].from,
						     pairs[i].size));
		shadow_enter(base + pairs[i].from, pairs[i].size);
		KUNIT_EXPECT_MSG(test, !shadow_enter(base + pairs[i].other,
						     pairs[i].other_size),
				 "pair %zu", i);
		base += sizeof(void *) == 4 ? 16 * MIB : 4 * GIB;
	}
	KUNIT_EXPECT_FALSE(test, shadow_leave(base, 16));
	KUNIT_EXPECT_FALSE(test, shadow_leave(base, MIB));
	KUNIT_EXPECT_TRUE(test, shadow_enter(base + 32, 4 * MIB));
	KUNIT_EXPECT_TRUE(test, shadow_enter(base + 32 + 4 * MIB, 100));
	KUNIT_EXPECT_TRUE(test, shadow_enter(base, 32));
}

static void content_is_looked_at(struct kunit *test)
{
	static const size_t sizes[] = { 16, 24, 512, 528, 70000, MIB };
	static unsigned char bytes[MIB];
	struct block block = { .ptr = bytes, .seed = 99 };
	size_t i, size;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		size = block.size = block.usable = sizes[i];
		block_fill(&block);
		KUNIT_EXPECT_TRUE(test, block_intact(&block, size));
		KUNIT_EXPECT_TRUE(test, block_intact(&block, size / 2 + 1));
		KUNIT_EXPECT_FALSE(test, block_zero(&block, size));
		bytes[size - 1]++;
		KUNIT_EXPECT_FALSE(test, block_intact(&block, size));
		KUNIT_EXPECT_TRUE(test, block_intact(&block, size - 1));
		bytes[0]++;
		KUNIT_EXPECT_FALSE(test, block_intact(&block, 1));
	}
}

static const struct kunit_case replay_cases[] = {
	KUNIT_CASE(shadow_sees_overlap),
	KUNIT_CASE(content_is_looked_at),
	KUNIT_CASE(seed_chooses_the_stream),
	KUNIT_CASE(threads_take_turns),
	KUNIT_CASE(threads_run_together),
	KUNIT_CASE(small_blocks),
	KUNIT_CASE_SLOW(threads_take_many_turns),
	KUNIT_CASE_SLOW(threads_run_together_long),
	KUNIT_CASE_SLOW(many_middling_blocks),
	KUNIT_CASE_SLOW(many_small_blocks),
	{}
};

static const struct kunit_suite replay_suite = {
	.name = "replay",
	.test_cases = replay_cases,
};
kunit_test_suite(replay_suite);
