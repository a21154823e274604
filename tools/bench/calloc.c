// SPDX-License-Identifier: MIT
/*
 * calloc - zeroed memory, fresh from the kernel or used before
 *
 * "fresh": each of ROUNDS children allocates BLOCKS blocks of MIN to MAX bytes,
 * writes into each and ends. "reused": one process does that ROUNDS times, and
 * frees all blocks, each filled, after each round. A block whose first, middle
 * or last byte is not zero ends the benchmark. One block is one operation.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { MEMORY, ROUNDS, BLOCKS, MIN, MAX };

enum { FRESH, REUSED };

static const char *const memories[] = { "fresh", "reused", NULL };

static struct argument arguments[] = {
	[MEMORY] = CHOICE("MEMORY", REUSED, memories),
	[ROUNDS] = NUMBER("ROUNDS", 4000, 1, UINT32_MAX),
	[BLOCKS] = NUMBER("BLOCKS", 4096, 1, UINT32_MAX),
	[MIN] = NUMBER("MIN", 16, 1, UINT32_MAX),
	[MAX] = NUMBER("MAX", 1024, 1, UINT32_MAX),
};

static void allocate_zeroed(char **block, uint32_t random)
{
	size_t size = random_from(random, &arguments[MIN], &arguments[MAX]);
	char *start = calloc(1, size);

	if (!start)
		die("calloc", ENOMEM);
	if (start[0] || start[size - 1] ||
	    (arguments[MEMORY].value == REUSED && start[size / 2]))
		die("a block is not zero", EFAULT);
	if (arguments[MEMORY].value == REUSED)
		memset(start, 'c', size);
	else
		start[0] = 'c';
	*block = start;
}

static void allocate_all(char **blocks, uint64_t seed)
{
	uint64_t state = first_random(seed, 0);

	for (size_t i = 0; i < arguments[BLOCKS].value; i++)
		allocate_zeroed(&blocks[i], next_random(&state) >> 32);
}

static void run_child(char **blocks, uint64_t seed)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		die("fork", errno);
	if (!child) {
		allocate_all(blocks, seed);
		_exit(EXIT_SUCCESS);
	}
	if (waitpid(child, &status, 0) != child || status)
		die("a child failed", ECHILD);
}

int main(int argc, char **argv)
{
	char **blocks;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	check_range(&arguments[MIN], &arguments[MAX]);
	blocks = allocate(arguments[BLOCKS].value * sizeof(*blocks));
	began = now();
	for (uint64_t i = 0; i < arguments[ROUNDS].value; i++) {
		if (arguments[MEMORY].value == FRESH) {
			run_child(blocks, i);
			continue;
		}
		allocate_all(blocks, i);
		for (size_t j = 0; j < arguments[BLOCKS].value; j++)
			free(blocks[j]);
	}
	print_throughput(arguments[ROUNDS].value * arguments[BLOCKS].value,
			 now() - began);
	free(blocks);
	return EXIT_SUCCESS;
}
