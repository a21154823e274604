/* SPDX-License-Identifier: MIT */
/*
 * What the files of the cache layer share.
 */
#ifndef HAKMEM_MM_CACHE_MAGAZINE_H
#define HAKMEM_MM_CACHE_MAGAZINE_H

#include "mm/cache.h"

/*
 * A magazine's worth of NULL behind which the top of "no magazine" points: the
 * word below is NULL, so it is empty; the address is aligned, so it is full.
 */
extern void *no_magazine[MAGAZINE_WORDS] __hidden;
#define NO_MAGAZINE_TOP	(no_magazine + MAGAZINE_WORDS)

/* The magazine that a top points into, NULL if it is no_magazine's. */
static inline struct magazine *magazine_of(void **top)
{
	uintptr_t last = (uintptr_t)(top - 1);

	if (top == NO_MAGAZINE_TOP)
		return NULL;
	return (struct magazine *)(last & ~(uintptr_t)(MAGAZINE_BYTES - 1));
}

/* Empty a cache, into the depots or past them. Return: objects drained. */
size_t cache_flush(struct cache *cache, bool to_tier);

/* Let go of the objects of mixed slabs. Return: how many. */
unsigned int cache_give_returns(struct cache *cache);

/* Return: a parked cache with objects, or NULL. */
struct cache *cache_unpark(void);

/* Park a cache without objects. */
void cache_park_bare(struct cache *cache);

/* Return: the parked caches that no new thread has wanted, linked, or NULL. */
struct cache *cache_take_idle(void);

/*
 * Look at all parked caches with objects, unless one is moved just now, and
 * then elsewhere: no thread gets one of them before that is done.
 */
void cache_visit_parked(void (*visit)(const struct cache *cache),
			void (*then)(void));

#endif /* HAKMEM_MM_CACHE_MAGAZINE_H */
