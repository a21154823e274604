/* SPDX-License-Identifier: MIT */
/*
 * What ACE decides, as pure functions over counters.
 */
#ifndef HAKMEM_MM_ACE_POLICY_H
#define HAKMEM_MM_ACE_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "mm/cache.h"

/* Visits a second from which a class is hot, and up to which it is cold. */
#define ACE_HOT_RATE		2000
#define ACE_COLD_RATE		100

/* No magazine and no depot grows beyond these. */
#define ACE_MAGAZINE_BYTES	((size_t)1 << 20)
#define ACE_DEPOT_BYTES		((size_t)16 << 20)

/* All magazines together may grow by a part of what is in use, or by this. */
#define ACE_BUDGET_MIN		((size_t)4 << 20)
#define ACE_BUDGET_DIVISOR	16

/* When this much more is touched, what lies unused goes without waiting. */
#define ACE_GROWTH_MIN		((size_t)8 << 20)
#define ACE_GROWTH_DIVISOR	16

/* Memory that came back so soon that it should not have gone. */
#define ACE_BOUNCE_MIN		((size_t)8 << 20)
#define ACE_BOUNCE_DIVISOR	8
#define ACE_DECAY_FACTOR	16U

/**
 * struct ace_sample - what happened to a class between two looks
 * @exchanges: magazines that went to or came from the depot
 * @refills: calls of the tier for objects
 * @drains: calls of the tier with objects
 */
struct ace_sample {
	size_t exchanges;
	size_t refills;
	size_t drains;
};

/* Return: how many a second that is, of so many in @ms milliseconds. */
size_t ace_rate(size_t count, unsigned int ms);

/**
 * ace_next_limits() - What a class should keep at hand from now on.
 * @size: of its objects
 * @sample: what happened
 * @ms: in how long
 * @base: limits without any knowledge
 * @now: limits that were in force
 *
 * A class that often has to leave its magazines gets them twice as deep, one
 * that hardly does half as deep, down to @base. Both are far apart, so that a
 * deeper magazine does not make the class look cold.
 *
 * Return: the limits, regardless of other classes.
 */
struct class_limits ace_next_limits(size_t size,
				    const struct ace_sample *sample,
				    unsigned int ms,
				    const struct class_limits *base,
				    const struct class_limits *now);

/* Return: what magazines of all @caches may hold beyond their base limits. */
size_t ace_budget(size_t used);

/**
 * ace_pay() - Pay for the depth of a class's magazines.
 * @size: of its objects
 * @caches: threads' caches that may have two such magazines each
 * @base: limits that cost nothing
 * @wanted: in: what ace_next_limits() says; out: what can be paid
 * @budget: in: bytes; out: what is left
 *
 * Called for small classes first: they save most lock visits per byte.
 */
void ace_pay(size_t size, unsigned int caches, const struct class_limits *base,
	     struct class_limits *wanted, size_t *budget);

/* Return: at how many touched bytes to look for unused ones again. */
size_t ace_next_growth(size_t touched);

/**
 * ace_next_decay() - How long free memory should stay from now on.
 * @base_ms: without any knowledge; 0 means not at all, and stays
 * @now_ms: that was in force
 * @bounced: bytes that had gone to the kernel and were missed meanwhile
 * @used: bytes in use
 *
 * Return: twice @now_ms if that is much, else a quarter less.
 */
unsigned int ace_next_decay(unsigned int base_ms, unsigned int now_ms,
			    size_t bounced, size_t used);

#endif /* HAKMEM_MM_ACE_POLICY_H */
