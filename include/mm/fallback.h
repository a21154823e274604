/* SPDX-License-Identifier: MIT */
/*
 * The fallback: libc's malloc, asked where every tier has failed.
 *
 * For debugging, and off unless HAKMEM_ALLOW_MALLOC_FALLBACK=1 is in the
 * environment. It is no tier: it owns no size, and what it hands out is in no
 * magazine and in no count but its own. A header in front of each block says
 * what it is; free() looks for one only where the registry has nothing and the
 * large tier knows no such mapping, so no pointer of ours is ever taken for
 * libc's or the other way round.
 *
 * Nothing here is locked: fork() in one thread finds all of it usable in the
 * child, as far as libc's malloc itself is.
 */
#ifndef HAKMEM_MM_FALLBACK_H
#define HAKMEM_MM_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

/* Which function of libc's made a block; its free() takes both back. */
enum fallback_method {
	FALLBACK_MALLOC,
	FALLBACK_CALLOC,
	NR_FALLBACK_METHODS,
};

/**
 * struct fallback_header - what lies in front of a block from libc
 * @raw: the address libc gave
 * @size: bytes that were asked for
 * @method: one of enum fallback_method
 * @magic: made of all above and of the header's own address, of that alone
 *	once the block is freed; last, where libc's free lists seldom come
 */
struct fallback_header {
	void *raw;
	size_t size;
	uintptr_t method;
	uintptr_t magic;
};

/**
 * struct fallback_stats - what came from libc
 * @handed_out: blocks ever
 * @blocks: live now
 * @bytes: that were asked for, of live blocks
 */
struct fallback_stats {
	size_t handed_out;
	size_t blocks;
	size_t bytes;
};

#ifdef CONFIG_HAKMEM_MALLOC_FALLBACK

/* Read the knob. */
void __cold fallback_init(void);

/**
 * fallback_start() - Look for libc's malloc, if the knob says so.
 *
 * May allocate, and waits for the dynamic loader's lock: no lock of ours may
 * be held. Keeps errno.
 */
void __cold fallback_start(void);

/**
 * fallback_alloc() - Ask libc for a block.
 * @size: bytes, at most PTRDIFF_MAX
 * @align: power of two
 * @zero: the content must read as zero
 *
 * Keeps errno on success. The first three of a process write a line.
 *
 * Return: NULL without memory, or when the knob is off.
 */
void __cold *fallback_alloc(size_t size, size_t align, bool zero);

/**
 * fallback_free() - Give a block back to libc.
 * @ptr: any pointer that large_free() refused
 * @fault: why it did
 *
 * Keeps errno. A pointer that is none of ours is read in front of only where
 * the kernel says that this is possible.
 *
 * Return: NULL when done, else what is wrong with the pointer.
 */
const char __cold *fallback_free(void *ptr, const char *fault);

/**
 * fallback_usable() - Bytes of a block.
 * @ptr: any pointer that large_usable() refused
 * @fault: in: why it did; out: NULL for a block, else what is wrong
 *
 * Return: the bytes that were asked for.
 */
size_t __cold fallback_usable(const void *ptr, const char **fault);

/* Return: whether a block was ever handed out; if so, @stats is set. */
bool fallback_stats(struct fallback_stats *stats);

#else /* CONFIG_HAKMEM_MALLOC_FALLBACK */

static inline void fallback_init(void)
{
}

static inline void fallback_start(void)
{
}

static inline void *fallback_alloc(size_t size, size_t align, bool zero)
{
	(void)size;
	(void)align;
	(void)zero;
	return NULL;
}

static inline const char *fallback_free(void *ptr, const char *fault)
{
	(void)ptr;
	return fault;
}

static inline size_t fallback_usable(const void *ptr, const char **fault)
{
	(void)ptr;
	(void)fault;
	return 0;
}

static inline bool fallback_stats(struct fallback_stats *stats)
{
	(void)stats;
	return false;
}

#endif /* CONFIG_HAKMEM_MALLOC_FALLBACK */

#endif /* HAKMEM_MM_FALLBACK_H */
