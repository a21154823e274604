/* SPDX-License-Identifier: MIT */
/*
 * Run something that may die in a process of its own, and judge it by how it
 * ended and by the first line it wrote to stderr.
 */
#ifndef SELFTESTS_REPORT_H
#define SELFTESTS_REPORT_H

#include "kunit.h"

/**
 * struct report - how a process ended
 * @status: as waitpid() gives it
 * @line: first line of its stderr, without the newline
 * @lines: number of lines at the beginning of its stderr
 * @output: beginning of its stdout
 */
struct report {
	int status;
	char line[1024];
	unsigned int lines;
	char output[16384];
};

/**
 * report_call() - call @fn in a forked child
 *
 * Its stdout goes where the caller's goes. A @fn that returns makes the child
 * exit with 0.
 */
void report_call(struct report *report, void (*fn)(void *arg), void *arg);

/**
 * report_exec() - run a program
 * @report: result
 * @preload: library for LD_PRELOAD, or NULL
 * @argv: program, found by PATH if without a slash, and its arguments
 */
void report_exec(struct report *report, const char *preload,
		 const char *const argv[]);

/**
 * report_describe() - say in words how the process ended
 */
const char *report_describe(const struct report *report);

/**
 * report_is_death() - does @report show the death that was expected?
 * @report: what happened
 * @signal: the signal it must have died from
 * @regex: extended regular expression that the first line must contain
 */
bool report_is_death(const struct report *report, int signal,
		     const char *regex);

/* Does any line at the beginning of its stderr contain it? */
bool report_says(const struct report *report, const char *regex);

/* Expect fn(arg) to die from sig after a line that contains the regex. */
#define KUNIT_EXPECT_DEATH(test, fn, arg, sig, ...)			\
	do {								\
		struct report kunit_report;				\
		char kunit_regex[256];					\
		snprintf(kunit_regex, sizeof(kunit_regex), __VA_ARGS__); \
		report_call(&kunit_report, (fn),			\
			    (void *)(uintptr_t)(arg));			\
		KUNIT_CHECK(test, KUNIT_EXPECTATION,			\
			    report_is_death(&kunit_report, (sig),	\
					    kunit_regex),		\
			    "death of " #fn "(" #arg ") from " #sig,	\
			    "%s, not \"%s\"",				\
			    report_describe(&kunit_report), kunit_regex); \
	} while (0)

/* Expect fn(arg) to return. */
#define KUNIT_EXPECT_SURVIVAL(test, fn, arg)				\
	do {								\
		struct report kunit_report;				\
		report_call(&kunit_report, (fn),			\
			    (void *)(uintptr_t)(arg));			\
		KUNIT_CHECK(test, KUNIT_EXPECTATION,			\
			    kunit_report.status == 0,			\
			    "survival of " #fn "(" #arg ")", "%s",	\
			    report_describe(&kunit_report));		\
	} while (0)

#endif /* SELFTESTS_REPORT_H */
