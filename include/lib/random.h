/* SPDX-License-Identifier: MIT */
/*
 * Random numbers: a seed from the kernel, and a sequence that follows it.
 */
#ifndef HAKMEM_LIB_RANDOM_H
#define HAKMEM_LIB_RANDOM_H

#include <stdint.h>

/* Hard to guess from outside the process; keeps errno, never waits. */
uint64_t random_seed(void);

/* From one state of a sequence to the next. */
#define RANDOM_STEP	0x9e3779b97f4a7c15u

/* The next number of a sequence (splitmix64). */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += RANDOM_STEP;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#endif /* HAKMEM_LIB_RANDOM_H */
