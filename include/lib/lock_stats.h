/* SPDX-License-Identifier: MIT */
/*
 * How often locks are taken, with CONFIG_HAKMEM_LOCK_STATS.
 */
#ifndef HAKMEM_LIB_LOCK_STATS_H
#define HAKMEM_LIB_LOCK_STATS_H

#include "lib/lock.h"

/**
 * struct lock_stats - locks that were first taken at the same place
 * @at: where lock_stats_next() is
 * @name: of the place
 * @locks: how many there are
 * @taken: how often, all together
 * @busiest: how often the one that was taken most often
 * @contended: how often another thread was in the way
 */
struct lock_stats {
	const struct lock *at;
	const char *name;
	unsigned int locks;
	unsigned long taken;
	unsigned long busiest;
	unsigned long contended;
};

/* Numbers of locks are below this; the last one is that of all others. */
#define LOCK_NUMBERS	4096U

#ifdef CONFIG_HAKMEM_LOCK_STATS

/* Count from now on. */
static inline void lock_stats_start(void)
{
	locks_are_counted = true;
}

/**
 * lock_count_here() - Count what this thread takes from now on.
 * @counts: of each lock, by its number; NULL: no more
 */
void lock_count_here(unsigned int *counts);

/**
 * lock_stats_next() - Walk over all places where locks are taken.
 * @stats: zeroed to begin with; out: the next place
 *
 * Return: false at the end.
 */
bool lock_stats_next(struct lock_stats *stats);

/* Return: where a lock was first taken, NULL if there is none so numbered. */
const char *lock_name(unsigned int number);

/* Return: of all locks that were ever taken, the next; the first for NULL. */
struct lock *lock_after(const struct lock *lock);

#else /* CONFIG_HAKMEM_LOCK_STATS */

static inline void lock_stats_start(void)
{
}

static inline void lock_count_here(unsigned int *counts)
{
	(void)counts;
}

static inline bool lock_stats_next(struct lock_stats *stats)
{
	(void)stats;
	return false;
}

static inline const char *lock_name(unsigned int number)
{
	(void)number;
	return NULL;
}

static inline struct lock *lock_after(const struct lock *lock)
{
	(void)lock;
	return NULL;
}

#endif /* CONFIG_HAKMEM_LOCK_STATS */

#endif /* HAKMEM_LIB_LOCK_STATS_H */
