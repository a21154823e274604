// SPDX-License-Identifier: MIT
/*
 * pingpong - blocks that are freed at once
 *
 * For sizes from MIN to MAX, four to each doubling, in turn: allocate a block,
 * write its first byte, free it. Each thread makes PAIRS such pairs; a pair is
 * an operation.
 */
#include "bench.h"

#define MAX_SIZES	256
/* Before the next size has its turn */
#define BURST		1000

enum { MIN, MAX, PAIRS, THREADS };

static struct argument arguments[] = {
	[MIN] = NUMBER("MIN", 16, 1, UINT32_MAX),
	[MAX] = NUMBER("MAX", 1024, 1, UINT32_MAX),
	[PAIRS] = NUMBER("PAIRS", 100000000, 1, UINT32_MAX),
	[THREADS] = NUMBER("THREADS", 1, 1, 65536),
};

static size_t sizes[MAX_SIZES];
static size_t nr_sizes;

static void list_sizes(size_t min, size_t max)
{
	for (size_t size = min; size <= max; size += (size + 3) / 4)
		sizes[nr_sizes++] = size;
}

static void play(size_t size, uint64_t nr_pairs)
{
	for (uint64_t i = 0; i < nr_pairs; i++) {
		volatile char *block = malloc(size);

		if (!block)
			die("malloc", ENOMEM);
		*block = 'a';
		free((void *)block);
	}
}

static void play_all(unsigned int thread)
{
	uint64_t left = arguments[PAIRS].value;

	for (size_t i = thread; left; i++) {
		uint64_t nr_pairs = left < BURST ? left : BURST;

		play(sizes[i % nr_sizes], nr_pairs);
		left -= nr_pairs;
	}
}

int main(int argc, char **argv)
{
	unsigned int nr_threads;
	double began, seconds;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	check_range(&arguments[MIN], &arguments[MAX]);
	list_sizes(arguments[MIN].value, arguments[MAX].value);
	nr_threads = arguments[THREADS].value;
	if (nr_threads > 1) {
		seconds = run_threads(nr_threads, play_all);
	} else {
		began = now();
		play_all(0);
		seconds = now() - began;
	}
	print_throughput(arguments[PAIRS].value * nr_threads, seconds);
	return EXIT_SUCCESS;
}
