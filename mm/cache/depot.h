/* SPDX-License-Identifier: MIT */
/*
 * Depots: per class, the magazines that no thread has.
 */
#ifndef HAKMEM_MM_CACHE_DEPOT_H
#define HAKMEM_MM_CACHE_DEPOT_H

#include "mm/cache.h"

/* Most objects one magazine of a class may hold. */
unsigned int magazine_capacity(unsigned int class);

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

struct magazine *depot_take_empty(unsigned int class);
void depot_put_empty(unsigned int class, struct magazine *empty);

/* Objects in the depot; a snapshot. */
size_t depot_objects(unsigned int class);

void depot_fork_child(void);

#endif /* HAKMEM_MM_CACHE_DEPOT_H */
