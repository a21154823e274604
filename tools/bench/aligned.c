// SPDX-License-Identifier: MIT
/*
 * aligned - blocks with a start that the program asks for
 *
 * BLOCKS slots; OPERATIONS times one is picked at random, freed if it has a
 * block, and gets one of MIN to MAX bytes, aligned to a power of two from 32 to
 * ALIGNMENT. Such a replacement is an operation.
 */
#include "bench.h"

#define MIN_ALIGNMENT	32

enum { OPERATIONS, BLOCKS, MIN, MAX, ALIGNMENT };

static struct argument arguments[] = {
	[OPERATIONS] = NUMBER("OPERATIONS", 5000000, 1, UINT64_MAX / 2),
	[BLOCKS] = NUMBER("BLOCKS", 4096, 1, UINT32_MAX),
	[MIN] = NUMBER("MIN", 16, 1, UINT32_MAX),
	[MAX] = NUMBER("MAX", 4096, 1, UINT32_MAX),
	[ALIGNMENT] = NUMBER("ALIGNMENT", 4096, MIN_ALIGNMENT, UINT32_MAX),
};

static unsigned int nr_alignments;

static char *allocate_aligned(uint64_t random)
{
	size_t size = random_from((uint32_t)random, &arguments[MIN],
				  &arguments[MAX]);
	size_t alignment = (size_t)MIN_ALIGNMENT
			   << (random >> 32) % nr_alignments;
	void *block;
	int error;

	error = posix_memalign(&block, alignment, size);
	if (error)
		die("posix_memalign", error);
	if ((uintptr_t)block % alignment)
		die("a block is not aligned", EFAULT);
	((char *)block)[0] = 'a';
	((char *)block)[size - 1] = 'z';
	return block;
}

int main(int argc, char **argv)
{
	uint64_t state = first_random(1, 0);
	uint64_t which = first_random(1, 1);
	size_t nr_blocks;
	char **blocks;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	check_range(&arguments[MIN], &arguments[MAX]);
	while (arguments[ALIGNMENT].value >> nr_alignments >= MIN_ALIGNMENT)
		nr_alignments++;
	nr_blocks = arguments[BLOCKS].value;
	blocks = calloc(nr_blocks, sizeof(*blocks));
	if (!blocks)
		die("blocks", ENOMEM);
	began = now();
	for (uint64_t i = 0; i < arguments[OPERATIONS].value; i++) {
		size_t at = random_below(next_random(&which) >> 32, nr_blocks);

		free(blocks[at]);
		blocks[at] = allocate_aligned(next_random(&state));
	}
	print_throughput(arguments[OPERATIONS].value, now() - began);
	for (size_t i = 0; i < nr_blocks; i++)
		free(blocks[i]);
	free(blocks);
	return EXIT_SUCCESS;
}
