// SPDX-License-Identifier: MIT
/*
 * free_order - many objects, freed in a certain order
 *
 * ROUNDS times allocates OBJECTS objects of MIN to MAX bytes, then frees them:
 * the last one first (lifo), in the order of allocation (fifo), or in random
 * order. One object allocated and freed is one operation.
 */
#include "bench.h"

enum { ORDER, ROUNDS, OBJECTS, MIN, MAX };

enum { LIFO, FIFO, RANDOM };

static const char *const orders[] = { "lifo", "fifo", "random", NULL };

static struct argument arguments[] = {
	[ORDER] = CHOICE("ORDER", LIFO, orders),
	[ROUNDS] = NUMBER("ROUNDS", 10, 1, UINT32_MAX),
	[OBJECTS] = NUMBER("OBJECTS", 1000000, 1, UINT32_MAX),
	[MIN] = NUMBER("MIN", 16, 1, UINT32_MAX),
	[MAX] = NUMBER("MAX", 64, 1, UINT32_MAX),
};

/* Which object is freed as the n-th one */
static uint32_t *list_order(uint64_t order, size_t nr_objects)
{
	uint32_t *list = allocate(nr_objects * sizeof(*list));
	uint64_t state = first_random(1, 0);

	for (size_t i = 0; i < nr_objects; i++)
		list[i] = order == LIFO ? nr_objects - 1 - i : i;
	for (size_t i = nr_objects - 1; order == RANDOM && i; i--) {
		size_t other = random_below(next_random(&state) >> 32, i + 1);
		uint32_t swapped = list[i];

		list[i] = list[other];
		list[other] = swapped;
	}
	return list;
}

static void run_round(void **objects, const uint32_t *list, size_t nr_objects)
{
	uint64_t state = first_random(2, 0);

	for (size_t i = 0; i < nr_objects; i++) {
		uint32_t random = next_random(&state) >> 32;

		objects[i] = allocate(random_from(random, &arguments[MIN],
						  &arguments[MAX]));
	}
	for (size_t i = 0; i < nr_objects; i++)
		free(objects[list[i]]);
}

int main(int argc, char **argv)
{
	size_t nr_objects;
	uint32_t *list;
	void **objects;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	check_range(&arguments[MIN], &arguments[MAX]);
	nr_objects = arguments[OBJECTS].value;
	list = list_order(arguments[ORDER].value, nr_objects);
	objects = allocate(nr_objects * sizeof(*objects));
	began = now();
	for (uint64_t i = 0; i < arguments[ROUNDS].value; i++)
		run_round(objects, list, nr_objects);
	print_throughput(arguments[ROUNDS].value * nr_objects, now() - began);
	free(objects);
	free(list);
	return EXIT_SUCCESS;
}
