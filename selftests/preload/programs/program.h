/* SPDX-License-Identifier: MIT */
/*
 * For the programs that run preloaded: they end with 0 and the word "fine", or
 * with 1 and what was wrong.
 */
#ifndef SELFTESTS_PROGRAM_H
#define SELFTESTS_PROGRAM_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../harness/check_program.h"

#define KIB	((size_t)1 << 10)
#define MIB	((size_t)1 << 20)
#define GIB	((size_t)1 << 30)

#define ARRAY_LENGTH(a)	(sizeof(a) / sizeof((a)[0]))

/* Without this, a library that was not preloaded would pass every test. */
static inline void need_hakmem(void)
{
	Dl_info info;

	CHECK(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info));
	CHECK(strstr(info.dli_fname, "libhakmem"));
}

/* Print a figure of the process or the clock, and hold it to its bound. */
static inline void at_most(const char *what, double figure, double bound)
{
	printf("# %s: %.4g, at most %.4g\n", what, figure, bound);
	fflush(stdout);
	if (figure <= bound)
		return;
	fprintf(stderr, "%s: %.4g is more than %.4g\n", what, figure, bound);
	_Exit(1);
}

static inline void at_least(const char *what, double figure, double bound)
{
	printf("# %s: %.4g, at least %.4g\n", what, figure, bound);
	fflush(stdout);
	if (figure >= bound)
		return;
	fprintf(stderr, "%s: %.4g is less than %.4g\n", what, figure, bound);
	_Exit(1);
}

/* KiB that a line of /proc/self/status says, such as "VmRSS:". */
static inline double status_kib(const char *field)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	double kib = -1;

	CHECK(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)))
			kib = strtod(line + strlen(field), NULL);
	fclose(file);
	CHECK(kib >= 0);
	return kib;
}

static inline size_t mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	size_t lines = 0;
	int c;

	CHECK(file);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

static inline double clock_milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static inline double milliseconds(void)
{
	return clock_milliseconds(CLOCK_MONOTONIC);
}

static inline int finish(void)
{
	puts("fine");
	return 0;
}

/* What other libraries than glibc lack, the preloaded one has. */
#ifndef __GLIBC__
struct mallinfo2 {
	size_t arena, ordblks, smblks, hblks, hblkhd;
	size_t usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct mallinfo2 mallinfo2(void) __attribute__((weak));
int malloc_trim(size_t pad) __attribute__((weak));
#endif

#endif /* SELFTESTS_PROGRAM_H */
