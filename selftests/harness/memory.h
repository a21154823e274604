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

/* More bytes than there are addresses for, in pages of any size. */
#define NO_ROOM_SIZE	((SIZE_MAX / 8 + 1) * 7)

/* The largest size there is; with 32 bits, the kernel may well have that. */
#define HOPELESS_SIZE \
	(sizeof(size_t) > 4 ? (size_t)PTRDIFF_MAX : NO_ROOM_SIZE)

struct kunit;

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

/* Does an emulator run this process, as qemu-user does? */
bool process_is_emulated(void);

/*
 * Bytes of a line of /proc/self/status, such as "VmRSS:"; always 0 when
 * emulated, because what the emulator needs is counted there as well.
 */
size_t process_status(const char *field);

/* Skip a case that needs limits of memory: emulators set none. */
void need_limits(struct kunit *test);

/*
 * Skip a case in which the kernel may refuse mremap(), because the range is
 * two mappings of its: qemu-user 7.2 of 32 bits then takes the memory away.
 */
void need_mremap(struct kunit *test);

/* Skip a case that forks beside threads, whose locks qemu-user leaves held. */
void need_fork_of_threads(struct kunit *test);

/*
 * Skip a case that asks which pages are in memory, or what is mapped where: an
 * emulator whose pages are larger than the machine's answers for the machine's,
 * and leaves out of /proc/self/maps what does not end with one of its own.
 */
void need_mincore(struct kunit *test);
void need_maps(struct kunit *test);

/* Set a limit of the process by its RLIMIT_ name, or skip the case. */
void limit_process(struct kunit *test, int resource, size_t bytes);

/* Number of mappings of the process. */
size_t process_mappings(void);

/* Who wants guard pages round blocks has chosen how many. */
#ifdef CONFIG_HAKMEM_HARDEN_GUARD
#define GUARD_MAPPINGS	(2 * (size_t)CONFIG_HAKMEM_HARDEN_GUARD_MAX)
#else
#define GUARD_MAPPINGS	((size_t)0)
#endif

/* Seconds on the monotonic clock. */
double seconds_now(void);

/* CPU time of all processes waited for: it is theirs, whatever else runs. */
double seconds_of_children(void);

#endif /* SELFTESTS_MEMORY_H */
