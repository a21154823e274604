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
 * An object there is freed through free_slow(), under a lock: the registry
 * says CLASS_MIXED of it.
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
 * mixed_give() - Take an object back.
 * @ptr: any address of which the registry says CLASS_MIXED
 * @class: out: the class of its size
 *
 * Return: what is wrong with it, NULL if nothing.
 */
const char *mixed_give(void *ptr, unsigned int *class);

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
