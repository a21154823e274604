/* SPDX-License-Identifier: MIT */
/*
 * The sampled guard: one request in some thousands gets pages of its own,
 * between pages that cannot be touched, and a line tells who did what when the
 * program goes too far or comes too late.
 */
#ifndef HAKMEM_MM_KFENCE_H
#define HAKMEM_MM_KFENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/compiler.h"

static inline bool kfence_due(void)
{
	return false;
}

static inline void *kfence_alloc(size_t align, size_t size)
{
	(void)align;
	(void)size;
	return NULL;
}

static inline bool kfence_owns(const void *ptr)
{
	(void)ptr;
	return false;
}

#endif /* HAKMEM_MM_KFENCE_H */
