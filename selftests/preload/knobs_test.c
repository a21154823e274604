// SPDX-License-Identifier: MIT
/*
 * What each knob does: a program is run with it, and without.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kunit.h"
#include "path.h"
#include "report.h"

/* Run programs/knobs.c with a knob. Return: the number that it prints. */
static long run_with(struct kunit *test, const char *what, const char *name,
		     const char *value, struct report *report)
{
	char program[PATH_MAX], library[PATH_MAX];
	const char *const argv[] = { program, what, NULL };
	char *end;
	long number;

	path_beside_runner(program, sizeof(program), "programs/knobs.run");
	path_beside_runner(library, sizeof(library), "../../libhakmem.so");
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
	report_exec(report, library, argv);
	number = strtol(report->output, &end, 10);
	KUNIT_ASSERT_MSG(test, report->status == 0 && *end == '\n',
			 "%s, stdout \"%s\"", report_describe(report),
			 report->output);
	return number;
}

static long number_with(struct kunit *test, const char *what,
			const char *name, const char *value)
{
	struct report report;
	long number = run_with(test, what, name, value, &report);

	KUNIT_EXPECT_MSG(test, report.lines == 0, "%s", report.line);
	return number;
}

static void need_tiny(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN))
		kunit_skip(test, "usable sizes are those asked for");
	if (!IS_ENABLED(CONFIG_HAKMEM_TINY))
		kunit_skip(test, "CONFIG_HAKMEM_TINY is not set");
}

/* Small requests are objects of a tier of larger ones. */
static void tiny_use_superslab(struct kunit *test)
{
	const char *name = "HAKMEM_TINY_USE_SUPERSLAB";

	need_tiny(test);
	KUNIT_EXPECT_EQ(test, number_with(test, "room", name, NULL), 128);
	KUNIT_EXPECT_EQ(test, number_with(test, "room", name, "1"), 128);
	KUNIT_EXPECT_GT(test, number_with(test, "room", name, "0"),
			CONFIG_HAKMEM_TINY_MAX_SIZE);
}

static void tiny_mem_diet(struct kunit *test)
{
	const char *name = "HAKMEM_TINY_MEM_DIET";
	long kept;

	need_tiny(test);
	kept = number_with(test, "kept_small", name, "1");
	KUNIT_EXPECT_LT(test, kept, 1024);
	if (CONFIG_HAKMEM_DECAY_MS >= 500)
		KUNIT_EXPECT_GT(test, number_with(test, "kept_small", name,
						  NULL), 4 * kept);
	KUNIT_EXPECT_LE(test, number_with(test, "refill", name, "1"), 8);
}

static void tiny_refill_count_hot(struct kunit *test)
{
	const char *name = "HAKMEM_TINY_REFILL_COUNT_HOT";

	need_tiny(test);
	if (CONFIG_HAKMEM_MAGAZINE_SIZE < 20)
		kunit_skip(test, "magazines hold too little");
	KUNIT_EXPECT_EQ(test, number_with(test, "refill", name, "3"), 3);
	KUNIT_EXPECT_EQ(test, number_with(test, "refill", name, "20"), 20);
	KUNIT_EXPECT_EQ(test, number_with(test, "refill", name, "0"),
			number_with(test, "refill", name, NULL));
	/* What a magazine has no room for is not fetched. */
	KUNIT_EXPECT_LE(test, number_with(test, "refill", name, "124"),
			CONFIG_HAKMEM_MAGAZINE_SIZE);
}

static void decay_ms(struct kunit *test)
{
	const char *name = "HAKMEM_DECAY_MS";
	long at_once, late;

	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN) ||
	    CONFIG_HAKMEM_LARGE_MAPPING_MIN_KB < 512 ||
	    CONFIG_HAKMEM_RETAIN_KB > 4096)
		kunit_skip(test, "too much is kept whatever the pace");
	at_once = number_with(test, "kept_large", name, "0");
	late = number_with(test, "kept_large", name, "60000");
	KUNIT_EXPECT_LT(test, at_once, 8 * 1024);
	KUNIT_EXPECT_GT(test, late, 16 * 1024);
}

static void stats(struct kunit *test)
{
	struct report report;

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_STATS is not set");
	run_with(test, "room", "HAKMEM_STATS", "1", &report);
	KUNIT_EXPECT_GT(test, report.lines, 5);
	run_with(test, "room", "HAKMEM_STATS", "0", &report);
	KUNIT_EXPECT_EQ(test, report.lines, 0);
}

/* The program runs on, as if the variable were not there. */
static void nonsense_is_passed_over(struct kunit *test)
{
	const char *name = "HAKMEM_TINY_USE_SUPERSLAB";
	struct report report;
	long room = number_with(test, "room", name, NULL);

	KUNIT_EXPECT_EQ(test, run_with(test, "room", name, "no", &report),
			room);
	KUNIT_EXPECT_EQ(test, report.lines, 1);
	KUNIT_EXPECT_STREQ(test, report.line, "hakmem: "
			   "HAKMEM_TINY_USE_SUPERSLAB=no: "
			   "not a number from 0 to 1: using 1");
}

static const struct kunit_case knobs_cases[] = {
	KUNIT_CASE(tiny_use_superslab),
	KUNIT_CASE(tiny_mem_diet),
	KUNIT_CASE(tiny_refill_count_hot),
	KUNIT_CASE(decay_ms),
	KUNIT_CASE(stats),
	KUNIT_CASE(nonsense_is_passed_over),
	{}
};

static const struct kunit_suite knobs_suite = {
	.name = "knobs",
	.test_cases = knobs_cases,
};
kunit_test_suite(knobs_suite);
