/* SPDX-License-Identifier: MIT */
/*
 * Depots: per class, the magazines that no thread has.
 *
 * On machines with many processors each class has several, its shards, which
 * have the class's limit together. A thread goes to the one of its processor,
 * to others when that one is empty or full.
 */
#ifndef HAKMEM_MM_CACHE_DEPOT_H
#define HAKMEM_MM_CACHE_DEPOT_H

#include "mm/cache.h"

static inline size_t magazine_objects(const struct magazine *magazine)
{
	return (size_t)(magazine->top - (void **)magazine->words) -
	       magazine->first;
}

/**
 * depot_spread() - Have shards for so many processors.
 * @cpus: how many; before there is any request
 *
 * Return: how many shards there are.
 */
unsigned int depot_spread(unsigned int cpus);

/* Make an empty magazine one for so many objects as its class may have now. */
void magazine_reset(struct magazine *magazine, unsigned int class);

/**
 * depot_take_full() - Exchange an empty magazine for one with objects.
 * @class: of the objects
 * @empty: what to leave, or NULL; stays the caller's if there is nothing
 *
 * Return: a magazine with at least one object, or NULL.
 */
struct magazine *depot_take_full(unsigned int class, struct magazine *empty);

/**
 * depot_put_full() - Leave a magazine with objects and take an empty one.
 * @class: of the objects
 * @full: what to leave
 * @empty: out: an empty magazine, or NULL if the depot has none; may be NULL
 *	when none is wanted
 *
 * Return: false when the depot holds enough; @full stays the caller's then.
 */
bool depot_put_full(unsigned int class, struct magazine *full,
		    struct magazine **empty);

/* Return: an empty magazine, NULL without memory. */
struct magazine *depot_take_empty(unsigned int class);
void depot_put_empty(unsigned int class, struct magazine *empty);

/**
 * depot_take_idle() - Take the magazines that lay here since the last call.
 * @class: of the objects
 *
 * Return: a list of magazines with objects, or NULL.
 */
struct magazine *depot_take_idle(unsigned int class);

/* Look at all magazines with objects, unless the depot is in use just now. */
void depot_visit(unsigned int class,
		 void (*visit)(unsigned int class, const struct magazine *));

/* Objects in the depot; a snapshot. */
size_t depot_objects(unsigned int class);

void depot_fork_child(void);

#endif /* HAKMEM_MM_CACHE_DEPOT_H */
