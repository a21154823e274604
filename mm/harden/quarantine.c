// SPDX-License-Identifier: MIT
/*
 * Quarantine: a freed slot rests before it is used again, so that what is
 * written to it meanwhile, or that it is freed again, is noticed.
 *
 * Each cache has one, which goes from thread to thread with it. It is not
 * locked: only its thread looks into it.
 */
#include "mm/harden.h"
#include "mm/meta.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/route.h"
#include "mm/slab_pool.h"
#include "mm/thread.h"
#include "mm/tier.h"
#include "private.h"

static struct meta_pool quarantine_pool = META_POOL_INIT(struct quarantine, 16);

void slot_release(size_t class, void *obj)
{
	if (class == CLASS_MIXED) {
		slab_pool_drain_mixed(&obj, 1);
		return;
	}
	if (cache_push(cache_tables_base(), class, obj))
		return;
	cache_free_slow((unsigned int)class, obj);
	route_tick();
}

/* The thread's, made at its first free. NULL: without memory, or late. */
static struct quarantine *quarantine_get(void)
{
	struct cache *cache = thread_attach();
	struct quarantine *quarantine;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_HAKMEM_HARDEN_QUARANTINE) || !cache)
		return NULL;
	if (cache->quarantine)
		return cache->quarantine;
	quarantine = meta_alloc(&quarantine_pool);
	if (!quarantine)
		return NULL;
	/* Never given back with a cache, so that its record is a fresh one. */
	for (i = 0; i < ARRAY_SIZE(quarantine->next); i++)
		quarantine->next[i] = 0;
	cache->quarantine = quarantine;
	return quarantine;
}

static void *exchange(void **ring, unsigned int size, unsigned int *next,
		      void *obj)
{
	void *oldest = ring[*next];

	ring[*next] = obj;
	*next = (*next + 1) % size;
	return oldest;
}

void quarantine_push_slow(void *obj, size_t class, size_t slot)
{
	struct quarantine *quarantine = quarantine_get();

	if (!quarantine || slot > REST_MAX_SLOT) {
		slot_release(class, obj);
		return;
	}
	if (slot <= REST_SMALL_MAX) {
		quarantine_push(obj, class, slot);
		return;
	}
	if (slot <= REST_MIDDLE_MAX)
		obj = exchange(quarantine->middle, RING_MIDDLE,
			       &quarantine->next[1], obj);
	else
		obj = exchange(quarantine->large, RING_LARGE,
			       &quarantine->next[2], obj);
	if (obj)
		slot_release(registry_class(obj), obj);
}

/* All go to their tiers, for a cache may be another thread's by now. */
static size_t flush_ring(void **ring, unsigned int size)
{
	unsigned int i, class;
	size_t flushed = 0;

	for (i = 0; i < size; i++) {
		if (!ring[i])
			continue;
		class = (unsigned int)registry_class(ring[i]);
		harden_check_free(class, &ring[i], 1);
		if (class == CLASS_MIXED)
			slot_release(class, ring[i]);
		else
			class_tier(class)->drain(class, &ring[i], 1);
		ring[i] = NULL;
		flushed++;
	}
	return flushed;
}

size_t harden_flush(struct cache *cache)
{
	struct quarantine *quarantine = cache->quarantine;

	if (!quarantine)
		return 0;
	return flush_ring(quarantine->small, RING_SMALL) +
	       flush_ring(quarantine->middle, RING_MIDDLE) +
	       flush_ring(quarantine->large, RING_LARGE);
}

void quarantine_fork_child(void)
{
	meta_pool_fork_child(&quarantine_pool);
}
