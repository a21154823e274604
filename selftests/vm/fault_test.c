// SPDX-License-Identifier: MIT
/*
 * Fault injection: that the calls fail which were chosen, and no others.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/fault.h"
#include "mm/vm.h"
#include "report.h"

#define CALLS	40

static int need_fault_injection(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	return 0;
}

static void follow(struct kunit *test, const char *text)
{
	struct fault_plan plan;

	KUNIT_ASSERT_MSG(test, fault_parse(text, &plan), "%s", text);
	fault_set(&plan);
}

/* What became of CALLS purges, one character for each. */
static const char *outcome(void)
{
	static char text[CALLS + 1];
	static char page[2 * 65536];
	char *start = page + (-(uintptr_t)page & (vm_page_size() - 1));
	size_t i;

	for (i = 0; i < CALLS; i++)
		text[i] = vm_purge(start, vm_page_size()) ? '.' : 'X';
	return text;
}

struct chosen {
	const char *plan;
	const char *outcome;
};

static const struct chosen chosen[] = {
	{ "all,nth=1", "X......................................." },
	{ "purge,nth=3", "..X....................................." },
	{ "purge,every=10", ".........X.........X.........X.........X" },
	{ "map+purge,from=38", ".....................................XXX" },
	{ "all,every=1", "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX" },
	{ "all,permille=1000", "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX" },
	{ "map,every=1", "........................................" },
	{ "all,nth=41", "........................................" },
};

static void describe_plan(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct chosen *)param)->plan);
}

static void chosen_calls_fail(struct kunit *test)
{
	const struct chosen *row = test->param_value;

	follow(test, row->plan);
	KUNIT_EXPECT_STREQ(test, outcome(), row->outcome);
	fault_set(NULL);
	KUNIT_EXPECT_NULL(test, strchr(outcome(), 'X'));
}

static void chance_follows_the_seed(struct kunit *test)
{
	char first[CALLS + 1];
	size_t i, struck = 0;

	follow(test, "all,permille=300,seed=7");
	strcpy(first, outcome());
	for (i = 0; i < CALLS; i++)
		struck += first[i] == 'X';
	KUNIT_EXPECT_GT(test, struck, 2);
	KUNIT_EXPECT_LT(test, struck, 30);
	KUNIT_EXPECT_EQ(test, fault_strikes_so_far(), struck);
	KUNIT_EXPECT_EQ(test, fault_calls(), CALLS);
	follow(test, "all,permille=300,seed=7");
	KUNIT_EXPECT_STREQ(test, outcome(), first);
	follow(test, "all,permille=300,seed=8");
	KUNIT_EXPECT_MSG(test, strcmp(outcome(), first), "%s", first);
}

static void chance_is_as_likely_as_asked(struct kunit *test)
{
	size_t i;

	follow(test, "all,permille=20");
	for (i = 0; i < 500; i++)
		outcome();
	KUNIT_EXPECT_EQ(test, fault_calls(), 500 * CALLS);
	KUNIT_EXPECT_GT(test, fault_strikes_so_far(), 300);
	KUNIT_EXPECT_LT(test, fault_strikes_so_far(), 500);
}

static const char *const bad_plans[] = {
	"", "all", "all,", ",nth=1", "nth=1", "all,nth=", "all,nth=0",
	"all,nth=x", "all,nth=1x", "all,nth=1,", "all nth=1", "mmap,nth=1",
	"map+,nth=1", "map+all+,nth=1", "all,every=0", "all,seed=3",
	"all,permille=1001", "all,nth=-1", "all,nth= 1",
	"all,nth=99999999999999999999999", "All,nth=1",
};

static void nonsense_is_no_plan(struct kunit *test)
{
	struct fault_plan plan = { .seed = 4711 };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(bad_plans); i++) {
		KUNIT_EXPECT_MSG(test, !fault_parse(bad_plans[i], &plan),
				 "\"%s\"", bad_plans[i]);
		KUNIT_EXPECT_EQ(test, plan.seed, 4711);
	}
}

/* Each kind of call has a way to fail. */
static void every_kind_can_fail(struct kunit *test)
{
	size_t page = vm_page_size();
	char *p = vm_map(NULL, 4 * page, page), *reserved = vm_reserve(page);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, reserved);
	errno = 4711;
	follow(test, "map,every=1");
	KUNIT_EXPECT_NULL(test, vm_map(NULL, page, page));
	KUNIT_EXPECT_NULL(test, vm_map(NULL, page, 64 * MIB));
	follow(test, "unmap,every=1");
	KUNIT_EXPECT_FALSE(test, vm_unmap(p, page));
	follow(test, "remap,every=1");
	KUNIT_EXPECT_NULL(test, vm_remap(p, 4 * page, 8 * page));
	follow(test, "commit,every=1");
	KUNIT_EXPECT_FALSE(test, vm_commit(reserved, page));
	follow(test, "purge,every=1");
	KUNIT_EXPECT_FALSE(test, vm_purge(p, page));
	follow(test, "reserve,every=1");
	KUNIT_EXPECT_NULL(test, vm_reserve(page));
	KUNIT_EXPECT_EQ(test, errno, 4711);
	KUNIT_EXPECT_EQ(test, fault_calls(), 1);
	p[0] = p[4 * page - 1] = 1;
}

/* A mapping that had to be aligned is several calls: each may be the one. */
static void aligned_mapping_fails_cleanly(struct kunit *test)
{
	const struct fault_plan one = { .calls = VM_CALLS_ALL, .first = 1 };
	struct fault_plan plan = one;
	char *p;

	for (;; plan.first++) {
		fault_set(&plan);
		p = vm_map(NULL, MIB, 64 * MIB);
		if (!fault_strikes_so_far())
			break;
		if (p)
			memset(p, 1, MIB);
		KUNIT_EXPECT_TRUE(test, is_aligned(p, 64 * MIB));
		fault_set(NULL);
		p = vm_map(NULL, MIB, 64 * MIB);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, bytes_are(p, MIB, 0));
	}
	KUNIT_EXPECT_GT(test, plan.first, 1);
}

#define THREADS	4

static void *purge_often(void *arg)
{
	size_t i;
	char *p = arg;

	for (i = 0; i < 1000; i++)
		vm_purge(p, vm_page_size());
	return NULL;
}

static void threads_share_the_numbers(struct kunit *test)
{
	char *p = vm_map(NULL, vm_page_size(), vm_page_size());
	pthread_t threads[THREADS];
	size_t i;

	follow(test, "purge,every=7");
	for (i = 0; i < THREADS; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     purge_often, p), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	KUNIT_EXPECT_EQ(test, fault_calls(), THREADS * 1000);
	KUNIT_EXPECT_EQ(test, fault_strikes_so_far(), THREADS * 1000 / 7);
}

static void environment_chooses(struct kunit *test)
{
	setenv("HAKMEM_FAULT", "map,every=1", 1);
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_malloc(100));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_NULL(test, hak_malloc(10 * MIB));
	KUNIT_EXPECT_GT(test, fault_strikes_so_far(), 1);
	fault_set(NULL);
	KUNIT_EXPECT_NOT_NULL(test, hak_malloc(100));
}

static void start_with(void *plan)
{
	setenv("HAKMEM_FAULT", plan, 1);
	if (!hak_malloc(100))
		abort();
}

static void nonsense_is_reported(struct kunit *test)
{
	struct report report;

	report_call(&report, start_with, (void *)(uintptr_t)"some,nth=x");
	KUNIT_EXPECT_EQ(test, report.status, 0);
	KUNIT_EXPECT_EQ(test, report.lines, 1);
	KUNIT_EXPECT_STREQ(test, report.line, "hakmem: HAKMEM_FAULT: "
			   "not understood: no memory call will fail");
}

static const struct kunit_case fault_cases[] = {
	KUNIT_CASE_PARAM(chosen_calls_fail, chosen, describe_plan),
	KUNIT_CASE(chance_follows_the_seed),
	KUNIT_CASE(chance_is_as_likely_as_asked),
	KUNIT_CASE(nonsense_is_no_plan),
	KUNIT_CASE(every_kind_can_fail),
	KUNIT_CASE(aligned_mapping_fails_cleanly),
	KUNIT_CASE(threads_share_the_numbers),
	KUNIT_CASE(environment_chooses),
	KUNIT_CASE(nonsense_is_reported),
	{}
};

static const struct kunit_suite fault_suite = {
	.name = "fault",
	.init = need_fault_injection,
	.test_cases = fault_cases,
};
kunit_test_suite(fault_suite);
