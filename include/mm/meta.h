/* SPDX-License-Identifier: MIT */
/*
 * Memory for the allocator's own records, never next to the program's.
 *
 * Records are of fixed size per pool, carved from shared areas; a freed record
 * goes back to its pool, the areas stay. A freed record's first word is the
 * pool's link, the rest keeps its content.
 */
#ifndef HAKMEM_MM_META_H
#define HAKMEM_MM_META_H

#include <stddef.h>

#include "lib/lock.h"

struct meta_pool {
	struct lock lock;	/* guards free; nothing is taken under it */
	void *free;		/* singly linked freed records */
	size_t size;		/* bytes of a record, at least a pointer */
	size_t align;		/* power of two */
};

#define META_POOL_INIT(type, alignment) \
	{ .size = sizeof(type), .align = (alignment) }

/* Return: a record, zeroed if never used before, or NULL without memory. */
void *meta_alloc(struct meta_pool *pool);

/*
 * As many as @n records that were freed, or one that was never used; the first
 * word of each links the next, that of the last is NULL.
 */
void *meta_alloc_list(struct meta_pool *pool, unsigned int n);

void meta_free(struct meta_pool *pool, void *record);

/* Free records whose first words link them, from the first to the last. */
void meta_free_list(struct meta_pool *pool, void *first, void *last);

/* In a forked child: let go of what other threads were changing. */
void meta_fork_child(void);
void meta_pool_fork_child(struct meta_pool *pool);

/* Bytes mapped for records so far. */
size_t meta_mapped(void);

#endif /* HAKMEM_MM_META_H */
