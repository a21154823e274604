// SPDX-License-Identifier: MIT
/*
 * What the README promises, with the figure in the test: programs that measure
 * a property, print it and hold it to its bound; and wrong pointers, each of
 * which must end the program at once.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "kunit.h"
#include "memory.h"
#include "preload.h"
#include "report.h"

/* A program and its argument. */
struct promise {
	const char *program;
	const char *arg;
};

static const struct promise promises[] = {
	{ "refusals", NULL },
	{ "fill", "as" },
	{ "fill", "data" },
	{ "fill", "threads" },
	{ "map_count", "protect" },
	{ "map_count", "map" },
	{ "map_count", "objects" },
	{ "lock_memory", NULL },
	{ "size_phases", "16" },
	{ "size_phases", "24" },
	{ "size_phases", "48" },
	{ "size_phases", "16,random" },
	{ "size_phases", "24,random" },
	{ "size_phases", "48,cgroup" },
	{ "size_phases", "48,random,cgroup" },
	{ "live_threads", "live" },
	{ "live_threads", "first" },
	{ "live_threads", "keys" },
	{ "startup", "self" },
	{ "startup", "true" },
	{ "startup", "python" },
	{ "startup", "grow" },
	{ "fork_storm", "busy,1" },
	{ "fork_storm", "two,1" },
	{ "fork_storm", "stdio,1" },
	{ "fork_storm", "handler,1" },
	{ "fork_storm", "spawn,1" },
};

/* Ten minutes of forks in all. Their rate is the machine's, if it is busy. */
static const struct promise slow_promises[] = {
	{ "fork_storm", "rate,5" },
	{ "live_threads", "rounds" },
	{ "fork_storm", "busy,150" },
	{ "fork_storm", "two,150" },
	{ "fork_storm", "stdio,150" },
	{ "fork_storm", "handler,150" },
	{ "fork_storm", "spawn,30" },
};

static void describe_promise(const void *param, char *text, size_t size)
{
	const struct promise *promise = param;

	snprintf(text, size, "%s %s", promise->program,
		 promise->arg ? promise->arg : "");
}

#ifdef __GLIBC__
#define IS_GLIBC	1
#else
#define IS_GLIBC	0
#endif

/* Addresses to spare, or sizes that nobody can have. */
/* The system's programs, which some start, are of 64 bits there. */
static bool needs_64_bits(const struct promise *promise)
{
	return !strcmp(promise->program, "refusals") ||
	       !strcmp(promise->program, "map_count") ||
	       (!strcmp(promise->program, "startup") &&
		strcmp(promise->arg, "self"));
}

/*
 * A block of 16 bytes has a slot of 32: 119 MiB. A fork copies the page tables
 * of what rests as well: 110 to 230 of them in 2 s.
 */
static bool hardened_misses(const struct promise *promise)
{
	if (!strcmp(promise->program, "size_phases"))
		return !strncmp(promise->arg, "16", 2);
	return !strcmp(promise->program, "fork_storm") &&
	       !strncmp(promise->arg, "rate", 4);
}

static void promise_is_kept(struct kunit *test)
{
	const struct promise *promise = test->param_value;
	struct report report;

	/* It is ACE that notices growth, and gives back what is not kept. */
	if (!strcmp(promise->program, "size_phases") &&
	    (!IS_ENABLED(CONFIG_HAKMEM_ACE) || CONFIG_HAKMEM_RETAIN_KB > 4096))
		kunit_skip(test, "CONFIG_HAKMEM_ACE is not set, or "
			   "CONFIG_HAKMEM_RETAIN_KB is large");
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN) && hardened_misses(promise))
		kunit_skip(test, "the hardened build has other figures");
	/* Figures of this machine, and some that start the system's programs */
	if (process_is_emulated() || !IS_GLIBC ||
	    (sizeof(void *) == 4 && needs_64_bits(promise)))
		kunit_skip(test, "an emulator, another libc, or 32 bits");
	run_program(test, &report, promise->program, promise->arg, true);
	expect_fine(test, &report);
}

static void slow_promise_is_kept(struct kunit *test)
{
	promise_is_kept(test);
}

/* The figures of expect_fine() have to be able to fail. */
static void broken_promise_is_noticed(struct kunit *test)
{
	struct report report;

	run_program(test, &report, "fork_storm", "rate,0", true);
	KUNIT_EXPECT_NE(test, report.status, 0);
	KUNIT_EXPECT_MSG(test, strstr(report.line, "is less than"), "%s",
			 report_describe(&report));
}

/* A pointer that bad_free.c frees, and what is said of it. */
struct bad_free {
	const char *kind;
	const char *what;
};

#define FOREIGN		"not allocated"
#define INTERIOR	"not the start"

static const struct bad_free bad_frees[] = {
	{ "interior", INTERIOR },
	{ "misaligned", INTERIOR },
	{ "end", INTERIOR },
	{ "stack", FOREIGN },
	{ "data", FOREIGN },
	{ "code", FOREIGN },
	{ "far", FOREIGN },
	{ "wild", FOREIGN },
	{ "low", FOREIGN },
	{ "foreign", FOREIGN },
	{ "protected", FOREIGN },
	{ "closed", FOREIGN },
};

static const char *const bad_free_sizes[] = {
	"8", "100", "4096", "262144", "5000000",
};

static void describe_bad_free(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct bad_free *)param)->kind);
}

/* One line that names what and where, and abort(). */
static void bad_free_ends_the_program(struct kunit *test)
{
	const struct bad_free *bad = test->param_value;
	char arg[64], regex[256];
	struct report report;
	size_t i;

	if (!IS_ENABLED(CONFIG_HAKMEM_FREE_CHECK))
		kunit_skip(test, "CONFIG_HAKMEM_FREE_CHECK is not set");
	for (i = 0; i < ARRAY_LENGTH(bad_free_sizes); i++) {
		snprintf(arg, sizeof(arg), "%s,%s", bad->kind,
			 bad_free_sizes[i]);
		/* In 32 bits it comes round to where it began. */
		if (sizeof(void *) == 4 && !strcmp(bad->kind, "far"))
			kunit_skip(test, "nothing is far in 32 bits");
		run_program(test, &report, "bad_free", arg, true);
		report.output[strcspn(report.output, "\n")] = '\0';
		snprintf(regex, sizeof(regex),
			 "^hakmem: free\\(\\): .*%s.*: %.32s( in .*)?$",
			 bad->what, report.output);
		KUNIT_EXPECT_MSG(test,
				 report_is_death(&report, SIGABRT, regex),
				 "%s: %s, not \"%s\"", arg,
				 report_describe(&report), regex);
		KUNIT_EXPECT_EQ(test, report.lines, 1);
	}
}

static const struct kunit_case promise_cases[] = {
	KUNIT_CASE_PARAM(promise_is_kept, promises, describe_promise),
	KUNIT_CASE_PARAM_SLOW(slow_promise_is_kept, slow_promises,
			      describe_promise),
	KUNIT_CASE(broken_promise_is_noticed),
	KUNIT_CASE_PARAM(bad_free_ends_the_program, bad_frees,
			 describe_bad_free),
	{}
};

static const struct kunit_suite promise_suite = {
	.name = "promise",
	.test_cases = promise_cases,
};
kunit_test_suite(promise_suite);
