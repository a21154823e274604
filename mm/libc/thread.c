// SPDX-License-Identifier: MIT
/*
 * Threads where the C library has this malloc: see include/mm/thread.h.
 *
 * A pthread key leads to what a thread needs: libc keeps a pointer for it in
 * its own record of the thread, and calls its destructor. That one may run
 * before other destructors of the thread, which find a cache without magazines
 * as long as there are rounds of destructors.
 */
#include "mm/thread.h"

#include <pthread.h>
#include <stdbool.h>

#include "mm/init.h"
#include "mm/meta.h"
#include "mm/superslab.h"

/**
 * struct thread - what a thread needs
 * @cache: its cache
 * @held: what it carries
 */
struct thread {
	struct cache *cache;
	struct superslab_held held;
};

static struct meta_pool thread_pool = META_POOL_INIT(struct thread, 16);

/* Shared by those that have not begun, and by those that have gone. */
static struct thread nobody = { .cache = (struct cache *)&cache_tables.boot };
static struct thread detached = { .cache = &cache_detached };

static pthread_key_t key;
static bool key_valid;

static struct thread *self(void)
{
	struct thread *thread = NULL;

	if (likely(READ_ONCE(key_valid)))
		thread = pthread_getspecific(key);
	return likely(thread) ? thread : &nobody;
}

struct cache *thread_cache(void)
{
	return self()->cache;
}

struct superslab_held *superslab_held(void)
{
	return &self()->held;
}

static void thread_exit(void *arg)
{
	struct thread *thread = arg;

	pthread_setspecific(key, &detached);
	if (thread == &detached)
		return;
	cache_release(thread->cache);
	meta_free(&thread_pool, thread);
}

void thread_leave(void)
{
	struct thread *thread = self();

	if (thread != &nobody)
		thread_exit(thread);
}

void thread_init(void)
{
	WRITE_ONCE(key_valid, !pthread_key_create(&key, thread_exit));
}

void thread_fork_child(void)
{
	meta_pool_fork_child(&thread_pool);
}

static struct thread *attach_slow(void)
{
	struct thread *thread;

	init_ensure();
	thread = self();
	if (thread != &nobody || !key_valid)
		return thread;
	thread = meta_alloc(&thread_pool);
	if (!thread)
		return &nobody;
	*thread = (struct thread){ .cache = cache_acquire() };
	if (thread->cache && !pthread_setspecific(key, thread))
		return thread;
	if (thread->cache)
		cache_release(thread->cache);
	meta_free(&thread_pool, thread);
	return &nobody;
}

struct cache *thread_attach_slow(void)
{
	struct thread *thread = self();

	if (unlikely(thread == &nobody))
		thread = attach_slow();
	return cache_is_real(thread->cache) ? thread->cache : NULL;
}
