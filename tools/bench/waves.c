// SPDX-License-Identifier: MIT
/*
 * waves - a heap that grows and shrinks, and whose sizes move
 *
 * WAVES times the heap grows to PEAK KiB of touched blocks and shrinks to an
 * eighth of that, block by block in random order. Each wave has sizes of
 * another range, so what one wave let go has to serve another's sizes. The
 * ranges are the doublings from MIN to MAX bytes. One block is one operation.
 */
#include "bench.h"

enum { WAVES, PEAK, MIN, MAX };

static struct argument arguments[] = {
	[WAVES] = NUMBER("WAVES", 22, 1, UINT32_MAX),
	[PEAK] = NUMBER("PEAK", 32768, 1, UINT32_MAX),
	[MIN] = NUMBER("MIN", 32, 16, UINT32_MAX),
	[MAX] = NUMBER("MAX", 65536, 16, UINT32_MAX),
};

struct block {
	char *start;
	size_t size;
};

static struct block *blocks;
static size_t nr_blocks;
static size_t live_bytes;
static uint64_t random_state;

static void add_block(size_t min)
{
	size_t size = min + random_below(next_random(&random_state) >> 32, min);
	char *start = malloc(size);

	if (!start)
		die("malloc", ENOMEM);
	memset(start, 'w', size);
	blocks[nr_blocks++] = (struct block){ start, size };
	live_bytes += size;
}

static void remove_block(void)
{
	size_t victim = random_below(next_random(&random_state) >> 32,
				     nr_blocks);

	free(blocks[victim].start);
	live_bytes -= blocks[victim].size;
	blocks[victim] = blocks[--nr_blocks];
}

/* Return: how many blocks were allocated. */
static uint64_t run_wave(size_t min, size_t peak)
{
	uint64_t allocated = 0;

	for (; live_bytes < peak; allocated++)
		add_block(min);
	while (live_bytes > peak / 8)
		remove_block();
	return allocated;
}

int main(int argc, char **argv)
{
	uint64_t operations = 0;
	size_t peak, min;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	check_range(&arguments[MIN], &arguments[MAX]);
	peak = arguments[PEAK].value * 1024;
	min = arguments[MIN].value;
	random_state = first_random(1, 0);
	blocks = allocate((peak / min + 2) * sizeof(*blocks));
	began = now();
	for (uint64_t i = 0; i < arguments[WAVES].value; i++) {
		operations += run_wave(min, peak);
		min *= 2;
		if (min > arguments[MAX].value / 2)
			min = arguments[MIN].value;
	}
	while (nr_blocks)
		remove_block();
	print_throughput(operations, now() - began);
	free(blocks);
	return EXIT_SUCCESS;
}
