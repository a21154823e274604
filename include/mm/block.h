/* SPDX-License-Identifier: MIT */
/*
 * Blocks, as the functions of the interface see them. In the hardened build
 * (mm/harden.h) a layer that knows of each block how large it was asked for,
 * and checks it on its way back; else the hot paths of mm/malloc.h and nothing
 * more.
 */
#ifndef HAKMEM_MM_BLOCK_H
#define HAKMEM_MM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/kfence.h"
#include "mm/malloc.h"

/* Which family of functions a block is from, and has to go back to. */
enum block_kind {
	BLOCK_MALLOC,
	BLOCK_NEW,
	BLOCK_NEW_ARRAY,
	NR_BLOCK_KINDS,
};

/* For a free that is not told the size. */
#define SIZE_UNTOLD	SIZE_MAX

static __always_inline bool blocks_are_hardened(void)
{
	return IS_ENABLED(CONFIG_HAKMEM_HARDEN);
}

/* In the hardened build only; as the hak_ functions and operators. */
void *harden_alloc(size_t size, enum block_kind kind);
void *harden_alloc_zeroed(size_t size);
void *harden_alloc_aligned(size_t align, size_t size, enum block_kind kind);
void *harden_realloc(void *ptr, size_t size);
size_t harden_usable_size(void *ptr, const char *function);

/**
 * harden_free() - Check a block, and let it rest before it is used again.
 * @ptr: any pointer, NULL included; ends the program over a bad one
 * @kind: the family of the function that was called
 * @told: the size that the program thinks it has, or SIZE_UNTOLD
 */
void harden_free(void *ptr, enum block_kind kind, size_t told);

/* Of a request for which the sampled guard should be asked first. */
void *block_alloc_due(size_t align, size_t size, enum block_kind kind);

/* Without asking it. */
static __always_inline void *block_alloc_unsampled(size_t size,
						   enum block_kind kind)
{
	return blocks_are_hardened() ? harden_alloc(size, kind) :
				       malloc_inline(size);
}

static __always_inline void *block_alloc_aligned_unsampled(size_t align,
							   size_t size,
							   enum block_kind kind)
{
	return blocks_are_hardened() ? harden_alloc_aligned(align, size, kind) :
				       malloc_aligned(align, size);
}

static __always_inline void *block_alloc(size_t size, enum block_kind kind)
{
	if (kfence_due())
		return block_alloc_due(1, size, kind);
	return block_alloc_unsampled(size, kind);
}

static __always_inline void *block_alloc_aligned(size_t align, size_t size,
						 enum block_kind kind)
{
	if (kfence_due())
		return block_alloc_due(align, size, kind);
	return block_alloc_aligned_unsampled(align, size, kind);
}

static __always_inline void block_free_sized(void *ptr, enum block_kind kind,
					     size_t size)
{
	if (blocks_are_hardened())
		harden_free(ptr, kind, size);
	else
		free_inline(ptr);
}

static __always_inline void block_free(void *ptr, enum block_kind kind)
{
	block_free_sized(ptr, kind, SIZE_UNTOLD);
}

#endif /* HAKMEM_MM_BLOCK_H */
