/* SPDX-License-Identifier: MIT */
/*
 * The allocator behind ours in the order of linking: libc's, or that of a
 * library preloaded after us.
 *
 * We define every one of its names, and must not import one.
 */
#ifndef HAKMEM_MM_NEXT_H
#define HAKMEM_MM_NEXT_H

#include <dlfcn.h>
#include <stddef.h>

/* Weak: a static program has none, and is not made to link it. */
#pragma weak dlsym

/*
 * Return: the definition behind ours, or NULL. Waits for the dynamic loader's
 * lock, so no lock of ours may be held; one that is not there may allocate.
 */
static inline void *next_symbol(const char *name)
{
	return dlsym ? dlsym(RTLD_NEXT, name) : NULL;
}

#endif /* HAKMEM_MM_NEXT_H */
