/* SPDX-License-Identifier: MIT */
/*
 * The sampled guard: one request in some thousands gets pages of its own,
 * between pages that cannot be touched, and lines tell who did what when the
 * program goes too far or comes too late.
 */
#ifndef HAKMEM_MM_KFENCE_H
#define HAKMEM_MM_KFENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

#ifdef CONFIG_HAKMEM_KFENCE

/* The address range of sampled blocks: empty before the first. */
extern uintptr_t kfence_pool __hidden;
extern size_t kfence_pool_size __hidden;

/* This thread's requests before one that is sampled; below 0 at first. */
extern __thread int kfence_countdown
	__attribute__((tls_model("initial-exec"))) __hidden;

/* For each request. Return: whether kfence_alloc() should be asked. */
static __always_inline bool kfence_due(void)
{
	return unlikely(--kfence_countdown < 0);
}

/**
 * kfence_alloc() - Allocate a block between pages that cannot be touched.
 * @align: power of two
 * @size: bytes
 *
 * Return: NULL if this one shall be a block like others.
 */
void *kfence_alloc(size_t align, size_t size);

static __always_inline bool kfence_owns(const void *ptr)
{
	return (uintptr_t)ptr - kfence_pool < kfence_pool_size;
}

/* Of a block that kfence_owns(). Return: what is wrong, NULL when done. */
const char *kfence_free(void *ptr);

/* Return: bytes asked for, 0 with what is wrong in *@fault. */
size_t kfence_usable(const void *ptr, const char **fault);

void kfence_fork_child(void);

#else /* CONFIG_HAKMEM_KFENCE */

static __always_inline bool kfence_due(void)
{
	return false;
}

static inline void *kfence_alloc(size_t align, size_t size)
{
	(void)align;
	(void)size;
	return NULL;
}

static __always_inline bool kfence_owns(const void *ptr)
{
	(void)ptr;
	return false;
}

static inline const char *kfence_free(void *ptr)
{
	(void)ptr;
	return NULL;
}

static inline size_t kfence_usable(const void *ptr, const char **fault)
{
	(void)ptr;
	(void)fault;
	return 0;
}

static inline void kfence_fork_child(void)
{
}

#endif /* CONFIG_HAKMEM_KFENCE */

#endif /* HAKMEM_MM_KFENCE_H */
