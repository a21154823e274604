/* SPDX-License-Identifier: MIT */
/*
 * Page runs: objects of whole pages in superslabs that they share.
 */
#ifndef HAKMEM_MM_LARGE_RUN_H
#define HAKMEM_MM_LARGE_RUN_H

#include "mm/large.h"

/* As the large_* functions of the same name, for CLASS_RUN addresses. */
void *run_alloc(size_t size, size_t align, bool zero);
const char *run_free(void *ptr);
size_t run_usable(const void *ptr, const char **fault);

/* Pages of the run that begins at @ptr, 0 for none; asks no lock. */
unsigned int run_pages(const void *ptr);

/**
 * run_resize() - Grow or shrink a run where it is.
 * @ptr: an object that run_usable() has found good
 * @size: bytes wanted
 *
 * Return: false when its neighbour is in the way or @size is no run's.
 */
bool run_resize(void *ptr, size_t size);

/* Purge all free pages that were touched. Return: bytes. */
size_t run_reclaim(void);
void run_expire(void);

void run_fork_child(void);
void run_stats(struct large_stats *stats);

#endif /* HAKMEM_MM_LARGE_RUN_H */
