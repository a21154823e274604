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

#define CACHE_LINE		128
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* A number, or a word out of some: then its value is the word's place. */
struct argument {
	const char *name;
	uint64_t value;		/* the default until the arguments are read */
	uint64_t min;
	uint64_t max;
	const char *const *words;	/* ended by NULL; NULL: a number */
};

#define NUMBER(name, value, min, max)	{ name, value, min, max, NULL }
#define CHOICE(name, value, words)	{ name, value, 0, 0, words }

_Noreturn void die(const char *what, int error);
uint64_t number(const char *text, const char *name, uint64_t min, uint64_t max);
void read_arguments(int argc, char **argv, struct argument *arguments,
		    size_t nr_arguments);
void check_range(const struct argument *min, const struct argument *max);
void *allocate(size_t size);
double run_threads(unsigned int nr_threads, void (*body)(unsigned int thread));
void print_throughput(uint64_t operations, double seconds);

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

/* Of 32 random bits, a number from @min to @max */
static inline size_t random_from(uint32_t random, const struct argument *min,
				 const struct argument *max)
{
	return min->value + random_below(random, max->value - min->value + 1);
}

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

#endif /* TOOLS_BENCH_BENCH_H */
