/* SPDX-License-Identifier: MIT */
/*
 * What the tiers hold, as numbers and as a table for people.
 *
 * The hot paths count nothing. What is known of a size class is what went
 * between its tier and the magazines, and what is in the magazines now; the
 * rest is with the program. All of it is a snapshot: while other threads
 * allocate, the numbers need not add up.
 */
#ifndef HAKMEM_MM_STATS_H
#define HAKMEM_MM_STATS_H

#include <stddef.h>

#include "mm/large.h"
#include "mm/tier.h"

/**
 * struct class_stats - one size class
 * @tier: the counters of its tier
 * @cached: objects in magazines
 * @live: objects with the program
 */
struct class_stats {
	struct tier_stats tier;
	size_t cached;
	size_t live;
};

/**
 * stats_of_class() - Ask for the numbers of a class.
 * @class: any class below NR_CLASSES
 * @stats: out: the numbers, all 0 where no tier has the class
 */
void stats_of_class(unsigned int class, struct class_stats *stats);

/**
 * stats_of_large() - Ask for the numbers of the large tier.
 * @stats: out: the numbers; of live runs only those that the program has
 *
 * Return: runs in magazines.
 */
size_t stats_of_large(struct large_stats *stats);

/* Write the tables to a descriptor. Nothing without CONFIG_HAKMEM_STATS. */
void stats_print(int fd);

#endif /* HAKMEM_MM_STATS_H */
