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

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #condition);	\
			_Exit(1);					\
		}							\
	} while (0)

/* Without this, a library that was not preloaded would pass every test. */
static inline void need_hakmem(void)
{
	Dl_info info;

	CHECK(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info));
	CHECK(strstr(info.dli_fname, "libhakmem"));
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
