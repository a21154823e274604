/* SPDX-License-Identifier: MIT */
/*
 * The large tier: the last owner of every size. Always built.
 *
 * Below MAPPING_MIN_SIZE an object is a run of pages in a superslab shared
 * with other runs; from there it has a mapping of its own, found again by its
 * address. Freed mappings are kept for reuse within a bound.
 */
#ifndef HAKMEM_MM_LARGE_H
#define HAKMEM_MM_LARGE_H

#include <stdbool.h>
#include <stddef.h>

#include "mm/tier.h"

/**
 * large_alloc() - Allocate pages.
 * @size: bytes, at most PTRDIFF_MAX
 * @align: power of two
 * @zero: in: the content must read as zero
 *
 * Return: page-aligned address, or NULL without memory.
 */
void *large_alloc(size_t size, size_t align, bool zero);

/* Runs up to this length may wait in magazines. */
#define CACHED_RUN_PAGES	2U

/**
 * large_class() - Where short runs wait for reuse.
 * @size: bytes
 * @align: power of two
 *
 * Return: the size class under which magazines keep runs for such a request,
 * unless a tier owns that class; CLASS_NONE for none.
 */
unsigned int large_class(size_t size, size_t align);

/* Of an object: the class under which it may wait, CLASS_NONE for none. */
unsigned int large_class_of(const void *ptr);

/* What refills those magazines, and drains them. */
const struct tier_ops *large_runs(void);

/* From here on blocks that grow get a mapping of their own. */
#define REMAP_MIN_SIZE		((size_t)128 << 10)

/* A mapping whatever the size. Return: NULL without memory or with too many. */
void *large_alloc_mapping(size_t size);

/**
 * large_free() - Free what large_alloc() gave.
 * @ptr: any pointer that registry_class() gives CLASS_RUN or CLASS_NONE
 *
 * Return: NULL when done, else what is wrong with the pointer.
 */
const char *large_free(void *ptr);

/**
 * large_usable() - Bytes of an object.
 * @ptr: as for large_free()
 * @fault: out: what is wrong with the pointer, when it is
 *
 * Return: the bytes, 0 with *@fault set.
 */
size_t large_usable(const void *ptr, const char **fault);

/**
 * large_resize() - Resize in place, or move by the kernel's page tables.
 * @ptr: an object that large_usable() has found good
 * @size: bytes wanted, at most PTRDIFF_MAX
 *
 * Return: the object, maybe elsewhere, or NULL when it has to be copied.
 */
void *large_resize(void *ptr, size_t size);

/* Give back what is kept for reuse. Return: bytes. */
size_t large_reclaim(void);

/* Give back what was free all the time since the last call. */
void large_expire(void);

void large_fork_child(void);

/**
 * struct large_stats - what the tier holds
 * @run_allocs: runs ever allocated
 * @runs: live now, those in magazines included
 * @run_bytes: bytes of live runs
 * @run_superslabs: superslabs cut into runs
 * @mapping_allocs: mappings ever handed out
 * @mappings: live now
 * @mapping_bytes: bytes of live mappings
 * @cached: freed mappings kept
 * @cached_bytes: their bytes
 */
struct large_stats {
	size_t run_allocs;
	size_t runs;
	size_t run_bytes;
	size_t run_superslabs;
	size_t mapping_allocs;
	size_t mappings;
	size_t mapping_bytes;
	size_t cached;
	size_t cached_bytes;
};

void large_stats(struct large_stats *stats);

/* Bytes of memory behind the mappings, live and kept; asks the kernel. */
size_t large_mappings_resident(void);

#endif /* HAKMEM_MM_LARGE_H */
