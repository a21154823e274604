/* SPDX-License-Identifier: MIT */
/*
 * The hardened build, as the layers below it see it. It sits between the
 * functions of the interface (mm/block.h) and the tiers:
 *
 *   harden_alloc()                     harden_free()
 *     empty_alloc()  no bytes            the word behind the block
 *     guard_alloc()  many                quarantine_push()
 *     the tiers, and a word behind         the tiers, later
 *
 * What the layers below do for it are these hooks.
 */
#ifndef HAKMEM_MM_HARDEN_H
#define HAKMEM_MM_HARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

struct cache;
struct slab;

#ifdef CONFIG_HAKMEM_HARDEN

/**
 * harden_room() - Bytes from an address to the end of the block around it.
 * @addr: anything
 *
 * Return: SIZE_MAX where that is not known, or no block in use is.
 */
size_t harden_room(const void *addr);

/* Before the first block: the secrets. */
void harden_init(void);

/**
 * harden_clean() - No object of a slab that is about to be one was ever in use.
 * @slab: not yet in the registry
 * @dirty: bits of those of its units that may hold data
 *
 * The words behind its objects say so, and what is looked at is zero.
 */
void harden_clean(const struct slab *slab, uint32_t dirty);

/* The same for objects of a mixed slab, whose neighbours may be of any size. */
void harden_clean_objects(void *const *objs, unsigned int n, size_t size);

/* Objects of a class came from their tier, lowest last. */
void harden_fetched(unsigned int class, void **objs, unsigned int n);

/* Objects of a class leave a magazine for their tier: still as they were? */
void harden_check_free(unsigned int class, void *const *objs, unsigned int n);

/* Of a cache that is emptied, what lies in quarantine. Return: blocks. */
size_t harden_flush(struct cache *cache);

/* Add the blocks with guard pages to those with a mapping of their own. */
void harden_mappings(size_t *blocks, size_t *bytes);

/* Give freed blocks of many pages back to the kernel. Return: bytes. */
size_t harden_reclaim(void);

void harden_fork_child(void);

#else /* CONFIG_HAKMEM_HARDEN */

static inline void harden_init(void)
{
}

static inline void harden_clean(const struct slab *slab, uint32_t dirty)
{
	(void)slab;
	(void)dirty;
}

static inline void harden_clean_objects(void *const *objs, unsigned int n,
					size_t size)
{
	(void)objs;
	(void)n;
	(void)size;
}

static inline void harden_fetched(unsigned int class, void **objs,
				  unsigned int n)
{
	(void)class;
	(void)objs;
	(void)n;
}

static inline void harden_check_free(unsigned int class, void *const *objs,
				     unsigned int n)
{
	(void)class;
	(void)objs;
	(void)n;
}

static inline size_t harden_flush(struct cache *cache)
{
	(void)cache;
	return 0;
}

static inline void harden_mappings(size_t *blocks, size_t *bytes)
{
	(void)blocks;
	(void)bytes;
}

static inline size_t harden_reclaim(void)
{
	return 0;
}

static inline void harden_fork_child(void)
{
}

#endif /* CONFIG_HAKMEM_HARDEN */

#ifdef CONFIG_HAKMEM_HARDEN_SEAL

/* At the end of the start: from now on, __ro_after_init holds. */
void harden_seal(void);

#else /* CONFIG_HAKMEM_HARDEN_SEAL */

static inline void harden_seal(void)
{
}

#endif /* CONFIG_HAKMEM_HARDEN_SEAL */

#ifdef CONFIG_HAKMEM_HARDEN_RANDOM

/* Bytes by which the first superslab may be moved, below @room. */
uintptr_t harden_offset(uintptr_t room);

#else /* CONFIG_HAKMEM_HARDEN_RANDOM */

static inline uintptr_t harden_offset(uintptr_t room)
{
	(void)room;
	return 0;
}

#endif /* CONFIG_HAKMEM_HARDEN_RANDOM */

/* Superslabs between two places that stay unmapped, 0 for none such. */
#define SUPERSLABS_BETWEEN_GAPS	((uintptr_t)CONFIG_HAKMEM_HARDEN_GAP)

/* Whether nothing of ours may be mapped at a superslab's place. */
static inline bool harden_gap(uintptr_t base)
{
	return SUPERSLABS_BETWEEN_GAPS &&
	       (base >> 21) % (SUPERSLABS_BETWEEN_GAPS + 1) == 0;
}

#endif /* HAKMEM_MM_HARDEN_H */
