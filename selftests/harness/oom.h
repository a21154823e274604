/* SPDX-License-Identifier: MIT */
/*
 * A workload again and again, each time with another of its memory calls
 * failing: the first, the second, and so on to the last. Each time in a process
 * of its own, so that the start of the allocator is part of it.
 *
 * In a header, because the harness itself links nothing of the allocator.
 */
#ifndef SELFTESTS_OOM_H
#define SELFTESTS_OOM_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/fault.h"
#include "mm/init.h"
#include "mm/large.h"
#include "mm/meta.h"
#include "mm/superslab.h"
#include "mm/tier.h"
#include "report.h"

/* No workload makes so many calls: one that does is stuck. */
#define OOM_CALLS_MAX	2000

/* Objects and bytes with which a tier comes to need a second superslab. */
#define OOM_OBJECTS	5000
#define OOM_BYTES	(3 * MIB)

/**
 * struct oom_mode - which calls fail when it is the turn of the nth
 * @name: in the output
 * @interval: of struct fault_plan
 */
struct oom_mode {
	const char *name;
	unsigned long interval;
};

static const struct oom_mode oom_modes[] = {
	{ "one call fails", 0 },
	{ "it fails and all later ones", 1 },
	{ "it fails and each third later one", 3 },
};

/**
 * struct oom_trial - one run, in memory that its process shares
 * @workload: Return: how many requests were refused; leaves nothing allocated
 * @plan: which calls fail
 * @refused: requests
 * @struck: calls that were failed
 * @unaccounted: bytes of address space at the end that nothing here knows of
 */
struct oom_trial {
	unsigned int (*workload)(void);
	struct fault_plan plan;
	unsigned int refused;
	unsigned long struck;
	size_t unaccounted;
};

/* For workloads: what must hold however little memory there is. */
#define OOM_CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #condition);	\
			abort();					\
		}							\
	} while (0)

/* Count an object that was refused, and look at errno. */
static inline bool oom_refused(const void *p, unsigned int *refused)
{
	if (p)
		return false;
	OOM_CHECK(errno == ENOMEM);
	errno = 0;
	++*refused;
	return true;
}

static inline void oom_run_trial(void *arg)
{
	struct oom_trial *trial = arg;
	struct hak_mallinfo2 info;
	struct superslab_usage usage;
	struct large_stats large;

	fault_set(&trial->plan);
	trial->refused = trial->workload();
	trial->struck = fault_strikes_so_far();
	fault_set(NULL);
	OOM_CHECK(trial->workload() == 0);
	hak_malloc_trim(0);
	info = hak_mallinfo2();
	OOM_CHECK(info.uordblks == 0 && info.hblkhd == 0);
	superslab_usage(&usage);
	OOM_CHECK(usage.free == usage.mapped);
	large_stats(&large);
	trial->unaccounted = process_status("VmSize:") - usage.mapped -
			     meta_mapped() - large.cached_bytes;
}

static inline void oom_expect_clean(struct kunit *test,
				    const struct oom_trial *trial,
				    const struct report *report)
{
	KUNIT_ASSERT_MSG(test, report->status == 0, "call %lu, seed %lu: %s",
			 trial->plan.first, trial->plan.seed,
			 report_describe(report));
	KUNIT_EXPECT_MSG(test, report->lines <= 3, "call %lu: %u lines",
			 trial->plan.first, report->lines);
	KUNIT_EXPECT_MSG(test, !report->lines ||
			 strstr(report->line, "hakmem: out of memory: "),
			 "call %lu: %s", trial->plan.first, report->line);
}

/* Begin with a run in which no call fails. */
static inline struct oom_trial *oom_start(struct kunit *test,
					  unsigned int (*workload)(void))
{
	struct oom_trial *trial;
	struct report report;

	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	trial = mmap(NULL, sizeof(*trial), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	KUNIT_ASSERT_TRUE(test, trial != MAP_FAILED);
	trial->workload = workload;
	trial->plan.calls = VM_CALLS_ALL;
	report_call(&report, oom_run_trial, trial);
	oom_expect_clean(test, trial, &report);
	KUNIT_EXPECT_EQ(test, trial->refused, 0);
	KUNIT_EXPECT_EQ(test, report.lines, 0);
	return trial;
}

static inline void oom_repeat(struct kunit *test, struct oom_trial *trial)
{
	struct report report;

	report_call(&report, oom_run_trial, trial);
	oom_expect_clean(test, trial, &report);
}

/*
 * Each call of some kinds in turn. One munmap() that fails may lose addresses
 * for good, nothing else may. Return: the calls that fail a request.
 */
static inline unsigned int oom_fail_calls(struct kunit *test,
					  struct oom_trial *trial,
					  const char *mode)
{
	size_t unaccounted = trial->unaccounted;
	unsigned int refusing = 0;

	do {
		trial->plan.first++;
		KUNIT_ASSERT_LE(test, trial->plan.first, OOM_CALLS_MAX);
		oom_repeat(test, trial);
		refusing += trial->refused > 0;
		if (!(trial->plan.calls & VM_CALL_BIT(VM_CALL_UNMAP)))
			KUNIT_EXPECT_LE(test, trial->unaccounted, unaccounted);
	} while (trial->struck);
	kunit_info(test, "%s: of %lu calls %u refuse a request", mode,
		   trial->plan.first - 1, refusing);
	return refusing;
}

/* Of a KUNIT_CASE_PARAM of oom_modes. */
static inline void oom_fail_each_call(struct kunit *test,
				      unsigned int (*workload)(void))
{
	const struct oom_mode *mode = test->param_value;
	struct oom_trial *trial = oom_start(test, workload);
	unsigned int refusing;

	trial->plan.interval = mode->interval;
	refusing = oom_fail_calls(test, trial, mode->name);
	KUNIT_EXPECT_GT(test, trial->plan.first, 1);
	if (mode->interval == 1)
		KUNIT_EXPECT_GT(test, refusing, 0);
}

static inline void oom_fail_by_chance(struct kunit *test,
				      unsigned int (*workload)(void))
{
	struct oom_trial *trial;
	unsigned int struck = 0;

	trial = oom_start(test, workload);
	for (trial->plan.seed = 0; trial->plan.seed < 60; trial->plan.seed++) {
		trial->plan.permille = 20 + 8 * trial->plan.seed;
		oom_repeat(test, trial);
		struck += trial->struck > 0;
	}
	KUNIT_EXPECT_GT(test, struck, 40);
}

static inline void oom_describe_mode(const void *param, char *text,
				     size_t size)
{
	snprintf(text, size, "%s", ((const struct oom_mode *)param)->name);
}

#define OOM_CASE(fn)	KUNIT_CASE_PARAM(fn, oom_modes, oom_describe_mode)

/* Of a long object its ends and its middle are looked at, each so long. */
#define OOM_STRETCH	((size_t)4 << 10)
#define OOM_STRETCHES	3

static inline size_t oom_stretch(size_t size, size_t i, size_t *from)
{
	if (size <= OOM_STRETCHES * OOM_STRETCH) {
		*from = 0;
		return i ? 0 : size;
	}
	*from = (size - OOM_STRETCH) / (OOM_STRETCHES - 1) * i;
	return OOM_STRETCH;
}

static inline void oom_fill(void *p, size_t size, uint64_t seed)
{
	size_t i, n, from;

	for (i = 0; i < OOM_STRETCHES; i++) {
		n = oom_stretch(size, i, &from);
		pattern_fill((char *)p + from, n, seed + i);
	}
}

static inline bool oom_intact(const void *p, size_t size, uint64_t seed)
{
	bool intact = true;
	size_t i, n, from;

	for (i = 0; i < OOM_STRETCHES; i++) {
		n = oom_stretch(size, i, &from);
		intact &= pattern_intact((const char *)p + from, n, seed + i);
	}
	return intact;
}

static inline bool oom_zero(const void *p, size_t size)
{
	bool zero = true;
	size_t i, n, from;

	for (i = 0; i < OOM_STRETCHES; i++) {
		n = oom_stretch(size, i, &from);
		zero &= bytes_are((const char *)p + from, n, 0);
	}
	return zero;
}

/* Batches of a class from its tier and back. Return: refills that failed. */
static inline unsigned int oom_exercise_class(const struct tier_ops *tier,
					      unsigned int class)
{
	static void *objs[OOM_OBJECTS];
	size_t size = class_size(class), want = OOM_BYTES / size;
	unsigned int got, n = 0, i, refused = 0;

	want = want < OOM_OBJECTS ? want : OOM_OBJECTS;
	while (n < want && refused < 3) {
		got = tier->refill(class, objs + n, (unsigned int)want - n);
		refused += !got;
		for (i = n; i < n + got; i++)
			pattern_fill(objs[i], size, i);
		n += got;
	}
	for (i = 0; i < n; i++)
		OOM_CHECK(pattern_intact(objs[i], size, i));
	tier->drain(class, objs, n);
	return refused;
}

/* Objects of all sizes of a range by malloc(). Return: those refused. */
static inline unsigned int oom_exercise_sizes(size_t from, size_t to)
{
	static struct { void *p; size_t size; } live[300];
	unsigned int i, refused = 0;

	for (i = 0; i < ARRAY_LENGTH(live); i++) {
		live[i].size = from + (to - from) * i /
			       (ARRAY_LENGTH(live) - 1);
		live[i].p = hak_malloc(live[i].size);
		if (!oom_refused(live[i].p, &refused))
			pattern_fill(live[i].p, live[i].size, i);
	}
	for (i = 0; i < ARRAY_LENGTH(live); i++) {
		if (!live[i].p)
			continue;
		OOM_CHECK(pattern_intact(live[i].p, live[i].size, i));
		hak_free(live[i].p);
	}
	return refused;
}

#endif /* SELFTESTS_OOM_H */
