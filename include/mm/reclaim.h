/* SPDX-License-Identifier: MIT */
/*
 * When free memory goes back to the kernel: what is free and touched, in
 * proportion to what is in use, and not more often than it pays.
 */
#ifndef HAKMEM_MM_RECLAIM_H
#define HAKMEM_MM_RECLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "lib/compiler.h"
#include "mm/knobs.h"

#define RETAIN_BYTES		((size_t)CONFIG_HAKMEM_RETAIN_KB << 10)

/* A part of what is in use may always stay as touched free memory. */
#define RETAIN_DIVISOR		8

/* As much as is in use, and this at least, goes back without waiting. */
#define IDLE_BYTES_MAX		((size_t)32 << 20)

/**
 * struct reclaim_pace - when a layer last gave memory back
 * @next_ms: not again before, on the coarse monotonic clock
 */
struct reclaim_pace {
	uint64_t next_ms;
};

/* Bytes of touched free memory that may stay, with @used bytes in use. */
static inline size_t reclaim_retain(size_t used)
{
	return max(RETAIN_BYTES, used / RETAIN_DIVISOR);
}

static inline uint64_t reclaim_clock_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/**
 * reclaim_due() - Should memory be given back now?
 * @pace: of the layer, under its lock
 * @idle: bytes of free memory that were touched
 * @used: bytes in use
 *
 * What was freed a moment ago is often wanted again the next: between the two
 * bounds, memory goes back at most once in HAKMEM_DECAY_MS.
 */
static inline bool reclaim_due(struct reclaim_pace *pace, size_t idle,
			       size_t used)
{
	uint64_t now;

	if (likely(idle <= reclaim_retain(used)))
		return false;
	if (idle > max(IDLE_BYTES_MAX, used))
		return true;
	now = reclaim_clock_ms();
	if (now < pace->next_ms)
		return false;
	pace->next_ms = now + knob(KNOB_DECAY_MS);
	return true;
}

#endif /* HAKMEM_MM_RECLAIM_H */
