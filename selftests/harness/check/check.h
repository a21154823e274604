/* SPDX-License-Identifier: MIT */
/*
 * A driver for what there is no libcheck for: a foreign processor, musl.
 *
 * That part of libcheck's interface, under its names, which the harness uses;
 * the Makefile takes it where a program cannot be linked with libcheck itself.
 * CK_FORK and CK_TIMEOUT_MULTIPLIER work, CK_XML_LOG_FILE_NAME and other
 * formats of output do not.
 */
#ifndef SELFTESTS_CHECK_H
#define SELFTESTS_CHECK_H

typedef struct SRunner SRunner;
typedef struct Suite Suite;
typedef struct TCase TCase;
typedef struct TestResult TestResult;

/* A test function, called with the number of the repetition. */
typedef struct TTest {
	const char *name;
	void (*fn)(int repetition);
	const char *file;
	int line;
} TTest;

enum test_result { CK_PASS, CK_FAILURE, CK_ERROR };
enum print_output { CK_SILENT, CK_NORMAL };
enum fork_status { CK_FORK, CK_NOFORK };

Suite *suite_create(const char *name);
void suite_add_tcase(Suite *suite, TCase *tcase);

TCase *tcase_create(const char *name);
void tcase_set_timeout(TCase *tcase, double seconds);
/* Called in the parent, before and after all repetitions. */
void tcase_add_unchecked_fixture(TCase *tcase, void (*setup)(void),
				 void (*teardown)(void));
/* The one test of a case, for each number from @start to @end - 1. */
void _tcase_add_test(TCase *tcase, const TTest *test, int signal,
		     int exit_code, int start, int end);

SRunner *srunner_create(Suite *suite);
void srunner_add_suite(SRunner *runner, Suite *suite);
enum fork_status srunner_fork_status(SRunner *runner);
/* All suites: names and tags to select by are to be NULL. */
void srunner_run_tagged(SRunner *runner, const char *suite, const char *tcase,
			const char *include_tags, const char *exclude_tags,
			enum print_output output);
void srunner_print(SRunner *runner, enum print_output output);
int srunner_ntests_run(SRunner *runner);
int srunner_ntests_failed(SRunner *runner);
/* As many as were run, in that order; the array is the caller's to free. */
TestResult **srunner_results(SRunner *runner);

enum test_result tr_rtype(const TestResult *result);
const char *tr_msg(const TestResult *result);

/* Ends the test as failed. */
__attribute__((noreturn, format(printf, 4, 5)))
void _ck_assert_failed(const char *file, int line, const char *expression,
		       const char *format, ...);

#endif /* SELFTESTS_CHECK_H */
