// SPDX-License-Identifier: MIT
/*
 * producer - what one thread allocates, another one frees
 *
 * A producer allocates OBJECTS objects of MIN to MAX bytes and passes them on
 * through a ring. With HOPS 1 the next thread reads and frees them; with more,
 * each thread reads and writes them and passes them on, and the last one frees
 * them. LINES such lines of HOPS + 1 threads run side by side. One object is
 * one operation.
 */
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "bench.h"

#define RING_SIZE	1024
/* How many objects a side of the ring moves before it tells the other */
#define BATCH		64

struct ring {
	alignas(CACHE_LINE) atomic_size_t written;
	alignas(CACHE_LINE) atomic_size_t read;
	alignas(CACHE_LINE) unsigned char *objects[RING_SIZE];
};

enum { LINES, HOPS, OBJECTS, MIN, MAX };

static struct argument arguments[] = {
	[LINES] = NUMBER("LINES", 1, 1, 4096),
	[HOPS] = NUMBER("HOPS", 1, 1, 64),
	[OBJECTS] = NUMBER("OBJECTS", 10000000, 1, UINT32_MAX),
	[MIN] = NUMBER("MIN", 16, 1, UINT32_MAX),
	[MAX] = NUMBER("MAX", 256, 1, UINT32_MAX),
};

static struct ring *rings;

/* Wait until @counter has got to @value: the other side may need this CPU. */
static void wait_for(atomic_size_t *counter, size_t value)
{
	for (unsigned int tries = 1;; tries++) {
		size_t there = atomic_load_explicit(counter,
						    memory_order_acquire);

		if ((ptrdiff_t)(there - value) >= 0)
			return;
		if (tries % 256 == 0)
			sched_yield();
	}
}

static size_t next_batch(size_t done, size_t all)
{
	return all - done < BATCH ? all - done : BATCH;
}

static void push(struct ring *ring, size_t at, unsigned char *const *batch,
		 size_t n)
{
	wait_for(&ring->read, at + n - RING_SIZE);
	for (size_t i = 0; i < n; i++)
		ring->objects[(at + i) % RING_SIZE] = batch[i];
	atomic_store_explicit(&ring->written, at + n, memory_order_release);
}

static void pull(struct ring *ring, size_t at, unsigned char **batch, size_t n)
{
	wait_for(&ring->written, at + n);
	for (size_t i = 0; i < n; i++)
		batch[i] = ring->objects[(at + i) % RING_SIZE];
	atomic_store_explicit(&ring->read, at + n, memory_order_release);
}

static void produce(unsigned char **batch, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i++)
		batch[i] = allocate(random_from(next_random(state) >> 32,
					&arguments[MIN], &arguments[MAX]));
}

static void consume(unsigned char **batch, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (batch[i][0] < 'a')
			die("an object lost its content", EFAULT);
		free(batch[i]);
	}
}

static void run_station(unsigned int thread)
{
	unsigned int nr_hops = arguments[HOPS].value;
	unsigned int station = thread % (nr_hops + 1);
	struct ring *out = &rings[thread / (nr_hops + 1) * nr_hops + station];
	uint64_t state = first_random(1, thread);
	size_t all = arguments[OBJECTS].value;
	unsigned char *batch[BATCH];
	size_t n;

	for (size_t done = 0; done < all; done += n) {
		n = next_batch(done, all);
		if (station == 0)
			produce(batch, n, &state);
		else
			pull(out - 1, done, batch, n);
		for (size_t i = 0; i < n; i++)
			batch[i][0]++;
		if (station == nr_hops)
			consume(batch, n);
		else
			push(out, done, batch, n);
	}
}

int main(int argc, char **argv)
{
	unsigned int nr_lines, nr_hops;
	double seconds;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	check_range(&arguments[MIN], &arguments[MAX]);
	nr_lines = arguments[LINES].value;
	nr_hops = arguments[HOPS].value;
	rings = aligned_alloc(CACHE_LINE, nr_lines * nr_hops * sizeof(*rings));
	if (!rings)
		die("rings", ENOMEM);
	memset(rings, 0, nr_lines * nr_hops * sizeof(*rings));
	seconds = run_threads(nr_lines * (nr_hops + 1), run_station);
	free(rings);
	print_throughput(nr_lines * arguments[OBJECTS].value, seconds);
	return EXIT_SUCCESS;
}
