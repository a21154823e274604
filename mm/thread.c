// SPDX-License-Identifier: MIT
/*
 * Threads: see include/mm/thread.h.
 *
 * A leaving thread's destructor may run before other destructors of the
 * thread, which still allocate and free. They find cache_detached: no
 * magazines, every object straight from and to its tier, and nothing that
 * would have to be released once more.
 */
#include "mm/thread.h"

#include <pthread.h>
#include <stdbool.h>

#include "mm/init.h"

static pthread_key_t exit_key;
static bool exit_key_valid;

static void thread_exit(void *cache)
{
	thread_cache = &cache_detached;
	cache_release(cache);
}

void thread_init(void)
{
	exit_key_valid = !pthread_key_create(&exit_key, thread_exit);
}

static struct cache *attach_slow(void)
{
	struct cache *cache;

	init_ensure();
	/* Setting up the hooks into libc may have allocated. */
	if (thread_cache != &cache_boot)
		return thread_cache;
	if (!exit_key_valid)
		return NULL;
	cache = cache_acquire();
	if (!cache)
		return NULL;
	/* First, because pthread_setspecific() may allocate. */
	thread_cache = cache;
	if (pthread_setspecific(exit_key, cache)) {
		thread_cache = &cache_boot;
		cache_release(cache);
		return NULL;
	}
	return cache;
}

struct cache *thread_attach(void)
{
	struct cache *cache = thread_cache;

	if (unlikely(cache == &cache_boot))
		cache = attach_slow();
	return cache == &cache_detached ? NULL : cache;
}
