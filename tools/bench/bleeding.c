// SPDX-License-Identifier: MIT
/*
 * bleeding - threads that start, allocate, leave objects behind and die
 *
 * THREADS threads, SIDE_BY_SIDE at a time, one after the other. Each allocates
 * OBJECTS objects of MIN to MAX bytes, frees every other one itself and dies;
 * the main thread frees the rest when KEPT more groups of threads have died.
 * One object is one operation.
 */
#include <pthread.h>

#include "bench.h"

enum { THREADS, OBJECTS, MIN, MAX, SIDE_BY_SIDE, KEPT };

static struct argument arguments[] = {
	[THREADS] = NUMBER("THREADS", 20000, 1, UINT32_MAX),
	[OBJECTS] = NUMBER("OBJECTS", 200, 2, UINT32_MAX),
	[MIN] = NUMBER("MIN", 16, 1, UINT32_MAX),
	[MAX] = NUMBER("MAX", 1024, 1, UINT32_MAX),
	[SIDE_BY_SIDE] = NUMBER("SIDE_BY_SIDE", 2, 1, 1024),
	[KEPT] = NUMBER("KEPT", 50, 1, 65536),
};

struct legacy {
	pthread_t thread;
	uint64_t random;
	void **objects;
};

static void *live(void *argument)
{
	struct legacy *legacy = argument;
	uint64_t nr_objects = arguments[OBJECTS].value;
	uint64_t state = legacy->random;

	legacy->objects = allocate(nr_objects * sizeof(void *));
	for (size_t i = 0; i < nr_objects; i++) {
		uint32_t random = next_random(&state) >> 32;

		legacy->objects[i] = allocate(random_from(random,
					&arguments[MIN], &arguments[MAX]));
	}
	for (size_t i = 0; i < nr_objects; i += 2) {
		free(legacy->objects[i]);
		legacy->objects[i] = NULL;
	}
	return NULL;
}

static void start_group(struct legacy *group, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++) {
		int error;

		group[i].random = first_random(seed, i);
		error = pthread_create(&group[i].thread, NULL, live, &group[i]);
		if (error)
			die("pthread_create", error);
	}
	for (size_t i = 0; i < n; i++)
		pthread_join(group[i].thread, NULL);
}

static void free_legacies(struct legacy *group, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!group[i].objects)
			continue;
		for (size_t j = 0; j < arguments[OBJECTS].value; j++)
			free(group[i].objects[j]);
		free(group[i].objects);
		group[i].objects = NULL;
	}
}

int main(int argc, char **argv)
{
	size_t n, nr_kept, nr_groups;
	struct legacy *legacies;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	check_range(&arguments[MIN], &arguments[MAX]);
	n = arguments[SIDE_BY_SIDE].value;
	nr_kept = arguments[KEPT].value;
	nr_groups = (arguments[THREADS].value + n - 1) / n;
	legacies = calloc(nr_kept * n, sizeof(*legacies));
	if (!legacies)
		die("legacies", ENOMEM);
	began = now();
	for (size_t i = 0; i < nr_groups; i++) {
		struct legacy *group = &legacies[i % nr_kept * n];

		free_legacies(group, n);
		start_group(group, n, i * n);
	}
	for (size_t i = 0; i < nr_kept; i++)
		free_legacies(&legacies[i * n], n);
	print_throughput(nr_groups * n * arguments[OBJECTS].value,
			 now() - began);
	free(legacies);
	return EXIT_SUCCESS;
}
