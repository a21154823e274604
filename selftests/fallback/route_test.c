// SPDX-License-Identifier: MIT
/*
 * When libc is asked: only where the knob says so, and only when every tier
 * has failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/fallback.h"
#include "mm/fault.h"
#include "mm/init.h"
#include "report.h"

#define KNOB_NAME	"HAKMEM_ALLOW_MALLOC_FALLBACK"

static const struct fault_plan no_memory = {
	.calls = VM_CALL_BIT(VM_CALL_MAP), .first = 1, .interval = 1,
};

static const struct fault_plan no_call_at_all = {
	.calls = VM_CALLS_ALL, .first = 1, .interval = 1,
};

static void need_faults(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
}

static size_t handed_out(void)
{
	struct fallback_stats stats;

	return fallback_stats(&stats) ? stats.handed_out : 0;
}

static void expect_closed(struct kunit *test)
{
	need_faults(test);
	fault_set(&no_memory);
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_malloc(100));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_calloc(1, 10 * MIB));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_EQ(test, handed_out(), 0);
}

static void closed_by_default(struct kunit *test)
{
	unsetenv(KNOB_NAME);
	expect_closed(test);
}

static void closed_by_knob(struct kunit *test)
{
	setenv(KNOB_NAME, "0", 1);
	expect_closed(test);
}

/* The knob is read once: too late is never. */
static void closed_when_knob_comes_late(struct kunit *test)
{
	unsetenv(KNOB_NAME);
	hak_malloc_trim(0);
	setenv(KNOB_NAME, "1", 1);
	expect_closed(test);
}

static void start_with(void *value)
{
	setenv(KNOB_NAME, value, 1);
	hak_free(hak_malloc(1));
	if (fallback_alloc(1, 1, false))
		abort();
}

static void nonsense_keeps_it_closed(struct kunit *test)
{
	struct report report;

	report_call(&report, start_with, (void *)(uintptr_t)"yes");
	KUNIT_EXPECT_EQ(test, report.status, 0);
	KUNIT_EXPECT_EQ(test, report.lines, 1);
	KUNIT_EXPECT_STREQ(test, report.line, "hakmem: " KNOB_NAME
			   "=yes: not a number from 0 to 1: using 0");
}

/* Also when not even the start of the allocator had memory. */
static void open_by_knob(struct kunit *test)
{
	static const struct fault_plan *const plans[] = {
		&no_memory, &no_call_at_all,
	};
	const struct fault_plan *plan = plans[test->param_index];
	char *p[4];

	need_faults(test);
	setenv(KNOB_NAME, "1", 1);
	fault_set(plan);
	p[0] = hak_malloc(100);
	p[1] = hak_calloc(1, 10 * MIB);
	p[2] = hak_aligned_alloc(MIB, 300);
	p[3] = hak_realloc(hak_malloc(50), 200);
	KUNIT_EXPECT_EQ(test, handed_out(), 5);
	KUNIT_ASSERT_TRUE(test, p[0] && p[1] && p[2] && p[3]);
	KUNIT_EXPECT_TRUE(test, bytes_are((unsigned char *)p[1], 10 * MIB, 0));
	KUNIT_EXPECT_TRUE(test, is_aligned(p[2], MIB));
	KUNIT_EXPECT_EQ(test, hak_mallinfo2().arena, 0);
	/* Memory is back: nobody asks libc any more. */
	fault_set(NULL);
	hak_free(p[0]);
	p[0] = hak_malloc(100);
	p[3] = hak_realloc(p[3], 3000);
	hak_free(p[1]);
	p[1] = hak_malloc(10 * MIB);
	KUNIT_EXPECT_TRUE(test, p[0] && p[1] && p[3]);
	KUNIT_EXPECT_EQ(test, handed_out(), 5);
	KUNIT_EXPECT_GT(test, hak_mallinfo2().arena, 0);
	hak_free(p[0]);
	hak_free(p[1]);
	hak_free(p[2]);
	hak_free(p[3]);
}

static const int two_plans[2];

static void describe_plan(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", param == two_plans ? "no mapping succeeds" :
		 "no memory call succeeds");
}

/* From ours to libc's and back, and a growth that neither can serve. */
static void realloc_crosses_over(struct kunit *test)
{
	static const size_t sizes[] = {
		20, 100, 3000, 50000, 400000, 5000000,
	};
	unsigned char *p[ARRAY_LENGTH(sizes)], *q;
	size_t i;

	need_faults(test);
	setenv(KNOB_NAME, "1", 1);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		p[i] = hak_malloc(sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		pattern_fill(p[i], sizes[i], i);
	}
	hak_malloc_trim(0);
	fault_set(&no_call_at_all);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		p[i] = hak_realloc(p[i], sizes[i] + 8 * MIB);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_EXPECT_TRUE(test, pattern_intact(p[i], sizes[i], i));
	}
	KUNIT_EXPECT_GE(test, handed_out(), ARRAY_LENGTH(sizes) - 1);
	fault_set(NULL);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		q = hak_realloc(p[i], opaque_size(PTRDIFF_MAX - 1000));
		KUNIT_EXPECT_NULL(test, q);
		KUNIT_EXPECT_TRUE(test, pattern_intact(p[i], sizes[i], i));
		q = hak_realloc(p[i], sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_TRUE(test, pattern_intact(q, sizes[i], i));
		hak_free(q);
	}
	KUNIT_EXPECT_EQ(test, hak_mallinfo2().uordblks, 0);
}

static void starve(void *arg)
{
	int i;

	(void)arg;
	setenv(KNOB_NAME, "1", 1);
	fault_set(&no_memory);
	for (i = 0; i < 100; i++)
		if (!hak_malloc(1000))
			abort();
}

static void three_warnings_at_most(struct kunit *test)
{
	struct report report;

	need_faults(test);
	report_call(&report, starve, NULL);
	KUNIT_EXPECT_EQ(test, report.status, 0);
	KUNIT_EXPECT_EQ(test, report.lines, 3);
	KUNIT_EXPECT_STREQ(test, report.line, "hakmem: out of memory: "
			   "1000 bytes: taken from libc's malloc");
}

/* Under a limit that is libc's as well. */
static void libc_has_none_either(struct kunit *test)
{
	size_t in_use = process_status("VmSize:");
	const struct rlimit tight = { in_use + MIB, RLIM_INFINITY };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	char *p;

	need_limits(test);
	setenv(KNOB_NAME, "1", 1);
	hak_free(hak_malloc(1));
	KUNIT_ASSERT_EQ(test, setrlimit(RLIMIT_AS, &tight), 0);
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_malloc(20 * MIB));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_aligned_alloc(4 * MIB, 100 * MIB));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_EQ(test, handed_out(), 0);
	setrlimit(RLIMIT_AS, &none);
	p = hak_malloc(20 * MIB);
	KUNIT_EXPECT_NOT_NULL(test, p);
	hak_free(p);
}

static const struct kunit_case route_cases[] = {
	KUNIT_CASE(closed_by_default),
	KUNIT_CASE(closed_by_knob),
	KUNIT_CASE(closed_when_knob_comes_late),
	KUNIT_CASE(nonsense_keeps_it_closed),
	KUNIT_CASE_PARAM(open_by_knob, two_plans, describe_plan),
	KUNIT_CASE(realloc_crosses_over),
	KUNIT_CASE(three_warnings_at_most),
	KUNIT_CASE(libc_has_none_either),
	{}
};

static const struct kunit_suite route_suite = {
	.name = "route",
	.test_cases = route_cases,
};
kunit_test_suite(route_suite);
