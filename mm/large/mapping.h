/* SPDX-License-Identifier: MIT */
/*
 * Objects with a mapping of their own, and the freed ones kept for reuse.
 */
#ifndef HAKMEM_MM_LARGE_MAPPING_H
#define HAKMEM_MM_LARGE_MAPPING_H

#include "mm/large.h"

/* As the large_* functions of the same name, for any address. */
void *mapping_alloc(size_t size, size_t align, bool zero);
const char *mapping_free(void *ptr);

/* Whether there may be one more that is not needed for its size. */
bool mapping_may_add(void);
size_t mapping_usable(const void *ptr, const char **fault);

/**
 * mapping_resize() - Resize by the kernel's page tables.
 * @ptr: an object that mapping_usable() has found good
 * @size: bytes wanted
 *
 * Return: where it is now, or NULL with nothing changed.
 */
void *mapping_resize(void *ptr, size_t size);

size_t mapping_reclaim(void);
void mapping_expire(void);
void mapping_fork_child(void);
void mapping_stats(struct large_stats *stats);
size_t mapping_resident(void);

#endif /* HAKMEM_MM_LARGE_MAPPING_H */
