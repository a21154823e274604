/* SPDX-License-Identifier: MIT */
/*
 * Threads: how one comes to a cache and what becomes of it.
 */
#ifndef HAKMEM_MM_THREAD_H
#define HAKMEM_MM_THREAD_H

#include "mm/cache.h"

/* For a thread that has none yet, or none any more. */
struct cache *thread_attach_slow(void);

/**
 * thread_attach() - This thread's cache, given to it at its first request.
 *
 * Initialises the allocator if this is the first request of all.
 *
 * Return: NULL when the thread must do without one: it is exiting and its
 * destructor has run, or there is no memory or no way to learn of its exit.
 */
static inline struct cache *thread_attach(void)
{
	struct cache *cache = cache_self(&cache_tables);

	return likely(cache_is_real(cache)) ? cache : thread_attach_slow();
}

/* Make the key whose destructor takes a leaving thread's cache. */
void thread_init(void);

#ifdef CONFIG_HAKMEM_LIBC

/* The thread ends, or at least needs its cache no longer. */
void thread_leave(void);

void thread_fork_child(void);

#else /* CONFIG_HAKMEM_LIBC */

static inline void thread_fork_child(void)
{
}

#endif /* CONFIG_HAKMEM_LIBC */

#endif /* HAKMEM_MM_THREAD_H */
