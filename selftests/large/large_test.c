// SPDX-License-Identifier: MIT
/*
 * The large tier: page runs and objects with a mapping of their own.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "kunit.h"
#include "memory.h"
#include "mm/init.h"
#include "mm/large.h"
#include "mm/reclaim.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"
#include "mm/vm.h"

#define PAGE	vm_page_size()

static int start_allocator(struct kunit *test)
{
	(void)test;
	init_ensure();
	return 0;
}

static unsigned char *allocate(struct kunit *test, size_t size)
{
	unsigned char *p = large_alloc(size, 1, false);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static void expect_freed(struct kunit *test, void *p)
{
	const char *fault = large_free(p);

	KUNIT_EXPECT_MSG(test, !fault, "%p: %s", p, fault);
}

static size_t usable(struct kunit *test, const void *p)
{
	const char *fault = NULL;
	size_t size = large_usable(p, &fault);

	KUNIT_EXPECT_MSG(test, !fault, "%p: %s", p, fault);
	return size;
}

static const size_t sizes[] = {
	0, 1, 4096, 4097, 5000, 10000, 65536, 100000, 500000, 1048577,
	2097151, 2097152, 2097153, 5000000, 70000000,
};

static void describe_size(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%zu bytes", *(const size_t *)param);
}

static void objects_are_whole_pages(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	unsigned char *p = allocate(test, size);
	size_t have = usable(test, p);

	KUNIT_EXPECT_TRUE(test, is_aligned(p, PAGE));
	KUNIT_EXPECT_GE(test, have, size);
	KUNIT_EXPECT_LT(test, have, size + 2 * PAGE);
	KUNIT_EXPECT_EQ(test, registry_class(p),
			size < MAPPING_MIN_SIZE ? CLASS_RUN : CLASS_NONE);
	pattern_fill(p, have, size);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, have, size));
	expect_freed(test, p);
}

static void alignment_is_kept(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	size_t align;

	for (align = 16; align <= 256 * MIB; align *= 2) {
		unsigned char *p = large_alloc(size, align, false);
		unsigned char *q = large_alloc(size, align, false);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_MSG(test, is_aligned(p, align), "%zu", align);
		KUNIT_EXPECT_MSG(test, is_aligned(q, align), "%zu", align);
		KUNIT_EXPECT_TRUE(test, p + usable(test, p) <= q ||
				  q + usable(test, q) <= p);
		expect_freed(test, p);
		expect_freed(test, q);
	}
}

static void zero_means_zero(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	size_t have;
	int round;

	for (round = 0; round < 5; round++) {
		unsigned char *p = large_alloc(size, 1, true);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_MSG(test, bytes_are(p, size, 0), "round %d",
				 round);
		have = usable(test, p);
		memset(p, 0xff, have);
		expect_freed(test, p);
	}
}

static void resize_keeps_content(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		size_t common = size < sizes[i] ? size : sizes[i];
		unsigned char *p = allocate(test, size), *q;

		pattern_fill(p, common, i);
		q = large_resize(p, sizes[i]);
		if (q) {
			KUNIT_EXPECT_GE(test, usable(test, q), sizes[i]);
			p = q;
		}
		KUNIT_EXPECT_TRUE(test, pattern_intact(p, common, i));
		expect_freed(test, p);
	}
}

static const struct kunit_case object_cases[] = {
	KUNIT_CASE_PARAM(objects_are_whole_pages, sizes, describe_size),
	KUNIT_CASE_PARAM(alignment_is_kept, sizes, describe_size),
	KUNIT_CASE_PARAM(zero_means_zero, sizes, describe_size),
	KUNIT_CASE_PARAM(resize_keeps_content, sizes, describe_size),
	{}
};

static const struct kunit_suite object_suite = {
	.name = "large",
	.init = start_allocator,
	.test_cases = object_cases,
};
kunit_test_suite(object_suite);

static void runs_share_superslabs(struct kunit *test)
{
	struct large_stats stats;
	void *p[512];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++)
		p[i] = allocate(test, PAGE);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.runs, 512);
	KUNIT_EXPECT_EQ(test, stats.run_bytes, 512 * PAGE);
	KUNIT_EXPECT_EQ(test, stats.run_superslabs,
			512 * PAGE / SUPERSLAB_SIZE);
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		expect_freed(test, p[i]);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.runs, 0);
	KUNIT_EXPECT_EQ(test, stats.run_bytes, 0);
	KUNIT_EXPECT_EQ(test, stats.run_superslabs, 0);
}

/* Runs freed in any order become one that serves a big request again. */
static void freed_runs_coalesce(struct kunit *test)
{
	struct prng prng = { prng_seed() };
	struct large_stats stats;
	void *p[256], *big, *last;
	size_t i, j;

	if (MAPPING_MIN_SIZE <= 256 * PAGE)
		kunit_skip(test, "an object of 256 pages is a mapping");
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		p[i] = allocate(test, PAGE);
	last = allocate(test, 200 * PAGE);
	for (i = ARRAY_LENGTH(p); i > 0; i--) {
		j = prng_below(&prng, i);
		expect_freed(test, p[j]);
		p[j] = p[i - 1];
	}
	big = allocate(test, 256 * PAGE);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.run_superslabs, 1);
	expect_freed(test, big);
	expect_freed(test, last);
}

static void run_grows_into_free_pages(struct kunit *test)
{
	unsigned char *p = allocate(test, 4 * PAGE);
	unsigned char *between = allocate(test, 4 * PAGE);
	unsigned char *behind = allocate(test, PAGE);

	KUNIT_ASSERT_PTR_EQ(test, between, p + 4 * PAGE);
	KUNIT_ASSERT_PTR_EQ(test, behind, p + 8 * PAGE);
	pattern_fill(p, 4 * PAGE, 1);
	KUNIT_EXPECT_NULL(test, large_resize(p, 5 * PAGE));
	expect_freed(test, between);
	KUNIT_EXPECT_PTR_EQ(test, large_resize(p, 8 * PAGE), p);
	KUNIT_EXPECT_EQ(test, usable(test, p), 8 * PAGE);
	KUNIT_EXPECT_NULL(test, large_resize(p, 9 * PAGE));
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, 4 * PAGE, 1));
	KUNIT_EXPECT_PTR_EQ(test, large_resize(p, 2 * PAGE), p);
	KUNIT_EXPECT_EQ(test, usable(test, p), 2 * PAGE);
	KUNIT_EXPECT_PTR_EQ(test, allocate(test, 6 * PAGE), p + 2 * PAGE);
}

static void emptied_superslabs_serve_others(struct kunit *test)
{
	struct superslab_usage usage;
	struct superslab *superslab;
	void *p = allocate(test, PAGE);
	uintptr_t base = (uintptr_t)p & ~(SUPERSLAB_SIZE - 1);

	memset(p, 1, PAGE);
	expect_freed(test, p);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, usage.mapped);
	superslab = superslab_get(CLASS_RUN, test);
	KUNIT_ASSERT_NOT_NULL(test, superslab);
	KUNIT_EXPECT_EQ(test, superslab->base, base);
}

static void live_mappings_are_counted(struct kunit *test)
{
	struct large_stats stats;
	void *p = allocate(test, 3 * MIB), *q = allocate(test, 5 * MIB);

	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.mappings, 2);
	KUNIT_EXPECT_EQ(test, stats.mapping_allocs, 2);
	KUNIT_EXPECT_EQ(test, stats.mapping_bytes, 8 * MIB);
	KUNIT_EXPECT_EQ(test, stats.cached, 0);
	expect_freed(test, p);
	expect_freed(test, q);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.mappings, 0);
	KUNIT_EXPECT_EQ(test, stats.mapping_bytes, 0);
}

static void freed_mappings_are_reused(struct kunit *test)
{
	struct large_stats stats;
	void *p = allocate(test, 4 * MIB);

	if (CONFIG_HAKMEM_LARGE_CACHE_MB < 4)
		kunit_skip(test, "too few mappings are kept");
	expect_freed(test, p);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached, 1);
	KUNIT_EXPECT_EQ(test, stats.cached_bytes, 4 * MIB);
	KUNIT_EXPECT_PTR_EQ(test, allocate(test, 4 * MIB - 100), p);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached, 0);
	expect_freed(test, p);
}

/* A kept mapping must not be wasted on a much smaller request. */
static void reuse_fits_closely(struct kunit *test)
{
	void *big = allocate(test, 40 * MIB), *small;

	expect_freed(test, big);
	small = allocate(test, 3 * MIB);
	KUNIT_EXPECT_LE(test, usable(test, small), 6 * MIB);
	expect_freed(test, small);
}

/* Blocks of other sizes find room in what was freed: cut, and joined again. */
static void kept_mappings_are_cut_and_joined(struct kunit *test)
{
	struct large_stats stats;
	unsigned char *whole, *part[4];
	size_t i;

	if (CONFIG_HAKMEM_LARGE_CACHE_MB < 40)
		kunit_skip(test, "CONFIG_HAKMEM_LARGE_CACHE_MB is below 40");
	reclaim_set_decay_ms(60000);
	whole = allocate(test, 40 * MIB);
	expect_freed(test, whole);
	for (i = 0; i < ARRAY_LENGTH(part); i++) {
		part[i] = allocate(test, 10 * MIB);
		KUNIT_EXPECT_TRUE(test, part[i] >= whole &&
				  part[i] < whole + 40 * MIB);
		memset(part[i], (int)i + 1, 10 * MIB);
	}
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached_bytes, 0);
	for (i = 0; i < ARRAY_LENGTH(part); i++) {
		KUNIT_EXPECT_EQ(test, part[i][0], (int)i + 1);
		KUNIT_EXPECT_EQ(test, part[i][10 * MIB - 1], (int)i + 1);
	}
	/* The middle ones last, so that both sides are joined at once. */
	expect_freed(test, part[0]);
	expect_freed(test, part[3]);
	expect_freed(test, part[2]);
	expect_freed(test, part[1]);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached, 1);
	KUNIT_EXPECT_PTR_EQ(test, allocate(test, 40 * MIB), whole);
}

static void kept_mappings_are_bounded(struct kunit *test)
{
	const size_t bound = (size_t)CONFIG_HAKMEM_LARGE_CACHE_MB * MIB;
	struct large_stats stats;
	void *p[100];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++)
		p[i] = allocate(test, 3 * MIB);
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		expect_freed(test, p[i]);
		large_stats(&stats);
		KUNIT_ASSERT_LE(test, stats.cached_bytes, bound ?
				max(bound, stats.mapping_bytes) : 0);
	}
	/* One that is larger, and is missed: what had gone had done for it. */
	expect_freed(test, allocate(test, bound + 3 * MIB));
	large_stats(&stats);
	KUNIT_EXPECT_LE(test, stats.cached_bytes,
			bound ? 2 * bound + 3 * MIB : 0);
}

/* A block that shrinks leaves its end behind and grows into it again. */
static void blocks_grow_where_they_shrank(struct kunit *test)
{
	unsigned char *p = allocate(test, 40 * MIB);
	struct large_stats stats;

	if (CONFIG_HAKMEM_LARGE_CACHE_MB < 40)
		kunit_skip(test, "CONFIG_HAKMEM_LARGE_CACHE_MB is below 40");
	memset(p, 1, 40 * MIB);
	KUNIT_ASSERT_PTR_EQ(test, large_resize(p, 10 * MIB), p);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached_bytes, 30 * MIB);
	KUNIT_ASSERT_PTR_EQ(test, large_resize(p, 30 * MIB), p);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached_bytes, 10 * MIB);
	KUNIT_ASSERT_PTR_EQ(test, large_resize(p, 40 * MIB), p);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached, 0);
	KUNIT_EXPECT_EQ(test, p[10 * MIB - 1], 1);
	expect_freed(test, p);
}

/* A program that frees all it has, to build it up again, keeps it. */
static void waves_are_kept(struct kunit *test)
{
	const size_t bound = (size_t)CONFIG_HAKMEM_LARGE_CACHE_MB * MIB;
	struct large_stats stats;
	unsigned char *p[40];
	size_t i, round;

	if (!bound || bound >= ARRAY_LENGTH(p) * 4 * MIB)
		kunit_skip(test, "CONFIG_HAKMEM_LARGE_CACHE_MB is 0 or high");
	reclaim_set_decay_ms(60000);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_LENGTH(p); i++)
			p[i] = allocate(test, 4 * MIB);
		for (i = 0; i < ARRAY_LENGTH(p); i++)
			expect_freed(test, p[i]);
		large_stats(&stats);
		KUNIT_EXPECT_LE(test, stats.cached_bytes,
				round ? ARRAY_LENGTH(p) * 4 * MIB : bound);
	}
	KUNIT_EXPECT_EQ(test, stats.cached_bytes, ARRAY_LENGTH(p) * 4 * MIB);
}

static void reclaim_gives_mappings_back(struct kunit *test)
{
	struct large_stats stats;
	size_t size, cached;
	void *p = allocate(test, 8 * MIB);

	memset(p, 1, 8 * MIB);
	expect_freed(test, p);
	large_stats(&stats);
	cached = stats.cached_bytes;
	size = process_status("VmSize:");
	KUNIT_EXPECT_GE(test, large_reclaim(), cached);
	KUNIT_EXPECT_LE(test, process_status("VmSize:"), size - cached);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.cached, 0);
	KUNIT_EXPECT_EQ(test, large_reclaim(), 0);
}

static void mapping_grows_without_copying(struct kunit *test)
{
	unsigned char *p = allocate(test, 4 * MIB);
	size_t rss;

	p[0] = 1;
	p[4 * MIB - 1] = 2;
	rss = process_status("VmRSS:");
	p = large_resize(p, 512 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p[0], 1);
	KUNIT_EXPECT_EQ(test, p[4 * MIB - 1], 2);
	KUNIT_EXPECT_EQ(test, p[512 * MIB - 1], 0);
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), rss + MIB);
	p = large_resize(p, 3 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, usable(test, p), 3 * MIB);
	KUNIT_EXPECT_EQ(test, p[0], 1);
	expect_freed(test, p);
}

static void expect_fault(struct kunit *test, void *p, const char *expected)
{
	const char *fault = NULL;

	KUNIT_EXPECT_MSG(test, !large_usable(p, &fault) && fault &&
			 !strcmp(fault, expected), "%p: %s, not %s", p,
			 fault ? fault : "usable", expected);
	fault = large_free(p);
	KUNIT_EXPECT_MSG(test, fault && !strcmp(fault, expected),
			 "%p: %s, not %s", p, fault ? fault : "freed",
			 expected);
}

static void faults_are_named(struct kunit *test)
{
	unsigned char *run = allocate(test, 3 * PAGE);
	unsigned char *kept = allocate(test, PAGE);
	unsigned char *mapping = allocate(test, 3 * MIB);
	char on_stack[16];

	expect_fault(test, on_stack, FAULT_FOREIGN);
	expect_fault(test, run + 1, FAULT_INTERIOR);
	expect_fault(test, run + PAGE, FAULT_INTERIOR);
	expect_fault(test, run + 3 * PAGE - 1, FAULT_INTERIOR);
	expect_fault(test, mapping + 16, FAULT_INTERIOR);
	expect_fault(test, mapping + PAGE, FAULT_INTERIOR);
	expect_fault(test, mapping + 3 * MIB - 1, FAULT_INTERIOR);
	expect_freed(test, run);
	expect_fault(test, run, FAULT_FREE);
	expect_fault(test, run + PAGE, FAULT_FREE);
	expect_freed(test, mapping);
	KUNIT_EXPECT_NOT_NULL(test, large_free(mapping));
	expect_freed(test, kept);
}

#define LIVE	64

static void *churn(void *arg)
{
	static atomic_uint threads;
	struct prng prng = { prng_seed() + atomic_fetch_add(&threads, 1) };
	struct { unsigned char *p; size_t size; } live[LIVE] = { { NULL, 0 } };
	struct kunit *test = arg;
	size_t i, step;

	for (step = 0; step < 30000; step++) {
		unsigned char *p;

		i = prng_below(&prng, LIVE);
		p = live[i].p;
		if (p) {
			KUNIT_ASSERT_EQ(test, p[0], (unsigned char)i);
			KUNIT_ASSERT_EQ(test, p[live[i].size - 1],
					(unsigned char)i);
			expect_freed(test, p);
		}
		live[i].size = 1 + prng_size(&prng, prng_below(&prng, 16) ?
					     200 * KIB : 3 * MIB);
		p = large_alloc(live[i].size, 1, false);
		KUNIT_ASSERT_NOT_NULL(test, p);
		p[0] = p[live[i].size - 1] = (unsigned char)i;
		live[i].p = p;
	}
	for (i = 0; i < LIVE; i++)
		if (live[i].p)
			expect_freed(test, live[i].p);
	return NULL;
}

static void threads_get_different_pages(struct kunit *test)
{
	struct large_stats stats;
	pthread_t threads[4];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL, churn,
						     test), 0);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	large_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.runs, 0);
	KUNIT_EXPECT_EQ(test, stats.mappings, 0);
	KUNIT_EXPECT_EQ(test, stats.run_superslabs, 0);
}

static const struct kunit_case page_cases[] = {
	KUNIT_CASE(runs_share_superslabs),
	KUNIT_CASE(freed_runs_coalesce),
	KUNIT_CASE(run_grows_into_free_pages),
	KUNIT_CASE(emptied_superslabs_serve_others),
	KUNIT_CASE(live_mappings_are_counted),
	KUNIT_CASE(freed_mappings_are_reused),
	KUNIT_CASE(reuse_fits_closely),
	KUNIT_CASE(kept_mappings_are_cut_and_joined),
	KUNIT_CASE(kept_mappings_are_bounded),
	KUNIT_CASE(blocks_grow_where_they_shrank),
	KUNIT_CASE(waves_are_kept),
	KUNIT_CASE(reclaim_gives_mappings_back),
	KUNIT_CASE(mapping_grows_without_copying),
	KUNIT_CASE(faults_are_named),
	KUNIT_CASE(threads_get_different_pages),
	{}
};

static const struct kunit_suite page_suite = {
	.name = "pages",
	.init = start_allocator,
	.test_cases = page_cases,
};
kunit_test_suite(page_suite);
