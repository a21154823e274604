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
#include "mm/superslab.h"

__thread uintptr_t thread_cache_distance
	__attribute__((tls_model("initial-exec")));

__thread struct superslab_held superslab_held_here
	__attribute__((tls_model("initial-exec")));

static pthread_key_t exit_key;
static bool exit_key_valid;

static void set_cache(const struct cache *cache)
{
	thread_cache_distance = (uintptr_t)cache - (uintptr_t)&cache_tables;
}

static void thread_exit(void *cache)
{
	set_cache(&cache_detached);
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
	cache = cache_self(&cache_tables);
	/* Setting up the hooks into libc may have allocated. */
	if (cache != &cache_tables.boot)
		return cache;
	if (!exit_key_valid)
		return &cache_detached;
	/* The loader clears thread-local memory when it has relocated. */
	cache = pthread_getspecific(exit_key);
	if (cache) {
		set_cache(cache);
		return cache;
	}
	cache = cache_acquire();
	if (!cache)
		return &cache_detached;
	/* First, because pthread_setspecific() may allocate. */
	set_cache(cache);
	if (pthread_setspecific(exit_key, cache)) {
		set_cache(&cache_tables.boot);
		cache_release(cache);
		return &cache_detached;
	}
	return cache;
}

struct cache *thread_attach_slow(void)
{
	struct cache *cache = cache_self(&cache_tables);

	if (cache == &cache_tables.boot)
		cache = attach_slow();
	return cache == &cache_detached ? NULL : cache;
}
