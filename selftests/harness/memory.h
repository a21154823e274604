/* SPDX-License-Identifier: MIT */
/*
 * What tests of an allocator need over and over: recognisable content,
 * repeatable chance, and figures of the process.
 */
#ifndef SELFTESTS_MEMORY_H
#define SELFTESTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIB	((size_t)1 << 10)
#define MIB	((size_t)1 << 20)
#define GIB	((size_t)1 << 30)

#define ARRAY_LENGTH(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * A value the compiler knows nothing about: sizes that no program should ask
 * for and pointers that no program should free make it warn otherwise.
 */
static inline void *opaque(const void *ptr)
{
	void *hidden = (void *)(uintptr_t)ptr;

	__asm__ volatile("" : "+r" (hidden) : : "memory");
	return hidden;
}

static inline size_t opaque_size(size_t size)
{
	__asm__ volatile("" : "+r" (size));
	return size;
}

static inline bool is_aligned(const void *ptr, size_t align)
{
	return !((uintptr_t)ptr & (align - 1));
}

/* Content that differs between seeds and between neighbouring words. */
void pattern_fill(void *ptr, size_t size, uint64_t seed);
bool pattern_intact(const void *ptr, size_t size, uint64_t seed);

/* Is every byte @value? */
bool bytes_are(const void *ptr, size_t size, unsigned char value);

/**
 * struct prng - a repeatable random sequence
 * @state: the seed, then its successors
 */
struct prng {
	uint64_t state;
};

/* KUNIT_SEED of the environment, or the same for each run. */
uint64_t prng_seed(void);
uint64_t prng_next(struct prng *prng);
/* From 0 to @bound - 1. */
size_t prng_below(struct prng *prng, size_t bound);
/* From 0 to @max, each magnitude equally likely: sizes as programs ask. */
size_t prng_size(struct prng *prng, size_t max);

/* Bytes of a line of /proc/self/status, such as "VmRSS:". */
size_t process_status(const char *field);

/* Number of mappings of the process. */
size_t process_mappings(void);

/* Seconds on the monotonic clock. */
double seconds_now(void);

#endif /* SELFTESTS_MEMORY_H */
