/* SPDX-License-Identifier: MIT */
/*
 * The parts of the hardened build, for one another.
 */
#ifndef HAKMEM_MM_HARDEN_PRIVATE_H
#define HAKMEM_MM_HARDEN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "mm/block.h"
#include "mm/cache.h"

/* --- Blocks of any size: core.c ------------------------------------------ */

/**
 * alloc_any() - Allocate past the hot path.
 * @align: power of two
 * @size: bytes of the block
 * @room: bytes that it shall be able to grow to where it is
 * @kind: the family of the function that was called
 * @zero: it shall read as zero
 *
 * Return: NULL with ENOMEM without memory.
 */
void *alloc_any(size_t align, size_t size, size_t room,
		enum block_kind kind, bool zero);

/* --- Blocks without a byte: empty.c -------------------------------------- */

#ifdef CONFIG_HAKMEM_HARDEN_EMPTY

/* An address of its own on a page that cannot be touched; NULL without one. */
void *empty_alloc(void);
bool empty_owns(const void *ptr);

/* What is wrong with a pointer there; the second frees it if nothing is. */
const char *empty_fault(const void *ptr);
const char *empty_free(void *ptr);

#else /* CONFIG_HAKMEM_HARDEN_EMPTY */

static inline void *empty_alloc(void)
{
	return NULL;
}

static inline bool empty_owns(const void *ptr)
{
	(void)ptr;
	return false;
}

static inline const char *empty_fault(const void *ptr)
{
	(void)ptr;
	return NULL;
}

static inline const char *empty_free(void *ptr)
{
	(void)ptr;
	return NULL;
}

#endif /* CONFIG_HAKMEM_HARDEN_EMPTY */

/* --- Blocks between two guard pages: guard.c ----------------------------- */

#ifdef CONFIG_HAKMEM_HARDEN_GUARD

#define GUARD_MIN	((size_t)CONFIG_HAKMEM_HARDEN_GUARD_MIN_KB << 10)

/**
 * guard_alloc() - Map a block between two pages that cannot be touched.
 * @align: power of two
 * @size: bytes, at least GUARD_MIN
 * @kind: the family of the function that was called
 * @zero: it shall read as zero
 *
 * Return: NULL without memory, or when there are too many of them.
 */
void *guard_alloc(size_t align, size_t size, enum block_kind kind, bool zero);

/* Return: whether it is one; then *@fault is what is wrong, or NULL. */
bool guard_find(const void *ptr, size_t *size, enum block_kind *kind,
		const char **fault);
bool guard_free(void *ptr, enum block_kind called, size_t told,
		const char **fault);

/**
 * guard_resize() - Grow or shrink a block by the kernel's page tables.
 * @ptr: any block
 * @size: bytes wanted
 *
 * Return: where it is now, or NULL if it has to be copied.
 */
void *guard_resize(void *ptr, size_t size);

/* Of live ones, the first whose surroundings were written to, or NULL. */
const void *guard_sweep(const char **fault);

/* As harden_mappings() and harden_reclaim(). */
void guard_mappings(size_t *blocks, size_t *bytes);
size_t guard_reclaim(void);

void guard_fork_child(void);

#else /* CONFIG_HAKMEM_HARDEN_GUARD */

#define GUARD_MIN	SIZE_MAX

static inline void *guard_alloc(size_t align, size_t size,
				enum block_kind kind, bool zero)
{
	(void)align;
	(void)size;
	(void)kind;
	(void)zero;
	return NULL;
}

static inline bool guard_find(const void *ptr, size_t *size,
			      enum block_kind *kind, const char **fault)
{
	(void)ptr;
	(void)size;
	(void)kind;
	(void)fault;
	return false;
}

static inline bool guard_free(void *ptr, enum block_kind called, size_t told,
			      const char **fault)
{
	(void)ptr;
	(void)called;
	(void)told;
	(void)fault;
	return false;
}

static inline void *guard_resize(void *ptr, size_t size)
{
	(void)ptr;
	(void)size;
	return NULL;
}

static inline const void *guard_sweep(const char **fault)
{
	(void)fault;
	return NULL;
}

static inline void guard_mappings(size_t *blocks, size_t *bytes)
{
	(void)blocks;
	(void)bytes;
}

static inline size_t guard_reclaim(void)
{
	return 0;
}

static inline void guard_fork_child(void)
{
}

#endif /* CONFIG_HAKMEM_HARDEN_GUARD */

/* --- The last look: sweep.c ----------------------------------------------- */

#ifdef CONFIG_HAKMEM_HARDEN_EXIT

/* Ends the program over the first slot or block that is not as it should. */
void harden_sweep(void);

/* A child has what the parent's other threads were about to do. */
void sweep_fork_child(void);

#else /* CONFIG_HAKMEM_HARDEN_EXIT */

static inline void harden_sweep(void)
{
}

static inline void sweep_fork_child(void)
{
}

#endif /* CONFIG_HAKMEM_HARDEN_EXIT */

/* --- The order of things: random.c --------------------------------------- */

#ifdef CONFIG_HAKMEM_HARDEN_RANDOM

void random_start(uint64_t seed);

/* Any order, nearly, of objects of a size that were fetched together. */
void random_shuffle(void **objs, unsigned int n, size_t size);

#else /* CONFIG_HAKMEM_HARDEN_RANDOM */

static inline void random_start(uint64_t seed)
{
	(void)seed;
}

static inline void random_shuffle(void **objs, unsigned int n, size_t size)
{
	(void)objs;
	(void)n;
	(void)size;
}

#endif /* CONFIG_HAKMEM_HARDEN_RANDOM */

/* --- Freed slots: core.c, quarantine.c ------------------------------------ */

/* What is wrong with a slot, in use or not, as nobody is changing it. */
const char *harden_slot_fault(const void *obj, size_t slot);

#define REST_SMALL_MAX	((size_t)1 << 10)
#define REST_MIDDLE_MAX	((size_t)8 << 10)
#define REST_MAX_SLOT	((size_t)64 << 10)

#define RING_SMALL	64
#define RING_MIDDLE	32
#define RING_LARGE	8

/**
 * struct quarantine - freed slots that one thread lets rest, first in first out
 * @next: of each ring, where the next comes, and the oldest is
 * @small: slots of up to REST_SMALL_MAX bytes
 * @classes: of those, when they were freed
 * @middle: of up to REST_MIDDLE_MAX
 * @large: of up to REST_MAX_SLOT; what is larger does not rest
 */
struct quarantine {
	unsigned int next[3];
	void *small[RING_SMALL];
	uint8_t classes[RING_SMALL];
	void *middle[RING_MIDDLE];
	void *large[RING_LARGE];
};

/* A slot goes to the magazines, or to its tier. */
void slot_release(size_t class, void *obj);

/* For a thread that has no quarantine, and for larger slots. */
void quarantine_push_slow(void *obj, size_t class, size_t slot);

void quarantine_fork_child(void);

#ifdef CONFIG_HAKMEM_HARDEN

/* A slot rests, and the one that rested longest is free. */
static __always_inline void quarantine_push(void *obj, size_t class,
					    size_t slot)
{
	const struct cache_tables *tables = cache_tables_base();
	struct quarantine *quarantine = cache_self(tables)->quarantine;
	size_t oldest_class;
	unsigned int next;
	void *oldest;

	if (unlikely(!quarantine || slot > REST_SMALL_MAX)) {
		quarantine_push_slow(obj, class, slot);
		return;
	}
	next = quarantine->next[0];
	oldest = quarantine->small[next];
	quarantine->small[next] = obj;
	oldest_class = quarantine->classes[next];
	quarantine->classes[next] = (uint8_t)class;
	quarantine->next[0] = (next + 1) % RING_SMALL;
	if (unlikely(!oldest))
		return;
	__builtin_prefetch(oldest, 1);
	if (unlikely(!cache_push(tables, oldest_class, oldest)))
		slot_release(oldest_class, oldest);
}

#endif /* CONFIG_HAKMEM_HARDEN */

#endif /* HAKMEM_MM_HARDEN_PRIVATE_H */
