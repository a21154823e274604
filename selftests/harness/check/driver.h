/* SPDX-License-Identifier: MIT */
/*
 * What the two files of the driver share.
 */
#ifndef SELFTESTS_CHECK_DRIVER_H
#define SELFTESTS_CHECK_DRIVER_H

#include "check.h"

/**
 * struct TCase - a case: one test function, maybe repeated
 * @name: of the case
 * @timeout: seconds until it counts as hung
 * @setup: called in the parent before
 * @teardown: called in the parent after
 * @test: the function
 * @signal: that it must die from, or 0
 * @exit_code: that it must end with
 * @start: the first repetition
 * @end: one more than the last
 */
struct TCase {
	const char *name;
	double timeout;
	void (*setup)(void);
	void (*teardown)(void);
	const TTest *test;
	int signal;
	int exit_code;
	int start;
	int end;
};

/**
 * struct TestResult - what became of one repetition
 * @tcase: of this case
 * @repetition: its number
 * @type: CK_FAILURE where the test said so itself
 * @file: where it was, as far as that is known
 * @line: in that file
 * @message: what was wrong
 */
struct TestResult {
	const TCase *tcase;
	int repetition;
	enum test_result type;
	const char *file;
	int line;
	char message[1024];
};

/* Run @result's repetition, and fill in the rest of it. */
void run_test(TestResult *result, enum fork_status fork_status);

#endif /* SELFTESTS_CHECK_DRIVER_H */
