// SPDX-License-Identifier: MIT
/*
 * larson - a server's way with memory: blocks outlive the threads that
 * allocated them
 *
 * Every thread holds CHUNKS blocks of MIN to MAX bytes. CHUNKS * ROUNDS times
 * it frees one at random and allocates another in its place; then it starts a
 * thread that inherits the blocks, and ends. One such replacement, a free and
 * a malloc, counts as one operation. THREADS chains of threads run side by
 * side for SECONDS.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "bench.h"

/* A thread and its heirs, one alive at a time but for the handing over */
struct chain {
	alignas(CACHE_LINE) char **blocks;
	uint64_t random;
	uint64_t operations;
	pthread_t ancestor;
	bool has_ancestor;
	sem_t ended;
};

static size_t min_size;
static size_t size_range;
static size_t nr_blocks;
static uint64_t nr_replacements;
static atomic_bool stop;

static char *allocate_block(uint32_t random)
{
	size_t size = min_size + random_below(random, size_range);
	char *block = malloc(size);

	if (!block)
		die("malloc", ENOMEM);
	block[0] = 'a';
	if (size > 1)
		block[1] = 'b';
	return block;
}

static uint64_t replace_blocks(struct chain *chain)
{
	uint64_t state = chain->random;
	uint64_t done;

	for (done = 0; done < nr_replacements; done++) {
		uint64_t random = next_random(&state);
		size_t victim = random_below(random >> 32, nr_blocks);

		if (atomic_load_explicit(&stop, memory_order_relaxed))
			break;
		free(chain->blocks[victim]);
		chain->blocks[victim] = allocate_block((uint32_t)random);
	}
	chain->random = state;
	return done;
}

static void *run_thread(void *argument)
{
	struct chain *chain = argument;
	pthread_t heir;
	int error;

	chain->operations += replace_blocks(chain);
	if (chain->has_ancestor)
		pthread_join(chain->ancestor, NULL);
	chain->ancestor = pthread_self();
	chain->has_ancestor = true;
	if (atomic_load(&stop)) {
		sem_post(&chain->ended);
		return NULL;
	}
	error = pthread_create(&heir, NULL, run_thread, chain);
	if (error)
		die("pthread_create", error);
	return NULL;
}

static struct chain *create_chains(unsigned int nr_chains, uint64_t seed)
{
	struct chain *chains;

	chains = aligned_alloc(CACHE_LINE, nr_chains * sizeof(*chains));
	if (!chains)
		die("chains", ENOMEM);
	for (unsigned int i = 0; i < nr_chains; i++) {
		struct chain *chain = &chains[i];

		memset(chain, 0, sizeof(*chain));
		chain->random = first_random(seed, i);
		sem_init(&chain->ended, 0, 0);
		chain->blocks = calloc(nr_blocks, sizeof(*chain->blocks));
		if (!chain->blocks)
			die("blocks", ENOMEM);
		for (size_t j = 0; j < nr_blocks; j++) {
			uint64_t random = next_random(&chain->random);

			chain->blocks[j] = allocate_block((uint32_t)random);
		}
	}
	return chains;
}

static uint64_t end_chain(struct chain *chain)
{
	while (sem_wait(&chain->ended))
		;
	pthread_join(chain->ancestor, NULL);
	sem_destroy(&chain->ended);
	for (size_t i = 0; i < nr_blocks; i++)
		free(chain->blocks[i]);
	free(chain->blocks);
	return chain->operations;
}

static double run_chains(struct chain *chains, unsigned int nr_chains,
			 unsigned int seconds)
{
	struct timespec rest = { .tv_sec = seconds };
	double start = now();
	pthread_t thread;

	for (unsigned int i = 0; i < nr_chains; i++) {
		int error = pthread_create(&thread, NULL, run_thread,
					   &chains[i]);

		if (error)
			die("pthread_create", error);
	}
	while (nanosleep(&rest, &rest))
		;
	atomic_store(&stop, true);
	return now() - start;
}

int main(int argc, char **argv)
{
	unsigned int seconds, nr_chains;
	struct chain *chains;
	uint64_t operations = 0;
	uint64_t seed;
	double elapsed;

	if (argc != 8) {
		fputs("usage: larson SECONDS MIN MAX CHUNKS ROUNDS SEED "
		      "THREADS\n", stderr);
		return EXIT_FAILURE;
	}
	seconds = number(argv[1], "SECONDS", 1, 86400);
	min_size = number(argv[2], "MIN", 1, UINT32_MAX - 1);
	size_range = number(argv[3], "MAX", min_size, UINT32_MAX - 1) -
		     min_size + 1;
	nr_blocks = number(argv[4], "CHUNKS", 1, UINT32_MAX);
	nr_replacements = nr_blocks * number(argv[5], "ROUNDS", 1, UINT32_MAX);
	seed = number(argv[6], "SEED", 0, UINT64_MAX);
	nr_chains = number(argv[7], "THREADS", 1, 65536);

	chains = create_chains(nr_chains, seed);
	elapsed = run_chains(chains, nr_chains, seconds);
	for (unsigned int i = 0; i < nr_chains; i++)
		operations += end_chain(&chains[i]);
	free(chains);
	print_throughput(operations, elapsed);
	return EXIT_SUCCESS;
}
