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

#include "lib/align.h"
#include "lib/compiler.h"

#define RETAIN_BYTES		((size_t)CONFIG_HAKMEM_RETAIN_KB << 10)

/* A part of what is in use may always stay as touched free memory. */
#define RETAIN_DIVISOR		8

/* What is more than is in use, and than this, goes back without waiting. */
#define IDLE_BYTES_MAX		((size_t)32 << 20)

/**
 * struct reclaim_pace - when a layer last gave memory back
 * @next_ms: not again before, on the coarse monotonic clock
 * @least: bytes that were touched and free all the time since
 * @gone: bytes that went back lately
 * @missed: bytes of those that soon had to come again, lately
 * @bounced: the same, ever
 */
struct reclaim_pace {
	uint64_t next_ms;
	size_t least;
	size_t gone;
	size_t missed;
	size_t bounced;
};

/* Bytes of touched free memory that may stay, with @used bytes in use. */
static inline size_t reclaim_retain(size_t used)
{
	return max(RETAIN_BYTES, used / RETAIN_DIVISOR);
}

/* Milliseconds of a clock that is cheap to read and a few behind. */
uint64_t reclaim_clock_ms(void);

/* How long free memory stays, at first HAKMEM_DECAY_MS. */
unsigned int reclaim_decay_ms(void);
void reclaim_set_decay_ms(unsigned int ms);

/* Touched free memory was taken into use, and so much is left. */
static inline void reclaim_left(struct reclaim_pace *pace, size_t idle)
{
	pace->least = min(pace->least, idle);
}

/* Memory went back to the kernel. */
static inline void reclaim_gave(struct reclaim_pace *pace, size_t bytes)
{
	pace->gone += bytes;
}

/**
 * reclaim_got() - Memory came from the kernel: would what went have done?
 * @pace: of the layer
 * @bytes: that came
 * @all: bytes in use and idle now; who had to fetch them again and again, as
 *	after malloc_trim(), misses no more than these
 */
static inline void reclaim_got(struct reclaim_pace *pace, size_t bytes,
			       size_t all)
{
	bytes = min(bytes, pace->gone);
	pace->gone -= bytes;
	pace->missed = max(pace->missed, min(pace->missed + bytes, all));
	pace->bounced += bytes;
}

/**
 * reclaim_most() - Beyond how many idle bytes some go back at once.
 * @pace: of the layer
 * @least: bytes that may always wait for the time to be over
 * @used: bytes in use
 *
 * As much as is in use, and what was missed when it had gone: a program that
 * frees all it has, to build it up again, keeps it.
 */
static inline size_t reclaim_most(const struct reclaim_pace *pace,
				  size_t least, size_t used)
{
	return max(least, used) + pace->missed;
}

/* Whether reclaim_decay_ms() have passed since the last reclaim_idle(). */
bool reclaim_time_over(const struct reclaim_pace *pace);

/**
 * reclaim_idle() - Begin the next stretch of time.
 * @pace: of the layer, under its lock
 * @idle: bytes of free memory now
 *
 * Return: the bytes that lay idle for all of the one before.
 */
size_t reclaim_idle(struct reclaim_pace *pace, size_t idle);

/**
 * reclaim_due() - Should memory be given back now?
 * @pace: of the layer, under its lock
 * @idle: bytes of free memory that were touched
 * @used: bytes in use
 * @keep: out, if so: of the idle bytes, how many should stay
 *
 * What was freed a moment ago is often wanted again the next: between the two
 * bounds, only what lay there for all of reclaim_decay_ms() goes back.
 */
bool reclaim_due(struct reclaim_pace *pace, size_t idle, size_t used,
		 size_t *keep);

/* The same, when the time is said to be over; the next begins. */
bool reclaim_expire(struct reclaim_pace *pace, size_t idle, size_t used,
		    size_t *keep);

#endif /* HAKMEM_MM_RECLAIM_H */
