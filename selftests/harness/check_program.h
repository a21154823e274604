/* SPDX-License-Identifier: MIT */
/*
 * For whole programs, which no runner looks into: say what is not so, and end.
 */
#ifndef SELFTESTS_CHECK_PROGRAM_H
#define SELFTESTS_CHECK_PROGRAM_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #condition);	\
			_Exit(1);					\
		}							\
	} while (0)

#endif /* SELFTESTS_CHECK_PROGRAM_H */
