// SPDX-License-Identifier: MIT
/*
 * libhakmem.so under whole programs: each is started with LD_PRELOAD and judged
 * by how it ends. This runner itself stays on libc's malloc.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kunit.h"
#include "memory.h"
#include "mm/cxx.h"
#include "path.h"
#include "preload.h"
#include "report.h"

#define PLUGIN		"programs/plugin.so"

static const char *const programs[] = {
	"early", "late", "libc_names", "fork", "operators", "thread_exit",
	"own_malloc", "own_operators", "jemalloc", "exits",
};

/* Those that do not look at what the tiers hold. */
static const char *const frugal_programs[] = {
	"late", "fork", "operators", "thread_exit",
};

static void describe_program(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", *(const char *const *)param);
}

static void program_is_fine(struct kunit *test)
{
	struct report report;

	run_program(test, &report, *(const char *const *)test->param_value,
		    NULL, true);
	expect_fine(test, &report);
}

/* The same on libc's blocks, for no call for memory succeeds. */
static void program_is_fine_on_the_fallback(struct kunit *test)
{
	const char *name = *(const char *const *)test->param_value;
	struct report report;

	if (!IS_ENABLED(CONFIG_HAKMEM_MALLOC_FALLBACK) ||
	    !IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_MALLOC_FALLBACK or "
			   "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	setenv("HAKMEM_ALLOW_MALLOC_FALLBACK", "1", 1);
	setenv("HAKMEM_FAULT", "all,every=1", 1);
	run_program(test, &report, name, NULL, true);
	expect_fine(test, &report);
	KUNIT_EXPECT_GE(test, report.lines, 3);
	KUNIT_EXPECT_MSG(test, strstr(report.line, "taken from libc's"), "%s",
			 report.line);
}

static void plugins_come_and_go(struct kunit *test)
{
	char plugin[PATH_MAX];
	struct report report;

	path_beside_runner(plugin, sizeof(plugin), PLUGIN);
	run_program(test, &report, "plugins", plugin, true);
	expect_fine(test, &report);
}

static void library_is_loaded_later(struct kunit *test)
{
	char library[PATH_MAX];
	struct report report;

#ifndef __GLIBC__
	kunit_skip(test, "only glibc spares thread-local memory for that");
#endif
	path_beside_runner(library, sizeof(library), LIBRARY);
	run_program(test, &report, "load_later", library, false);
	expect_fine(test, &report);
}

/* The others call need_hakmem(); this shows that it can tell. */
static void programs_notice_a_missing_library(struct kunit *test)
{
	struct report report;

	run_program(test, &report, "early", NULL, false);
	KUNIT_EXPECT_MSG(test, WIFEXITED(report.status) &&
			 WEXITSTATUS(report.status) == 1, "%s",
			 report_describe(&report));
}

/* What misuse.c does and the line it must die with. */
struct death {
	const char *arg;
	const char *regex;
};

static const struct death deaths[] = {
	{ "stack", "^hakmem: .*free\\(\\): .*not allocated.*0x" },
	{ "interior", "^hakmem: .*free\\(\\): .*not the start.*0x" },
	{ "double",
	  "^hakmem: .*free\\(\\): .*(double free|not allocated).*0x" },
	{ "double-between",
	  "^hakmem: .*free\\(\\): .*(double free|not allocated).*0x" },
	{ "double-at-once",
	  "^hakmem: .*free\\(\\): .*(double free|not allocated).*0x" },
	{ "double-far",
	  "^hakmem: .*free\\(\\): .*(double free|not allocated).*0x" },
	{ "realloc", "^hakmem: .*realloc\\(\\): .*not allocated.*0x" },
};

static void describe_death(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct death *)param)->arg);
}

static void misuse_ends_the_program(struct kunit *test)
{
	const struct death *death = test->param_value;
	struct report report;

	if (!IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK) &&
	    strstr(death->arg, "double-at-once"))
		kunit_skip(test, "CONFIG_HAKMEM_DOUBLE_FREE_CHECK is not set");
	run_program(test, &report, "misuse", death->arg, true);
	KUNIT_EXPECT_MSG(test, report_is_death(&report, SIGABRT, death->regex),
			 "%s, not \"%s\"", report_describe(&report),
			 death->regex);
}

/* The tables come behind the line that says why the program ends. */
static void misuse_with_statistics(struct kunit *test)
{
	struct report report;

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_STATS is not set");
	run_program(test, &report, "misuse", "stack", true);
	KUNIT_EXPECT_EQ(test, report.lines, 1);
	setenv("HAKMEM_STATS", "1", 1);
	run_program(test, &report, "misuse", "stack", true);
	KUNIT_EXPECT_MSG(test, report_is_death(&report, SIGABRT,
					       deaths[0].regex),
			 "%s", report_describe(&report));
	KUNIT_EXPECT_GT(test, report.lines, 10);
}

/* What foreign.c frees and what the line says of it. */
static const struct death foreign[] = {
	{ "data", " in [^ ]*/foreign.run$" },
	{ "bss", " in [^ ]*/foreign.run$" },
	{ "libc_data", " in [^ ]*/libc[.-][^ ]*$" },
	{ "stack", " in this thread's stack$" },
	{ "thread_stack", " in this thread's stack$" },
	{ "heap", " in \\[heap\\], maybe of malloc in [^ ]*/libc[.-][^ ]*$" },
	{ "mapping", " in a mapping without a name, maybe of malloc in "
		     "[^ ]*/libc[.-][^ ]*$" },
	{ "wild", ": 0x40 in no mapping$" },
};

static void need_foreign(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_FOREIGN))
		kunit_skip(test, "CONFIG_HAKMEM_FOREIGN is not set");
}

static void owner_is_named(struct kunit *test)
{
	const struct death *death = test->param_value;
	struct report report;

	need_foreign(test);
	need_maps(test);
#ifndef __GLIBC__
	kunit_skip(test, "the names are glibc's and those of its heap");
#endif
	if (process_is_emulated() && !strcmp(death->arg, "heap"))
		kunit_skip(test, "the emulator does not name the heap");
	run_program(test, &report, "foreign", death->arg, true);
	KUNIT_EXPECT_MSG(test, report_is_death(&report, SIGABRT, death->regex),
			 "%s, not \"%s\"", report_describe(&report),
			 death->regex);
	KUNIT_EXPECT_EQ(test, report.lines, 1);
}

static const char *const policies[] = { "ignore", "forward" };

/* Only three of its hundred pointers get a line. */
static void foreign_pointers_pass(struct kunit *test)
{
	const char *policy = *(const char *const *)test->param_value;
	struct report report;
	char regex[64];

	need_foreign(test);
	setenv("HAKMEM_FOREIGN", policy, 1);
	run_program(test, &report, "foreign", "tour", true);
	expect_fine(test, &report);
	KUNIT_EXPECT_EQ(test, report.lines, 3);
	snprintf(regex, sizeof(regex), ": %s%s", policy,
		 policy[0] == 'i' ? "d" : "ed");
	KUNIT_EXPECT_MSG(test, strstr(report.line, regex), "%s", report.line);
}

/* No other allocator has it, whatever the policy. */
static void wild_pointers_never_pass(struct kunit *test)
{
	const char *policy = *(const char *const *)test->param_value;
	struct report report;

	setenv("HAKMEM_FOREIGN", policy, 1);
	run_program(test, &report, "foreign", "wild", true);
	KUNIT_EXPECT_MSG(test, report_is_death(&report, SIGABRT,
					       "not allocated.*0x40"),
			 "%s", report_describe(&report));
	run_program(test, &report, "misuse", "double", true);
	KUNIT_EXPECT_MSG(test, report_is_death(&report, SIGABRT,
					       deaths[2].regex),
			 "%s", report_describe(&report));
}

static const char *const malloc_family[] = {
	"malloc", "free", "calloc", "realloc", "reallocarray",
	"aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc",
	"malloc_usable_size", "cfree", "malloc_trim", "malloc_stats",
	"malloc_info", "mallinfo", "mallinfo2", "mallopt",
#ifdef __GLIBC__
	"__libc_malloc", "__libc_free", "__libc_calloc", "__libc_realloc",
	"__libc_memalign", "__libc_valloc", "__libc_pvalloc",
	"__libc_mallinfo", "__libc_mallopt",
#endif
};

static const char *const more_public_names[] = {
	"free_sized", "free_aligned_sized",
};

/* In the order of the standard: new, delete; [n]ew w/a = plain/array. */
static const char *const cxx_operators[] = {
	"_Znw" CXX_SIZE, "_Zna" CXX_SIZE, "_Znw" CXX_SIZE "RKSt9nothrow_t",
	"_Zna" CXX_SIZE "RKSt9nothrow_t", "_Znw" CXX_SIZE "St11align_val_t",
	"_Zna" CXX_SIZE "St11align_val_t",
	"_Znw" CXX_SIZE "St11align_val_tRKSt9nothrow_t",
	"_Zna" CXX_SIZE "St11align_val_tRKSt9nothrow_t", "_ZdlPv", "_ZdaPv",
	"_ZdlPv" CXX_SIZE, "_ZdaPv" CXX_SIZE, "_ZdlPvRKSt9nothrow_t",
	"_ZdaPvRKSt9nothrow_t", "_ZdlPvSt11align_val_t",
	"_ZdaPvSt11align_val_t", "_ZdlPv" CXX_SIZE "St11align_val_t",
	"_ZdaPv" CXX_SIZE "St11align_val_t",
	"_ZdlPvSt11align_val_tRKSt9nothrow_t",
	"_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

static bool is_among(const char *name, const char *const *names, size_t count)
{
	while (count--)
		if (!strcmp(*names++, name))
			return true;
	return false;
}

#define IS_AMONG(name, names) is_among(name, names, ARRAY_LENGTH(names))

/* Read the library's dynamic symbols of one kind, as lines of "... NAME". */
static void read_symbols(struct kunit *test, struct report *report,
			 const char *kind)
{
	char library[PATH_MAX];
	const char *nm = getenv("NM");
	const char *const argv[] = { nm ? nm : "nm", "-D", kind, library,
				     NULL };

	path_beside_runner(library, sizeof(library), LIBRARY);
	report_exec(report, NULL, argv);
	if (WIFEXITED(report->status) && WEXITSTATUS(report->status) == 127)
		kunit_skip(test, "nm is not installed");
	KUNIT_ASSERT_EQ(test, report->status, 0);
	KUNIT_ASSERT_TRUE(test, strlen(report->output) <
			  sizeof(report->output) - 1);
}

/* Cut the next line off @text; return the bare name that ends it, or NULL. */
static char *next_symbol(char **text)
{
	char *line = strsep(text, "\n");
	char *name = line && *line ? strrchr(line, ' ') : NULL;

	if (!name)
		return NULL;
	name[1 + strcspn(name + 1, "@")] = '\0';
	return name + 1;
}

static void imports_no_malloc(struct kunit *test)
{
	struct report report;
	char *text = report.output, *name;
	size_t count = 0;

	read_symbols(test, &report, "--undefined-only");
	while ((name = next_symbol(&text))) {
		count++;
		KUNIT_EXPECT_MSG(test, !IS_AMONG(name, malloc_family) &&
				 !IS_AMONG(name, cxx_operators),
				 "imports %s", name);
	}
	KUNIT_EXPECT_GT(test, count, 0);
}

static void exports_only_public_names(struct kunit *test)
{
	struct report report;
	char *text = report.output, *name;
	size_t ours = 0;

	read_symbols(test, &report, "--defined-only");
	while ((name = next_symbol(&text))) {
		ours += IS_AMONG(name, malloc_family) ||
			IS_AMONG(name, more_public_names);
		KUNIT_EXPECT_MSG(test, IS_AMONG(name, malloc_family) ||
				 IS_AMONG(name, more_public_names) ||
				 IS_AMONG(name, cxx_operators) ||
				 !strncmp(name, "hak_", 4) ||
				 !strncmp(name, "HAKMEM_", 7),
				 "exports %s", name);
	}
	KUNIT_EXPECT_EQ(test, ours, ARRAY_LENGTH(malloc_family) +
			ARRAY_LENGTH(more_public_names));
}

static void exports_all_operators(struct kunit *test)
{
	struct report report;
	char *text = report.output, *name;
	size_t ours = 0;

	if (!IS_ENABLED(CONFIG_HAKMEM_CXX))
		kunit_skip(test, "CONFIG_HAKMEM_CXX is not set");
	read_symbols(test, &report, "--defined-only");
	while ((name = next_symbol(&text)))
		ours += IS_AMONG(name, cxx_operators);
	KUNIT_EXPECT_EQ(test, ours, ARRAY_LENGTH(cxx_operators));
}

static const struct kunit_case preload_cases[] = {
	KUNIT_CASE_PARAM(program_is_fine, programs, describe_program),
	KUNIT_CASE_PARAM(program_is_fine_on_the_fallback, frugal_programs,
			 describe_program),
	KUNIT_CASE(plugins_come_and_go),
	KUNIT_CASE(library_is_loaded_later),
	KUNIT_CASE(programs_notice_a_missing_library),
	KUNIT_CASE_PARAM(misuse_ends_the_program, deaths, describe_death),
	KUNIT_CASE(misuse_with_statistics),
	KUNIT_CASE_PARAM(owner_is_named, foreign, describe_death),
	KUNIT_CASE_PARAM(foreign_pointers_pass, policies, describe_program),
	KUNIT_CASE_PARAM(wild_pointers_never_pass, policies, describe_program),
	KUNIT_CASE(imports_no_malloc),
	KUNIT_CASE(exports_only_public_names),
	KUNIT_CASE(exports_all_operators),
	{}
};

static const struct kunit_suite preload_suite = {
	.name = "preload",
	.test_cases = preload_cases,
};
kunit_test_suite(preload_suite);
