/* SPDX-License-Identifier: MIT */
/*
 * Which tier serves a size. mm/route.c is the one file that names all tiers.
 */
#ifndef HAKMEM_MM_ROUTE_H
#define HAKMEM_MM_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * route_class() - Which class serves a request.
 * @size: bytes
 * @align: power of two
 *
 * Return: the smallest class of a tier whose objects all have the alignment,
 * CLASS_NONE if the large tier is asked at once.
 */
unsigned int route_class(size_t size, size_t align);

/**
 * route_alloc() - Ask the owner of a size, then every later owner.
 * @size: bytes, at most PTRDIFF_MAX
 * @align: power of two
 * @zero: the content must read as zero
 *
 * When all have failed, everything kept for reuse is given back and they are
 * asked once more.
 *
 * Return: NULL without memory, after a report.
 */
void *route_alloc(size_t size, size_t align, bool zero);

/**
 * route_free_run() - Free what is no object of a size class.
 * @ptr: any pointer, as for large_free()
 *
 * Return: NULL when done, else what is wrong with the pointer.
 */
const char *route_free_run(void *ptr);

/* As large_resize(), for the hardened build. */
void *route_resize_run(void *ptr, size_t size);

/**
 * route_reclaim() - Give back all that is kept for reuse.
 * @bytes: out: of them, the bytes that went to the kernel
 *
 * Return: false if there was nothing.
 */
bool route_reclaim(size_t *bytes);

/* On slow paths: let ACE look, and let go of what lay unused for long. */
void route_tick(void);

void route_fork_child(void);

#endif /* HAKMEM_MM_ROUTE_H */
