// SPDX-License-Identifier: MIT
/*
 * A fixed stream of operations, again and again: each time another call of one
 * kind fails, from the first to the last, alone or with all behind it. It must
 * not crash, what is live keeps its content, and at the end nothing is missing.
 */
#include "kunit.h"
#include "oom.h"
#include "replay.h"

/* Pairs of blocks for whose pages madvise() is called. */
#define PURGED		12
#define PURGED_SIZE	((size_t)100000)

/**
 * struct kind - calls that fail in turn
 * @call: which
 * @interval: of struct fault_plan
 * @name: in the output
 */
struct kind {
	enum vm_call call;
	unsigned long interval;
	const char *name;
};

static const struct kind kinds[] = {
	{ VM_CALL_MAP, 0, "one mmap" },
	{ VM_CALL_MAP, 1, "mmap from then on" },
	{ VM_CALL_UNMAP, 0, "one munmap" },
	{ VM_CALL_UNMAP, 1, "munmap from then on" },
	{ VM_CALL_COMMIT, 0, "one mprotect" },
	{ VM_CALL_COMMIT, 1, "mprotect from then on" },
	{ VM_CALL_PURGE, 0, "one madvise" },
	{ VM_CALL_PURGE, 1, "madvise from then on" },
	{ VM_CALL_REMAP, 0, "one mremap" },
	{ VM_CALL_REMAP, 1, "mremap from then on" },
	{ VM_CALL_RESERVE, 0, "one mmap of the registry" },
	{ VM_CALL_RESERVE, 1, "mmap of the registry from then on" },
};

static uint64_t operations;

/* Blocks of pages, of which every other one is given back to the kernel. */
static unsigned int purge(void)
{
	unsigned char *p[2 * PURGED];
	unsigned int i, refused = 0;

	for (i = 0; i < 2 * PURGED; i++) {
		errno = 0;
		p[i] = hak_malloc(PURGED_SIZE);
		if (!oom_refused(p[i], &refused))
			oom_fill(p[i], PURGED_SIZE, i);
	}
	for (i = 0; i < 2 * PURGED; i += 2)
		hak_free(p[i]);
	hak_malloc_trim(0);
	for (i = 0; i < 2 * PURGED; i += 2) {
		errno = 0;
		p[i] = hak_calloc(1, PURGED_SIZE);
		if (!oom_refused(p[i], &refused))
			OOM_CHECK(oom_zero(p[i], PURGED_SIZE));
	}
	for (i = 0; i < 2 * PURGED; i++) {
		OOM_CHECK(i % 2 == 0 || !p[i] ||
			  oom_intact(p[i], PURGED_SIZE, i));
		hak_free(p[i]);
	}
	return refused;
}

static unsigned int replay(void)
{
	struct replay_plan plan = {
		.seed = 2, .operations = operations, .worlds = 1, .lanes = 2,
		.size_log2 = 25, .live_bytes = 96 * MIB, .refusals = true,
	};
	struct replay_result result;

	replay_run(&plan, &result);
	return (unsigned int)result.refusals + purge();
}

static void fail_kind(struct kunit *test, const struct kind *kind, uint64_t n)
{
	struct oom_trial *trial;

	operations = n;
	trial = oom_start(test, replay);
	trial->plan.calls = VM_CALL_BIT(kind->call);
	trial->plan.interval = kind->interval;
	oom_fail_calls(test, trial, kind->name);
	KUNIT_EXPECT_GT(test, trial->plan.first, 1);
}

static void each_call_of_a_kind(struct kunit *test)
{
	fail_kind(test, test->param_value, 2500);
}

/* Some 12 s of CPU time for each kind. */
static void each_call_of_many_operations(struct kunit *test)
{
	fail_kind(test, test->param_value, 10000);
}

static void describe(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct kind *)param)->name);
}

static const struct kunit_case fault_cases[] = {
	KUNIT_CASE_PARAM_TIMEOUT(each_call_of_a_kind, kinds, describe,
				 KUNIT_TIMEOUT_SLOW),
	KUNIT_CASE_PARAM_SLOW(each_call_of_many_operations, kinds, describe),
	{}
};

static const struct kunit_suite fault_suite = {
	.name = "fault",
	.test_cases = fault_cases,
};
kunit_test_suite(fault_suite);
