// SPDX-License-Identifier: MIT
/*
 * The registry: what it says of every address, before, while and after it is
 * ours.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/init.h"
#include "mm/registry.h"
#include "mm/superslab.h"
#include "retained.h"

static int start_allocator(struct kunit *test)
{
	(void)test;
	init_ensure();
	return registry.nr_slabs ? 0 : -1;
}

static void no_class_elsewhere(struct kunit *test)
{
	static int in_data;
	int on_stack;
	char *in_libc_heap = malloc(10);
	const void *addrs[] = {
		NULL, (void *)1, (void *)4096, &in_data, &on_stack,
		in_libc_heap, (void *)(uintptr_t)no_class_elsewhere,
		(void *)0x00007fffffffffff, (void *)0x0000800000000000,
		(void *)0xffff800000000000, (void *)~(uintptr_t)0,
		(char *)registry.base - 1, (void *)registry.base,
		(char *)registry.base + (registry.nr_slabs << SLAB_SHIFT) - 1,
		(char *)registry.base + (registry.nr_slabs << SLAB_SHIFT),
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(addrs); i++) {
		KUNIT_EXPECT_MSG(test, registry_class(addrs[i]) == CLASS_NONE,
				 "%p", addrs[i]);
		KUNIT_EXPECT_MSG(test, !registry_superslab(addrs[i]), "%p",
				 addrs[i]);
	}
	free(in_libc_heap);
}

/* Every 64 KiB of the window that holds nothing, not only chosen places. */
static void empty_window_has_no_class(struct kunit *test)
{
	uint64_t step = registry.nr_slabs / 100000 + 1, i;

	for (i = 0; i < registry.nr_slabs; i += step)
		KUNIT_ASSERT_EQ(test, registry_class((char *)registry.base +
						     (i << SLAB_SHIFT)), 0);
}

static void slabs_have_their_class(struct kunit *test)
{
	unsigned int class;

	for (class = 1; class <= CLASS_MAX; class += 3) {
		unsigned int units = class_units(class);
		struct slab *slab;
		char *base, *p;

		slab = slab_get(class, units);
		KUNIT_ASSERT_NOT_NULL(test, slab);
		base = (char *)slab->base;
		for (p = base; p < base + units * SLAB_SIZE; p += 4093) {
			KUNIT_EXPECT_EQ(test, registry_class(p), class);
			KUNIT_EXPECT_PTR_EQ(test, registry_superslab(p),
					    slab->superslab);
			KUNIT_EXPECT_PTR_EQ(test, slab_of(slab->superslab, p),
					    slab);
		}
		slab_put(slab);
		KUNIT_EXPECT_EQ(test, registry_class(base), CLASS_NONE);
		KUNIT_EXPECT_EQ(test, registry_class(base + units * SLAB_SIZE -
						     1), CLASS_NONE);
	}
}

static void slabs_of_one_superslab_differ(struct kunit *test)
{
	struct slab *slabs[SUPERSLAB_SLABS];
	unsigned int i;

	for (i = 0; i < SUPERSLAB_SLABS; i++) {
		slabs[i] = slab_get(1 + i % 20, 1);
		KUNIT_ASSERT_NOT_NULL(test, slabs[i]);
		KUNIT_EXPECT_PTR_EQ(test, slabs[i]->superslab,
				    slabs[0]->superslab);
	}
	for (i = 0; i < SUPERSLAB_SLABS; i++)
		KUNIT_EXPECT_EQ(test, registry_class((void *)slabs[i]->base),
				1 + i % 20);
	for (i = 0; i < SUPERSLAB_SLABS; i += 2)
		slab_put(slabs[i]);
	for (i = 0; i < SUPERSLAB_SLABS; i++)
		KUNIT_EXPECT_EQ(test, registry_class((void *)slabs[i]->base),
				i % 2 ? 1 + i % 20 : CLASS_NONE);
}

static void whole_superslabs_have_their_class(struct kunit *test)
{
	struct superslab *superslab = superslab_get(CLASS_RUN, test);
	uintptr_t base, addr;

	KUNIT_ASSERT_NOT_NULL(test, superslab);
	base = superslab->base;
	KUNIT_EXPECT_EQ(test, base % SUPERSLAB_SIZE, 0);
	KUNIT_EXPECT_PTR_EQ(test, superslab->owner_data, test);
	KUNIT_EXPECT_TRUE(test, bytes_are((void *)base, SUPERSLAB_SIZE, 0));
	for (addr = base; addr < base + SUPERSLAB_SIZE; addr += 4096)
		KUNIT_ASSERT_EQ(test, registry_class((void *)addr), CLASS_RUN);
	KUNIT_EXPECT_NE(test, registry_class((void *)(base - 1)), CLASS_RUN);
	memset((void *)base, 1, SUPERSLAB_SIZE);
	superslab_put(superslab, ~(uint32_t)0);
	KUNIT_EXPECT_EQ(test, registry_class((void *)base), CLASS_NONE);
}

#define SUPERSLABS	200

/* All that were taken, each once, and none after they are handed back. */
static void walk_finds_all_superslabs(struct kunit *test)
{
	static struct superslab *taken[SUPERSLABS];
	struct superslab *found;
	size_t i, index = 0, count = 0;
	uintptr_t last = 0;

	for (i = 0; i < SUPERSLABS; i++) {
		taken[i] = superslab_get(CLASS_RUN, &taken[i]);
		KUNIT_ASSERT_NOT_NULL(test, taken[i]);
	}
	while ((found = registry_next_superslab(&index))) {
		KUNIT_EXPECT_GT(test, found->base, last);
		last = found->base;
		if (found->owner_data) {
			KUNIT_ASSERT_PTR_EQ(test, *(void **)found->owner_data,
					    found);
			count++;
		}
	}
	KUNIT_EXPECT_EQ(test, count, SUPERSLABS);
	KUNIT_EXPECT_NULL(test, registry_next_superslab(&index));

	for (i = 0; i < SUPERSLABS; i++)
		superslab_put(taken[i], 0);
	superslab_reclaim();
	index = 0;
	KUNIT_EXPECT_NULL(test, registry_next_superslab(&index));
}

static void reclaim_leaves_live_slabs(struct kunit *test)
{
	struct slab *live = slab_get(5, 1);
	struct slab *freed = slab_get(6, 2);
	unsigned char *base, *freed_base;

	need_retained(test, 2);
	KUNIT_ASSERT_NOT_NULL(test, live);
	KUNIT_ASSERT_NOT_NULL(test, freed);
	base = (unsigned char *)live->base;
	freed_base = (unsigned char *)freed->base;
	memset(base, 1, SLAB_SIZE);
	memset(freed_base, 2, 2 * SLAB_SIZE);
	slab_put(freed);
	KUNIT_EXPECT_GE(test, superslab_reclaim(), 2 * SLAB_SIZE);
	KUNIT_EXPECT_TRUE(test, bytes_are(base, SLAB_SIZE, 1));
	KUNIT_EXPECT_EQ(test, registry_class(base), 5);
	KUNIT_EXPECT_EQ(test, registry_class(freed_base), CLASS_NONE);
}

static void usage_adds_up(struct kunit *test)
{
	struct superslab_usage usage;
	struct slab *slab = slab_get(5, 3);

	need_retained(test, 3);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, SUPERSLAB_SIZE);
	KUNIT_EXPECT_EQ(test, usage.free, 29 * SLAB_SIZE);
	KUNIT_EXPECT_EQ(test, usage.dirty, 0);
	slab_put(slab);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, SUPERSLAB_SIZE);
	KUNIT_EXPECT_EQ(test, usage.free, SUPERSLAB_SIZE);
	KUNIT_EXPECT_EQ(test, usage.dirty, 3 * SLAB_SIZE);
	superslab_reclaim();
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, 0);
	KUNIT_EXPECT_EQ(test, usage.free, 0);
	KUNIT_EXPECT_EQ(test, usage.dirty, 0);
}

#define SLABS_PER_THREAD	300

static void *take_and_check_slabs(void *arg)
{
	static atomic_uint threads;
	unsigned int class = 1 + atomic_fetch_add(&threads, 1), i, round;
	struct slab *slabs[SLABS_PER_THREAD];

	for (round = 0; round < 20; round++) {
		for (i = 0; i < SLABS_PER_THREAD; i++) {
			slabs[i] = slab_get(class, 1 + i % 3);
			KUNIT_ASSERT_NOT_NULL((struct kunit *)arg, slabs[i]);
		}
		for (i = 0; i < SLABS_PER_THREAD; i++) {
			KUNIT_ASSERT_EQ((struct kunit *)arg, registry_class(
					(void *)slabs[i]->base), class);
			slab_put(slabs[i]);
		}
		if (round % 5 == 0)
			superslab_reclaim();
	}
	return NULL;
}

static void threads_take_different_slabs(struct kunit *test)
{
	struct superslab_usage usage;
	pthread_t threads[4];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     take_and_check_slabs,
						     test), 0);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, usage.mapped);
	superslab_reclaim();
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, 0);
}

static const struct kunit_case registry_cases[] = {
	KUNIT_CASE(no_class_elsewhere),
	KUNIT_CASE(empty_window_has_no_class),
	KUNIT_CASE(slabs_have_their_class),
	KUNIT_CASE(slabs_of_one_superslab_differ),
	KUNIT_CASE(whole_superslabs_have_their_class),
	KUNIT_CASE(walk_finds_all_superslabs),
	KUNIT_CASE(reclaim_leaves_live_slabs),
	KUNIT_CASE(usage_adds_up),
	KUNIT_CASE(threads_take_different_slabs),
	{}
};

static const struct kunit_suite registry_suite = {
	.name = "registry",
	.init = start_allocator,
	.test_cases = registry_cases,
};
kunit_test_suite(registry_suite);

static void nothing_is_ours_before_the_start(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, registry.nr_slabs, 0);
	KUNIT_EXPECT_EQ(test, registry_class(NULL), CLASS_NONE);
	KUNIT_EXPECT_EQ(test, registry_class(test), CLASS_NONE);
	KUNIT_EXPECT_NULL(test, registry_superslab(test));
}

/* Its tables must fit where hardly anything else does. */
static void starts_in_little_address_space(struct kunit *test)
{
	size_t limit = process_status("VmSize:") + 8 * MIB;
	void *p;

	limit_process(test, RLIMIT_AS, limit);
	p = hak_malloc(100);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NE(test, registry_class(p), CLASS_NONE);
	hak_free(p);
}

/* After mlockall() all that is mapped is locked, and counts. */
static void starts_in_little_locked_memory(struct kunit *test)
{
	const struct rlimit rlimit = { 4 * MIB, 4 * MIB };
	void *p;

	need_limits(test);
	KUNIT_ASSERT_EQ(test, setrlimit(RLIMIT_MEMLOCK, &rlimit), 0);
	/* The limit is not for who has CAP_IPC_LOCK. */
	if (!getuid())
		KUNIT_ASSERT_EQ(test, setuid(65534), 0);
	KUNIT_ASSERT_EQ(test, mlockall(MCL_FUTURE), 0);
	p = hak_malloc(100);
	KUNIT_EXPECT_NOT_NULL(test, p);
	hak_free(p);
	KUNIT_EXPECT_EQ(test, munlockall(), 0);
}

/* A table that was charged would be refused under strict overcommit. */
static void start_is_charged_little(struct kunit *test)
{
	size_t data = process_status("VmData:");
	size_t rss = process_status("VmRSS:");

	hak_free(hak_malloc(100));
	KUNIT_EXPECT_LT(test, process_status("VmData:"), data + 4 * MIB);
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), rss + MIB);
}

static const struct kunit_case start_cases[] = {
	KUNIT_CASE(nothing_is_ours_before_the_start),
	KUNIT_CASE(starts_in_little_address_space),
	KUNIT_CASE(starts_in_little_locked_memory),
	KUNIT_CASE(start_is_charged_little),
	{}
};

static const struct kunit_suite start_suite = {
	.name = "start",
	.test_cases = start_cases,
};
kunit_test_suite(start_suite);
