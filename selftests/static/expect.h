/* SPDX-License-Identifier: MIT */
#ifndef SELFTESTS_STATIC_EXPECT_H
#define SELFTESTS_STATIC_EXPECT_H

#include <stdio.h>
#include <stdlib.h>

#define EXPECT(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not true: %s\n",	\
				__FILE__, __LINE__, #condition);	\
			_Exit(1);					\
		}							\
	} while (0)

/* Forks again and again while threads that allocate come and go */
#ifdef __cplusplus
extern "C"
#endif
void use_threads_and_fork(void);

#endif
