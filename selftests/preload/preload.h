/* SPDX-License-Identifier: MIT */
/*
 * Starting the programs of programs/.
 */
#ifndef SELFTESTS_PRELOAD_H
#define SELFTESTS_PRELOAD_H

#include <stdbool.h>

#include "kunit.h"
#include "report.h"

/* The library, from the runner's folder. */
#define LIBRARY		"../../libhakmem.so"

/**
 * run_program() - run one, and skip the case if it was not built
 * @test: the case
 * @report: result
 * @name: without folder and suffix
 * @arg: its argument, or NULL
 * @preload: with the library, or on libc's malloc
 */
void run_program(struct kunit *test, struct report *report, const char *name,
		 const char *arg, bool preload);

/* Expect that it ended with 0 and "fine"; figures before that are printed. */
void expect_fine(struct kunit *test, const struct report *report);

#endif /* SELFTESTS_PRELOAD_H */
