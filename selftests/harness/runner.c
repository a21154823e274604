// SPDX-License-Identifier: MIT
/*
 * The half of the harness that is the parent: selects cases by the options,
 * has libcheck run each in a child, prints KTAP as they end.
 *
 * libcheck's unchecked fixtures run in the parent before and after each of its
 * test cases, and the results so far may be read there: that is what streams
 * the output case by case.
 */
#include <check.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "run.h"

/* As kselftest's. */
enum { EXIT_SKIP = 4, EXIT_USAGE = 2 };

struct tally {
	int pass;
	int fail;
	int skip;
};

struct options {
	const char *suite;
	const char *test_case;
	const char *either;
	bool quick;
	bool list;
};

/* Every case that was selected, in the order libcheck runs them. */
static struct {
	struct kunit_selected *rows;
	int count;
	int next;
	int suites;
} selection;

static SRunner *runner;
static int results_seen;
static int suite_number;
static int case_number;
static struct tally suite_tally;
static struct tally total;

extern const struct kunit_suite *const __start_kunit_suites[];
extern const struct kunit_suite *const __stop_kunit_suites[];

static bool matches(const char *glob, const char *name)
{
	return !glob || !fnmatch(glob, name, 0);
}

static bool is_wanted(const struct options *options,
		      const struct kunit_suite *suite,
		      const struct kunit_case *row)
{
	const char *run_suite = getenv("CK_RUN_SUITE");
	const char *run_case = getenv("CK_RUN_CASE");

	if (run_suite && strcmp(run_suite, suite->name))
		return false;
	if (run_case && strcmp(run_case, row->name))
		return false;
	if (options->quick && row->slow)
		return false;
	if (!matches(options->suite, suite->name))
		return false;
	if (!matches(options->test_case, row->name))
		return false;
	return matches(options->either, suite->name) ||
	       matches(options->either, row->name);
}

static void select_case(const struct kunit_suite *suite,
			const struct kunit_case *row)
{
	struct kunit_selected *last;

	selection.rows = realloc(selection.rows, sizeof(*selection.rows) *
				 (size_t)(selection.count + 1));
	if (!selection.rows)
		abort();
	last = &selection.rows[selection.count];
	if (!selection.count || last[-1].suite != suite)
		selection.suites++;
	*last = (struct kunit_selected){ .suite = suite, .test_case = row };
	selection.count++;
}

static void select_cases(const struct options *options)
{
	const struct kunit_suite *const *entry;
	const struct kunit_case *row;

	for (entry = __start_kunit_suites; entry < __stop_kunit_suites; entry++)
		for (row = (*entry)->test_cases; row->run; row++)
			if (is_wanted(options, *entry, row))
				select_case(*entry, row);
}

/*
 * Without fork a case that must die takes the runner with it. That is what one
 * wants of a debugger, but only if no other case is to follow.
 */
static void skip_deaths_without_fork(void)
{
	int i;

	if (srunner_fork_status(runner) == CK_FORK || selection.count == 1)
		return;
	for (i = 0; i < selection.count; i++) {
		struct kunit_selected *row = &selection.rows[i];

		if (row->test_case->signal || row->test_case->exit_code)
			row->skip = "ends the process: run it alone";
	}
}

static int cases_of(const struct kunit_suite *suite)
{
	int i, count = 0;

	for (i = 0; i < selection.count; i++)
		count += selection.rows[i].suite == suite;
	return count;
}

static void begin_suite(const struct kunit_suite *suite)
{
	suite_tally = (struct tally){ 0 };
	case_number = 0;
	printf("    KTAP version 1\n    # Subtest: %s\n    1..%d\n",
	       suite->name, cases_of(suite));
}

static void end_suite(const struct kunit_suite *suite)
{
	const struct tally *t = &suite_tally;

	printf("# %s: pass:%d fail:%d skip:%d total:%d\n", suite->name,
	       t->pass, t->fail, t->skip, t->pass + t->fail + t->skip);
	printf("%s %d %s%s\n", t->fail ? "not ok" : "ok", ++suite_number,
	       suite->name, t->pass || t->fail ? "" : " # SKIP all cases");
	total.pass += t->pass;
	total.fail += t->fail;
	total.skip += t->skip;
}

static void before_case(void)
{
	const struct kunit_selected *row = &selection.rows[selection.next];

	if (!selection.next || row[-1].suite != row->suite)
		begin_suite(row->suite);
	memset(kunit_run.status, 0,
	       sizeof(*kunit_run.status) * KUNIT_PARAMS_MAX);
	kunit_run.now = row;
	/* A child that inherits buffered lines would print them again. */
	fflush(stdout);
}

/* The words after the name of a case, in the language of TAP. */
static const char *directive(TestResult *result,
			     const struct kunit_status *status)
{
	static char text[200];

	if (tr_rtype(result) == CK_ERROR &&
	    strstr(tr_msg(result), "timeout expired"))
		return " # TIMEOUT";
	if (tr_rtype(result) != CK_PASS || !status->skipped)
		return "";
	snprintf(text, sizeof(text), " # SKIP %s", status->reason);
	return text;
}

static void print_param(const struct kunit_case *row, int index,
			TestResult *result)
{
	char name[64];

	row->describe((const char *)row->params +
		      row->param_size * (size_t)index, name, sizeof(name));
	printf("        %s %d %s%s\n",
	       tr_rtype(result) == CK_PASS ? "ok" : "not ok", index + 1, name,
	       directive(result, &kunit_run.status[index]));
}

static void print_case(const struct kunit_case *row, TestResult **results,
		       int count)
{
	int i, failed = 0, skipped = 0, shown = 0;

	if (row->params)
		printf("        KTAP version 1\n        # Subtest: %s\n"
		       "        1..%d\n", row->name, row->param_count);
	for (i = 0; i < count; i++) {
		if (row->params)
			print_param(row, i, results[i]);
		/* Failures were printed where they happened, in the child. */
		if (tr_rtype(results[i]) == CK_ERROR)
			printf("    # %s: %s\n", row->name, tr_msg(results[i]));
		if (tr_rtype(results[i]) != CK_PASS) {
			shown = i;
			failed++;
		} else if (kunit_run.status[i].skipped) {
			skipped++;
		}
	}
	printf("    %s %d %s%s\n", failed ? "not ok" : "ok", ++case_number,
	       row->name, failed || skipped == count ?
	       directive(results[shown], &kunit_run.status[shown]) : "");
	suite_tally.fail += failed > 0;
	suite_tally.skip += !failed && skipped == count;
	suite_tally.pass += !failed && skipped < count;
}

static void after_case(void)
{
	const struct kunit_selected *row = &selection.rows[selection.next++];
	TestResult **results = srunner_results(runner);
	int count = srunner_ntests_run(runner) - results_seen;

	print_case(row->test_case, results + results_seen, count);
	results_seen += count;
	free(results);
	if (selection.next == selection.count || row[1].suite != row->suite)
		end_suite(row->suite);
}

static void add_case(Suite *suite, const struct kunit_case *row)
{
	TTest *ttest = malloc(sizeof(*ttest));
	TCase *tcase = tcase_create(row->name);

	if (!ttest || row->param_count > KUNIT_PARAMS_MAX)
		abort();
	*ttest = (TTest){ row->name, kunit_run_case, __FILE__, __LINE__ };
	tcase_add_unchecked_fixture(tcase, before_case, after_case);
	tcase_set_timeout(tcase, row->timeout ? row->timeout : row->slow ?
			  KUNIT_TIMEOUT_SLOW : KUNIT_TIMEOUT);
	_tcase_add_test(tcase, ttest, row->signal, row->exit_code, 0,
			row->params ? row->param_count : 1);
	suite_add_tcase(suite, tcase);
}

static void build_runner(void)
{
	Suite *suite = NULL;
	int i;

	runner = srunner_create(NULL);
	for (i = 0; i < selection.count; i++) {
		const struct kunit_selected *row = &selection.rows[i];

		if (!i || row[-1].suite != row->suite) {
			suite = suite_create(row->suite->name);
			srunner_add_suite(runner, suite);
		}
		add_case(suite, row->test_case);
	}
}

static bool parse_option(struct options *options, char *arg)
{
	static const char filter[] = "--filter_glob=";
	char *dot;

	if (!strcmp(arg, "--list"))
		return options->list = true;
	if (!strcmp(arg, "--quick"))
		return options->quick = true;
	if (!strncmp(arg, filter, sizeof(filter) - 1))
		arg += sizeof(filter) - 1;
	if (*arg == '-' || options->either || options->suite)
		return false;

	dot = strchr(arg, '.');
	if (!dot) {
		options->either = arg;
		return true;
	}
	*dot = '\0';
	options->suite = arg;
	options->test_case = dot + 1;
	return true;
}

static void list_cases(void)
{
	int i;

	for (i = 0; i < selection.count; i++)
		printf("%s.%s\n", selection.rows[i].suite->name,
		       selection.rows[i].test_case->name);
}

static int run_selection(void)
{
	kunit_run.status = mmap(NULL, sizeof(*kunit_run.status) *
				KUNIT_PARAMS_MAX, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (kunit_run.status == MAP_FAILED)
		abort();
	build_runner();
	skip_deaths_without_fork();

	printf("KTAP version 1\n1..%d\n", selection.suites);
	srunner_run_tagged(runner, NULL, NULL, NULL, NULL, CK_SILENT);
	printf("# Totals: pass:%d fail:%d skip:%d total:%d\n", total.pass,
	       total.fail, total.skip, total.pass + total.fail + total.skip);
	fflush(stdout);
	srunner_print(runner, CK_NORMAL);

	if (srunner_ntests_failed(runner))
		return EXIT_FAILURE;
	return total.pass ? EXIT_SUCCESS : EXIT_SKIP;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc; i++) {
		if (parse_option(&options, argv[i]))
			continue;
		fprintf(stderr, "usage: %s [--list] [--quick] [[--filter_glob=]"
			"SUITE.CASE | SUITE | CASE]\n", argv[0]);
		return EXIT_USAGE;
	}
	select_cases(&options);
	if (!selection.count) {
		printf("1..0 # SKIP no case matches\n");
		return EXIT_SKIP;
	}
	if (options.list) {
		list_cases();
		return EXIT_SUCCESS;
	}
	return run_selection();
}
