/* SPDX-License-Identifier: MIT */
/*
 * What the two halves of the harness share: runner.c, the parent, selects the
 * cases and prints, kunit.c runs the body of one case in a child.
 */
#ifndef SELFTESTS_RUN_H
#define SELFTESTS_RUN_H

#include "kunit.h"

/**
 * struct kunit_status - what a case tells the runner beside libcheck's result
 * @skipped: kunit_skip() was called
 * @reason: why
 */
struct kunit_status {
	bool skipped;
	char reason[160];
};

/**
 * struct kunit_selected - a case that the options ask for
 * @suite: its suite
 * @test_case: its row
 * @skip: not NULL: do not run it, for this reason
 */
struct kunit_selected {
	const struct kunit_suite *suite;
	const struct kunit_case *test_case;
	const char *skip;
};

/**
 * struct kunit_run - state of the whole run
 * @now: the case that runs
 * @status: one per parameter; shared memory, written by the child
 */
struct kunit_run {
	const struct kunit_selected *now;
	struct kunit_status *status;
};

extern struct kunit_run kunit_run;

/* The function libcheck calls in the child, with the parameter's index. */
void kunit_run_case(int param_index);

#endif /* SELFTESTS_RUN_H */
