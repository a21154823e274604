// SPDX-License-Identifier: MIT
/*
 * The harness tested by itself: runs fixture.c's program and reads its output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kunit.h"
#include "path.h"
#include "report.h"

/* Run the fixture with one argument; @fork is the value of CK_FORK. */
static void run_fixture(struct report *report, const char *arg,
			const char *fork)
{
	char program[PATH_MAX];
	const char *argv[] = { program, arg, NULL };

	path_beside_runner(program, sizeof(program), "fixture");
	setenv("CK_FORK", fork, 1);
	report_exec(report, NULL, argv);
}

static void expect_line(struct kunit *test, const struct report *report,
			const char *line)
{
	KUNIT_EXPECT_MSG(test, strstr(report->output, line),
			 "no \"%s\" in:\n%s", line, report->output);
}

static void expect_no_line(struct kunit *test, const struct report *report,
			   const char *line)
{
	KUNIT_EXPECT_MSG(test, !strstr(report->output, line),
			 "\"%s\" in:\n%s", line, report->output);
}

static void expect_exit(struct kunit *test, const struct report *report,
			int code)
{
	KUNIT_EXPECT_MSG(test, WIFEXITED(report->status) &&
			 WEXITSTATUS(report->status) == code,
			 "%s, not exited with %d", report_describe(report),
			 code);
}

struct verdict {
	const char *glob;
	int exit_code;
	const char *line;
	const char *remark;
};

/* What the harness must say about each case of the fixture. */
static const struct verdict verdicts[] = {
	{ "plain.passes", 0, "\n    ok 1 passes\n",
	  "\n# Totals: pass:1 fail:0 skip:0 total:1\n" },
	{ "plain.expectation_fails", 1, "\n    not ok 1 expectation_fails\n",
	  "EXPECTATION FAILED" },
	{ "plain.expectation_fails", 1, "1 + 1 == 3: 2 (0x2) and 3 (0x3)\n",
	  "    # went on\n" },
	{ "plain.assertion_fails", 1, "\n    not ok 1 assertion_fails\n",
	  "ASSERTION FAILED" },
	{ "plain.skips", 4, "\n    ok 1 skips # SKIP needs 2 moons\n",
	  "\n# Totals: pass:0 fail:0 skip:1 total:1\n" },
	{ "plain.crashes", 1, "\n    not ok 1 crashes\n",
	  "Received signal 11" },
	{ "plain.leaves_early", 1, "\n    not ok 1 leaves_early\n",
	  "Early exit with return value 3" },
	{ "plain.thread_fails", 1, "\n    not ok 1 thread_fails\n",
	  "ASSERTION FAILED" },
	{ "plain.dies_as_expected", 0, "\n    ok 1 dies_as_expected\n",
	  "\nok 1 plain\n" },
	{ "plain.survives_unexpectedly", 1,
	  "\n    not ok 1 survives_unexpectedly\n", "\nnot ok 1 plain\n" },
	{ "plain.number_is_odd", 1, "\n        ok 1 number 1\n",
	  "\n        not ok 2 number 2\n" },
	{ "plain.number_is_odd", 1, "\n        ok 3 number 3 # SKIP three\n",
	  "\n    not ok 1 number_is_odd\n" },
	{ "death.death_matches", 0, "\n    ok 1 death_matches\n",
	  "\nok 1 death\n" },
	{ "death.death_with_other_signal", 1, "\n    not ok 1 death",
	  "died from signal 6 saying \"bad\", not \"bad\"" },
	{ "death.death_with_other_line", 1, "\n    not ok 1 death",
	  "saying \"good\", not \"bad\"" },
	{ "death.death_on_second_line", 1, "\n    not ok 1 death",
	  "saying \"bad\", not \"second\"" },
	{ "death.death_does_not_happen", 1, "\n    not ok 1 death",
	  "exited with 0 saying \"bad\"" },
	{ "death.survival_happens", 0, "\n    ok 1 survival_happens\n",
	  "\nok 1 death\n" },
	{ "death.survival_does_not_happen", 1, "\n    not ok 1 survival",
	  "died from signal 6" },
	{ "fixture", 1, "*(int *)test->priv == 8: 7", "exit saw 7\n" },
	{ "unreached", 1, "init of the suite: returned -1",
	  "\n    not ok 1 passes\n" },
};

static void describe_verdict(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct verdict *)param)->glob);
}

static void verdict_is_right(struct kunit *test)
{
	const struct verdict *verdict = test->param_value;
	struct report report;

	run_fixture(&report, verdict->glob, "yes");
	expect_exit(test, &report, verdict->exit_code);
	expect_line(test, &report, verdict->line);
	expect_line(test, &report, verdict->remark);
}

static void failed_assertion_ends_the_case(struct kunit *test)
{
	struct report report;

	run_fixture(&report, "assertion_fails", "yes");
	expect_no_line(test, &report, "went on");
}

static void hanging_case_times_out(struct kunit *test)
{
	struct report report;

	setenv("CK_TIMEOUT_MULTIPLIER", "0.002", 1);
	run_fixture(&report, "plain.hangs", "yes");
	expect_exit(test, &report, 1);
	expect_line(test, &report, "\n    not ok 1 hangs # TIMEOUT\n");
}

static void filter_without_match_is_an_error(struct kunit *test)
{
	struct report report;

	run_fixture(&report, "plain.no_such*", "yes");
	expect_exit(test, &report, 4);
	expect_line(test, &report, "1..0 # SKIP no case matches\n");
}

static void unknown_option_is_an_error(struct kunit *test)
{
	struct report report;

	run_fixture(&report, "--no-such-option", "yes");
	expect_exit(test, &report, 2);
	KUNIT_EXPECT_TRUE(test, strstr(report.line, "usage:"));
}

static void list_names_cases(struct kunit *test)
{
	struct report report;

	run_fixture(&report, "--list", "yes");
	expect_exit(test, &report, 0);
	expect_line(test, &report, "plain.passes\n");
	expect_line(test, &report, "\ndeath.death_matches\n");
	expect_no_line(test, &report, "KTAP");
}

static void quick_leaves_slow_cases_out(struct kunit *test)
{
	struct report report;

	run_fixture(&report, "--quick", "yes");
	expect_exit(test, &report, 1);
	expect_line(test, &report, " passes\n");
	expect_no_line(test, &report, " hangs");
}

static void runs_without_fork(struct kunit *test)
{
	struct report report;

	run_fixture(&report, "fixture", "no");
	expect_exit(test, &report, 1);
	expect_line(test, &report, "exit saw 7\n");
	run_fixture(&report, "passes", "no");
	expect_exit(test, &report, 1);
	expect_line(test, &report, "\n    ok 1 passes\n");
}

static void without_fork_only_a_lone_case_may_die(struct kunit *test)
{
	struct report report;

	run_fixture(&report, "*pected*", "no");
	expect_exit(test, &report, 4);
	expect_line(test, &report, "dies_as_expected # SKIP ends the process");
	run_fixture(&report, "dies_as_expected", "no");
	KUNIT_EXPECT_TRUE(test, WIFSIGNALED(report.status));
}

static void check_variables_select(struct kunit *test)
{
	struct report report;

	setenv("CK_RUN_SUITE", "plain", 1);
	setenv("CK_RUN_CASE", "passes", 1);
	run_fixture(&report, "*", "yes");
	expect_exit(test, &report, 0);
	expect_line(test, &report, "100%: Checks: 1, Failures: 0, Errors: 0");
	setenv("CK_RUN_CASE", "death_matches", 1);
	run_fixture(&report, "*", "yes");
	expect_exit(test, &report, 4);
}

static const struct kunit_case harness_cases[] = {
	KUNIT_CASE_PARAM(verdict_is_right, verdicts, describe_verdict),
	KUNIT_CASE(failed_assertion_ends_the_case),
	KUNIT_CASE(hanging_case_times_out),
	KUNIT_CASE(filter_without_match_is_an_error),
	KUNIT_CASE(unknown_option_is_an_error),
	KUNIT_CASE(list_names_cases),
	KUNIT_CASE(quick_leaves_slow_cases_out),
	KUNIT_CASE(runs_without_fork),
	KUNIT_CASE(without_fork_only_a_lone_case_may_die),
	KUNIT_CASE(check_variables_select),
	{}
};

/* What selected this run must not select the fixture's cases. */
static int clear_selection(struct kunit *test)
{
	(void)test;
	unsetenv("CK_RUN_SUITE");
	unsetenv("CK_RUN_CASE");
	return 0;
}

static const struct kunit_suite harness_suite = {
	.name = "harness",
	.init = clear_selection,
	.test_cases = harness_cases,
};
kunit_test_suite(harness_suite);
