/* SPDX-License-Identifier: MIT */
/* What the benchmarks have in common. */
#ifndef TOOLS_BENCH_BENCH_H
#define TOOLS_BENCH_BENCH_H

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CACHE_LINE	128

static inline void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(error));
	exit(EXIT_FAILURE);
}

/* A state for each of several generators: never zero. */
static inline uint64_t first_random(uint64_t seed, unsigned int generator)
{
	/* An odd multiple of the golden ratio */
	return ((seed + generator) * 2 + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Xorshift with a multiplied output: the high bits are the good ones */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* Of 32 random bits, a number below @range */
static inline size_t random_below(uint32_t random, size_t range)
{
	return ((uint64_t)random * range) >> 32;
}

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static inline uint64_t number(const char *text, const char *name,
			      uint64_t min, uint64_t max)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value < min ||
	    value > max) {
		fprintf(stderr, "%s: %s must be from %" PRIu64 " to %" PRIu64
			", not '%s'\n", program_invocation_short_name, name,
			min, max, text);
		exit(EXIT_FAILURE);
	}
	return value;
}

/* The line that tools/bench/compare.sh reads */
static inline void print_throughput(uint64_t operations, double seconds)
{
	printf("Throughput = %.0f operations per second\n",
	       (double)operations / seconds);
}

#endif /* TOOLS_BENCH_BENCH_H */
