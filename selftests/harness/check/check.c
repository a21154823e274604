// SPDX-License-Identifier: MIT
/*
 * A driver for what there is no libcheck for: see check.h. This file has what
 * the tests are and what became of them; run.c runs one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

/* A list that grows at its end: of suites, test cases and results. */
struct list {
	void **items;
	int count;
};

struct Suite {
	const char *name;
	struct list tcases;
};

struct SRunner {
	struct list suites;
	struct list results;
	int failures;
	int errors;
};

static void *must(void *ptr)
{
	if (!ptr)
		abort();
	return ptr;
}

static void append(struct list *list, void *item)
{
	list->items = must(realloc(list->items, sizeof(*list->items) *
				   (size_t)(list->count + 1)));
	list->items[list->count++] = item;
}

Suite *suite_create(const char *name)
{
	Suite *suite = must(calloc(1, sizeof(*suite)));

	suite->name = name;
	return suite;
}

void suite_add_tcase(Suite *suite, TCase *tcase)
{
	append(&suite->tcases, tcase);
}

TCase *tcase_create(const char *name)
{
	TCase *tcase = must(calloc(1, sizeof(*tcase)));

	tcase->name = name;
	return tcase;
}

void tcase_set_timeout(TCase *tcase, double seconds)
{
	const char *multiplier = getenv("CK_TIMEOUT_MULTIPLIER");

	tcase->timeout = seconds * (multiplier ? atof(multiplier) : 1);
}

void tcase_add_unchecked_fixture(TCase *tcase, void (*setup)(void),
				 void (*teardown)(void))
{
	tcase->setup = setup;
	tcase->teardown = teardown;
}

void _tcase_add_test(TCase *tcase, const TTest *test, int signal,
		     int exit_code, int start, int end)
{
	tcase->test = test;
	tcase->signal = signal;
	tcase->exit_code = exit_code;
	tcase->start = start;
	tcase->end = end;
}

SRunner *srunner_create(Suite *suite)
{
	SRunner *runner = must(calloc(1, sizeof(*runner)));

	if (suite)
		srunner_add_suite(runner, suite);
	return runner;
}

void srunner_add_suite(SRunner *runner, Suite *suite)
{
	append(&runner->suites, suite);
}

enum fork_status srunner_fork_status(SRunner *runner)
{
	const char *answer = getenv("CK_FORK");

	(void)runner;
	return answer && !strcmp(answer, "no") ? CK_NOFORK : CK_FORK;
}

static void run_tcase(SRunner *runner, const TCase *tcase)
{
	TestResult *result;
	int i;

	tcase->setup();
	for (i = tcase->start; i < tcase->end; i++) {
		result = must(calloc(1, sizeof(*result)));
		result->tcase = tcase;
		result->repetition = i;
		run_test(result, srunner_fork_status(runner));
		append(&runner->results, result);
		runner->failures += result->type == CK_FAILURE;
		runner->errors += result->type == CK_ERROR;
	}
	tcase->teardown();
}

void srunner_run_tagged(SRunner *runner, const char *suite, const char *tcase,
			const char *include_tags, const char *exclude_tags,
			enum print_output output)
{
	const Suite *running;
	int i, j;

	if (suite || tcase || include_tags || exclude_tags)
		abort();
	for (i = 0; i < runner->suites.count; i++) {
		running = runner->suites.items[i];
		for (j = 0; j < running->tcases.count; j++)
			run_tcase(runner, running->tcases.items[j]);
	}
	srunner_print(runner, output);
}

void srunner_print(SRunner *runner, enum print_output output)
{
	int run = runner->results.count;
	int passed = run - srunner_ntests_failed(runner);
	const TestResult *result;
	int i;

	if (output == CK_SILENT)
		return;
	printf("%d%%: Checks: %d, Failures: %d, Errors: %d\n",
	       run ? passed * 100 / run : 100, run, runner->failures,
	       runner->errors);
	for (i = 0; i < run; i++) {
		result = runner->results.items[i];
		if (result->type != CK_PASS)
			printf("%s:%d:%c:%s:%d: %s\n", result->file,
			       result->line,
			       result->type == CK_ERROR ? 'E' : 'F',
			       result->tcase->name, result->repetition,
			       result->message);
	}
	fflush(stdout);
}

int srunner_ntests_run(SRunner *runner)
{
	return runner->results.count;
}

int srunner_ntests_failed(SRunner *runner)
{
	return runner->failures + runner->errors;
}

TestResult **srunner_results(SRunner *runner)
{
	size_t size = sizeof(TestResult *) * (size_t)runner->results.count;
	TestResult **results = must(malloc(size + 1));

	memcpy(results, runner->results.items, size);
	return results;
}

enum test_result tr_rtype(const TestResult *result)
{
	return result->type;
}

const char *tr_msg(const TestResult *result)
{
	return result->message;
}
