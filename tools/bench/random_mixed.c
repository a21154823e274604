// SPDX-License-Identifier: MIT
/*
 * random_mixed - blocks of random sizes come and go in random order
 *
 * A working set of slots. OPERATIONS times one is picked at random: if it has
 * a block, that is freed, else it gets one of MIN to MAX bytes. Each free or
 * malloc is one operation, and about half of the slots have blocks. The first
 * and last byte of a block are written, with -t all of them, and compared
 * before it is freed. THREADS threads do this side by side, each with slots
 * and OPERATIONS of its own. The same arguments give the same checksum with
 * every allocator.
 */
#include <stdalign.h>
#include <stdbool.h>

#include "bench.h"

struct slot {
	unsigned char *block;
	size_t size;
	unsigned char content;
};

struct worker {
	alignas(CACHE_LINE) struct slot *slots;
	uint64_t random;
	uint64_t checksum;
};

static uint64_t nr_operations;
static size_t nr_slots;
static size_t min_size;
static size_t size_range;
static bool touch_all;
static struct worker *workers;

static void corrupted(void)
{
	fputs("random_mixed: a block lost its content\n", stderr);
	exit(EXIT_FAILURE);
}

static void fill_slot(struct slot *slot, uint64_t random)
{
	slot->size = min_size + random_below((uint32_t)random, size_range);
	slot->content = (unsigned char)(random >> 24);
	slot->block = malloc(slot->size);
	if (!slot->block)
		die("malloc", ENOMEM);
	if (touch_all)
		memset(slot->block, slot->content, slot->size);
	slot->block[0] = slot->content;
	slot->block[slot->size - 1] = slot->content;
}

static bool all_equal(const unsigned char *bytes, size_t n)
{
	return !memcmp(bytes, bytes + 1, n - 1);
}

/* Return: what the block adds to the checksum. */
static uint64_t empty_slot(struct slot *slot)
{
	unsigned char first = slot->block[0];

	if (first != slot->content ||
	    slot->block[slot->size - 1] != slot->content ||
	    (touch_all && !all_equal(slot->block, slot->size)))
		corrupted();
	free(slot->block);
	slot->block = NULL;
	return slot->size * 257 + first;
}

static void mix(unsigned int thread)
{
	struct worker *worker = &workers[thread];
	uint64_t state = worker->random;
	uint64_t checksum = 0;

	for (uint64_t i = 0; i < nr_operations; i++) {
		uint64_t random = next_random(&state);
		struct slot *slot = &worker->slots[random_below(random >> 32,
								nr_slots)];

		if (slot->block)
			checksum = checksum * 31 + empty_slot(slot);
		else
			fill_slot(slot, random);
	}
	worker->checksum = checksum;
}

static void create_workers(unsigned int nr_workers, uint64_t seed)
{
	workers = aligned_alloc(CACHE_LINE, nr_workers * sizeof(*workers));
	if (!workers)
		die("workers", ENOMEM);
	for (unsigned int i = 0; i < nr_workers; i++) {
		workers[i].random = first_random(seed, i);
		workers[i].slots = calloc(nr_slots, sizeof(*workers[i].slots));
		if (!workers[i].slots)
			die("slots", ENOMEM);
	}
}

static void run(unsigned int nr_workers, uint64_t seed)
{
	uint64_t checksum = 0;
	double seconds;

	create_workers(nr_workers, seed);
	seconds = run_threads(nr_workers, mix);
	for (unsigned int i = 0; i < nr_workers; i++) {
		checksum += workers[i].checksum;
		for (size_t j = 0; j < nr_slots; j++) {
			if (workers[i].slots[j].block)
				checksum += empty_slot(&workers[i].slots[j]);
		}
		free(workers[i].slots);
	}
	free(workers);
	print_throughput(nr_operations * nr_workers, seconds);
	printf("Checksum = %016" PRIx64 "\n", checksum);
}

int main(int argc, char **argv)
{
	unsigned int nr_workers = 1;
	uint64_t seed;

	if (argc > 1 && !strcmp(argv[1], "-t")) {
		touch_all = true;
		argv++;
		argc--;
	}
	if (argc != 6 && argc != 7) {
		fputs("usage: random_mixed [-t] OPERATIONS WORKING_SET MIN MAX "
		      "SEED [THREADS]\n", stderr);
		return EXIT_FAILURE;
	}
	nr_operations = number(argv[1], "OPERATIONS", 1, UINT64_MAX / 65536);
	nr_slots = number(argv[2], "WORKING_SET", 1, UINT32_MAX);
	min_size = number(argv[3], "MIN", 1, UINT32_MAX - 1);
	size_range = number(argv[4], "MAX", min_size, UINT32_MAX - 1) -
		     min_size + 1;
	seed = number(argv[5], "SEED", 0, UINT64_MAX);
	if (argc == 7)
		nr_workers = number(argv[6], "THREADS", 1, 65536);
	run(nr_workers, seed);
	return EXIT_SUCCESS;
}
