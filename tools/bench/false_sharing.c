// SPDX-License-Identifier: MIT
/*
 * false_sharing - do objects of two threads lie on one cache line?
 *
 * Each thread allocates an object of SIZE bytes, writes it WRITES times and
 * frees it, ROUNDS times over. "active": the allocator alone decides whose
 * objects share a line. "passive": the main thread allocates one object for
 * each thread, side by side as they may be, which the threads free first; an
 * allocator that gives such objects back to whoever freed them shares lines. A
 * write is an operation.
 */
#include "bench.h"

enum { SHARING, THREADS, ROUNDS, WRITES, SIZE };

enum { ACTIVE, PASSIVE };

static const char *const sharings[] = { "active", "passive", NULL };

static struct argument arguments[] = {
	[SHARING] = CHOICE("SHARING", ACTIVE, sharings),
	[THREADS] = NUMBER("THREADS", 2, 1, 65536),
	[ROUNDS] = NUMBER("ROUNDS", 2000000, 1, UINT32_MAX),
	[WRITES] = NUMBER("WRITES", 100, 1, UINT32_MAX),
	[SIZE] = NUMBER("SIZE", 8, 1, UINT32_MAX),
};

static char **handed_over;

static void write_objects(unsigned int thread)
{
	free(handed_over[thread]);
	for (uint64_t i = 0; i < arguments[ROUNDS].value; i++) {
		volatile char *object = allocate(arguments[SIZE].value);

		for (uint64_t j = 0; j < arguments[WRITES].value; j++)
			(*object)++;
		free((void *)object);
	}
}

int main(int argc, char **argv)
{
	unsigned int nr_threads;
	double seconds;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	nr_threads = arguments[THREADS].value;
	handed_over = calloc(nr_threads, sizeof(*handed_over));
	if (!handed_over)
		die("handed_over", ENOMEM);
	if (arguments[SHARING].value == PASSIVE) {
		for (unsigned int i = 0; i < nr_threads; i++)
			handed_over[i] = allocate(arguments[SIZE].value);
	}
	seconds = run_threads(nr_threads, write_objects);
	free(handed_over);
	print_throughput(nr_threads * arguments[ROUNDS].value *
			 arguments[WRITES].value, seconds);
	return EXIT_SUCCESS;
}
