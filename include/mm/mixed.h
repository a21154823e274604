/* SPDX-License-Identifier: MIT */
/*
 * Mixed slabs: what is free between the survivors of a class serves others.
 *
 * One live object keeps a slab of its class. When a program has moved on to
 * other sizes, such slabs may be most of its memory. Those that hold little
 * are then recorded anew, as 16-byte granules of which each object has some,
 * and any class can be refilled from what is free. A slab that empties goes
 * back to where it came from.
 *
 * An object there is freed through free_slow(), for the registry says
 * CLASS_MIXED of it, and a few together under a lock: see cache_return().
 */
#ifndef HAKMEM_MM_MIXED_H
#define HAKMEM_MM_MIXED_H

#include <stdbool.h>
#include <stddef.h>

#include "mm/superslab.h"

/* Records for the slabs of one call of mixed_adopt(). */
#define MIXED_BATCH	16

/* The largest object that is cut out of a mixed slab. */
#define MIXED_SIZE_MAX	((size_t)16 << 10)

struct mixed;

/**
 * mixed_records() - Fetch records before a lock is taken.
 * @records: out
 * @n: how many of them are there already
 *
 * Return: how many there are now, at most MIXED_BATCH.
 */
unsigned int mixed_records(struct mixed **records, unsigned int n);

/* Give back what was not needed. */
void mixed_records_put(struct mixed **records, unsigned int n);

/**
 * mixed_adopt() - Make a slab a mixed one.
 * @slab: of one unit, in no list; its pool is locked by the caller
 * @record: for it
 */
void mixed_adopt(struct slab *slab, struct mixed *record);

/**
 * mixed_refill() - Cut objects of a class.
 * @class: of the objects
 * @objs: out
 * @n: how many are wanted
 *
 * Return: how many there are.
 */
unsigned int mixed_refill(unsigned int class, void **objs, unsigned int n);

/**
 * mixed_is_start() - Does an object begin here?
 * @ptr: any address of which the registry says CLASS_MIXED
 *
 * Takes no lock, and fetches what mixed_give() will have to look at.
 */
bool mixed_is_start(const void *ptr);

/**
 * mixed_give() - Take objects back.
 * @objs: any addresses of which the registry said CLASS_MIXED
 * @n: how many
 * @fault: out: what is wrong with the first that stays, NULL if none does
 *
 * Return: how many came back before that.
 */
unsigned int mixed_give(void *const *objs, unsigned int n, const char **fault);

/* Return: objects that came back so far, of the size of a class. */
size_t mixed_given(unsigned int class);

/* As struct slab_pool's: bytes of an object, or 0 and what is wrong. */
size_t mixed_usable(const void *ptr, const char **fault);

/* Give free pages back to the kernel. Return: bytes. */
size_t mixed_purge(void);

/* The same for those that were free all the time since the last call. */
void mixed_expire(void);

/* Bytes of mixed slabs that are free. */
size_t mixed_free_bytes(void);

void mixed_fork_child(void);

#endif /* HAKMEM_MM_MIXED_H */
