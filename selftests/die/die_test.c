// SPDX-License-Identifier: MIT
/*
 * Must die, must live: each error of programs/ under libhakmem.so, for a small,
 * a middle and a large block. What the configuration promises to notice must
 * end the program, by abort() after the line for it or at a page that cannot be
 * touched; the same program without the error must run through.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kunit.h"
#include "memory.h"
#include "path.h"
#include "report.h"

#define LIBRARY		"../../libhakmem.so"

/* Who notices: every build; or one with all of these. */
enum noticed_by {
	BY_ANY,
	BY_HARDEN = 1,
	BY_CANARY = 2,
	BY_ZERO = 4,
	BY_GUARD = 8,
	BY_EMPTY = 16,
	BY_SIZED = 32,
	BY_KIND = 64,
	BY_EXIT = 128,
	BY_COPY = 256,
	BY_SEAL = 512,
	BY_NONE = 1024,
};

static const char sizes[][8] = { "8", "4096", "262144" };

/**
 * struct error - a kind of error
 * @program: of programs/
 * @kind: its argument
 * @regex: what the line must say, where there is one
 * @by: for small, middle and large blocks, who notices
 */
struct error {
	const char *program;
	const char *kind;
	const char *regex;
	unsigned int by[3];
};

#define ALL(by)		{ BY_HARDEN | (by), BY_HARDEN | (by), \
			  BY_HARDEN | BY_GUARD | ((by) & (BY_EXIT | BY_SIZED | \
							  BY_KIND)) }
#define ANY		{ BY_ANY, BY_ANY, BY_ANY }
#define GONE		"(double free|not allocated)"
#define NO_START	"(not the start|not allocated)"
#define END		"written behind"

static const struct error errors[] = {
	{ "planted", "double_free_at_once", GONE, ALL(0) },
	{ "planted", "double_free_delayed", GONE, ALL(0) },
	{ "planted", "double_free_interleaved", GONE, ALL(0) },
	{ "planted", "double_free_after_others", GONE, ALL(0) },
	{ "planted", "double_free_after_reuse", GONE, ALL(0) },
	{ "planted", "double_free_in_thread", GONE, ALL(0) },
	{ "planted", "double_free_after_realloc", GONE, ALL(0) },
	{ "planted", "free_interior", NO_START, ANY },
	{ "planted", "free_misaligned", NO_START, ANY },
	{ "planted", "free_far", "not allocated", ANY },
	{ "planted", "free_stack", "not allocated", ANY },
	{ "planted", "free_global", "not allocated", ANY },
	{ "planted", "free_foreign", "not allocated", ANY },
	{ "planted", "free_closed", "not allocated", ANY },
	{ "planted", "realloc_freed", GONE, ALL(0) },
	/* Of small blocks the next one's start, which is not in use. */
	{ "planted", "realloc_interior", NO_START "|" GONE,
	  { BY_HARDEN, BY_ANY, BY_ANY } },
	{ "planted", "usable_freed", GONE, ALL(0) },
	{ "planted", "overflow_by_1", END, ALL(BY_CANARY) },
	{ "planted", "overflow_by_nul", END, ALL(BY_CANARY) },
	{ "planted", "overflow_by_8", END, ALL(BY_CANARY) },
	{ "planted", "overflow_by_16", END "|in front|after free",
	  ALL(BY_CANARY | BY_EXIT) },
	{ "planted", "overflow_string", END "|in front", ALL(BY_CANARY) },
	{ "planted", "overflow_unfreed", END, ALL(BY_CANARY | BY_EXIT) },
	{ "planted", "overflow_grown", END, ALL(BY_CANARY) },
	{ "planted", "overflow_read", NULL,
	  { BY_NONE, BY_NONE, BY_HARDEN | BY_GUARD } },
	{ "planted", "underflow_by_1", "in front|" END, ALL(BY_CANARY) },
	{ "planted", "underflow_by_8", "in front|" END, ALL(BY_CANARY) },
	{ "planted", "underflow_by_16", "in front|" END "|after free",
	  ALL(BY_CANARY | BY_ZERO | BY_EXIT) },
	{ "planted", "write_after_free_start", "after free",
	  ALL(BY_ZERO | BY_EXIT) },
	{ "planted", "write_after_free_middle", "after free",
	  ALL(BY_ZERO | BY_EXIT) },
	{ "planted", "write_after_free_end", "after free",
	  ALL(BY_ZERO | BY_EXIT) },
	{ "planted", "write_after_free_reuse", "after free", ALL(BY_ZERO) },
	{ "planted", "write_after_realloc", "after free", ALL(BY_ZERO) },
	/* Zeros behind a block look as if it had never been in use. */
	{ "planted", "copy_too_much", END "|behind|in front|" GONE,
	  ALL(BY_CANARY) },
	{ "planted", "copy_from_behind", "behind the end",
	  { BY_HARDEN | BY_COPY, BY_HARDEN | BY_COPY, BY_HARDEN | BY_GUARD } },
	{ "planted", "set_too_much", END "|behind|in front", ALL(BY_CANARY) },
	{ "planted", "sized_free", "not the size", ALL(BY_SIZED) },
	{ "planted", "write_no_bytes", NULL,
	  { BY_HARDEN | BY_EMPTY, BY_HARDEN | BY_EMPTY,
	    BY_HARDEN | BY_EMPTY } },
	{ "planted", "read_no_bytes", NULL,
	  { BY_HARDEN | BY_EMPTY, BY_HARDEN | BY_EMPTY,
	    BY_HARDEN | BY_EMPTY } },
	{ "mixed", "new_free", "another kind", ALL(BY_KIND) },
	{ "mixed", "malloc_delete", "another kind", ALL(BY_KIND) },
	{ "mixed", "new_delete_array", "another kind", ALL(BY_KIND) },
	{ "mixed", "new_array_delete", "another kind", ALL(BY_KIND) },
	{ "mixed", "new_realloc", "another kind", ALL(BY_KIND) },
	{ "mixed", "sized_delete", "not the size", ALL(BY_SIZED) },
	{ "sealed", "knob", NULL,
	  { BY_HARDEN | BY_SEAL, BY_HARDEN | BY_SEAL, BY_HARDEN | BY_SEAL } },
};

static unsigned int noticing(void)
{
	unsigned int by = 0;

	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN) ? BY_HARDEN : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_CANARY) ? BY_CANARY : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_ZERO) ? BY_ZERO : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_GUARD) ? BY_GUARD : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_EMPTY) ? BY_EMPTY : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_SIZED) ? BY_SIZED : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_KIND) ? BY_KIND : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_EXIT) ? BY_EXIT : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_COPY) ? BY_COPY : 0;
	by |= IS_ENABLED(CONFIG_HAKMEM_HARDEN_SEAL) ? BY_SEAL : 0;
	return by;
}

static void describe_error(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct error *)param)->kind);
}

static void run(struct kunit *test, struct report *report,
		const struct error *error, const char *size, bool good)
{
	char program[PATH_MAX], library[PATH_MAX];
	const char *const argv[] = {
		program, error->kind, size, good ? "good" : NULL, NULL,
	};
	char file[64];

	snprintf(file, sizeof(file), "programs/%s.run", error->program);
	path_beside_runner(program, sizeof(program), file);
	path_beside_runner(library, sizeof(library), LIBRARY);
	KUNIT_ASSERT_EQ(test, access(library, R_OK), 0);
	if (access(program, X_OK))
		kunit_skip(test, "%s was not built: no C++ compiler", file);
	report_exec(report, library, argv);
}

/* At a page that cannot be touched there may be no line. */
static bool is_death(const struct report *report, const struct error *error)
{
	if (WIFSIGNALED(report->status) && WTERMSIG(report->status) == SIGSEGV)
		return true;
	return error->regex && report_is_death(report, SIGABRT, error->regex);
}

static void error_ends_the_program(struct kunit *test)
{
	const struct error *error = test->param_value;
	struct report report;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		if (error->by[i] & ~noticing())
			continue;
		run(test, &report, error, sizes[i], false);
		KUNIT_EXPECT_MSG(test, is_death(&report, error),
				 "%s bytes: %s, not \"%s\"", sizes[i],
				 report_describe(&report),
				 error->regex ? error->regex : "SIGSEGV");
	}
}

static void good_twin_lives(struct kunit *test)
{
	const struct error *error = test->param_value;
	struct report report;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		run(test, &report, error, sizes[i], true);
		KUNIT_EXPECT_MSG(test, !report.status && !report.lines &&
				 !strcmp(report.output, "survived\n"),
				 "%s bytes: %s, stdout \"%s\"", sizes[i],
				 report_describe(&report), report.output);
	}
}

/* A freed block, or a fresh one, shows nothing of what was in it. */
static void nothing_stale_is_read(struct kunit *test)
{
	static const struct error reads[] = {
		{ "planted", "read_uninitialised", NULL, ALL(BY_ZERO) },
		{ "planted", "read_after_free", NULL, ALL(BY_ZERO) },
	};
	struct report report;
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(reads); i++)
		for (j = 0; j < ARRAY_LENGTH(sizes); j++) {
			if (reads[i].by[j] & ~noticing())
				continue;
			run(test, &report, &reads[i], sizes[j], false);
			KUNIT_EXPECT_MSG(test, is_death(&report, &reads[i]) ||
					 !strcmp(report.output, "survived\n"),
					 "%s, %s bytes: stdout \"%s\"",
					 reads[i].kind, sizes[j],
					 report.output);
		}
}

static const struct kunit_case die_cases[] = {
	KUNIT_CASE_PARAM(error_ends_the_program, errors, describe_error),
	KUNIT_CASE_PARAM(good_twin_lives, errors, describe_error),
	KUNIT_CASE(nothing_stale_is_read),
	{}
};

static const struct kunit_suite die_suite = {
	.name = "die",
	.test_cases = die_cases,
};
kunit_test_suite(die_suite);
