/* SPDX-License-Identifier: MIT */
/*
 * What the suites of ACE have in common: which classes are its own, and how
 * long a machine may take.
 */
#ifndef SELFTESTS_ACE_H
#define SELFTESTS_ACE_H

#include <stdlib.h>
#include <time.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/ace.h"
#include "mm/tier.h"

/* Its classes lie on both sides of the mid tier's. */
#define ACE_CLASS_FIRST							\
	(!MID_CLASS_LAST || BEYOND_TINY_CLASS < MID_CLASS_FIRST ?	\
	 BEYOND_TINY_CLASS : MID_CLASS_LAST + 1)

#define for_each_ace_class(class)					\
	for ((class) = ACE_CLASS_FIRST; (class) <= ACE_CLASS_LAST;	\
	     (class)++)							\
		if (class_tier(class) == &ace_ops)

/* Seconds, and more where the harness is told that all takes longer. */
static inline double ace_patience(double seconds)
{
	const char *text = getenv("CK_TIMEOUT_MULTIPLIER");
	double multiplier = text ? strtod(text, NULL) : 0;

	return multiplier > 1 ? seconds * multiplier : seconds;
}

/* Of the thread: a second of it is more where others want the machine. */
static inline double ace_cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif /* SELFTESTS_ACE_H */
