// SPDX-License-Identifier: MIT
/*
 * Starting the programs: see preload.h.
 */
#include "preload.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "path.h"

void run_program(struct kunit *test, struct report *report, const char *name,
		 const char *arg, bool preload)
{
	char program[PATH_MAX], library[PATH_MAX];
	const char *const argv[] = { program, arg, NULL };
	char file[64];

	snprintf(file, sizeof(file), "programs/%s.run", name);
	path_beside_runner(program, sizeof(program), file);
	path_beside_runner(library, sizeof(library), LIBRARY);
	KUNIT_ASSERT_EQ(test, access(library, R_OK), 0);
	if (access(program, X_OK))
		kunit_skip(test, "%s was not built: no C++ compiler, no "
			   "static jemalloc, or not glibc", name);
	report_exec(report, preload ? library : NULL, argv);
}

/* Lines of "# ..." are figures. Return: what is behind them. */
static const char *print_figures(struct kunit *test, const char *output)
{
	const char *end;

	while (!strncmp(output, "# ", 2) && (end = strchr(output, '\n'))) {
		kunit_info(test, "%.*s", (int)(end - output - 2), output + 2);
		output = end + 1;
	}
	return output;
}

void expect_fine(struct kunit *test, const struct report *report)
{
	const char *rest = print_figures(test, report->output);

	KUNIT_EXPECT_MSG(test, report->status == 0 && !strcmp(rest, "fine\n"),
			 "%s, stdout \"%s\"", report_describe(report), rest);
}
