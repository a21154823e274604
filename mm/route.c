// SPDX-License-Identifier: MIT
/*
 * Which tier serves a size: see include/mm/route.h.
 */
#include "mm/route.h"

#include <string.h>

#include "mm/ace.h"
#include "mm/cache.h"
#include "mm/fallback.h"
#include "mm/harden.h"
#include "mm/kfence.h"
#include "mm/large.h"
#include "mm/meta.h"
#include "mm/mid.h"
#include "mm/mixed.h"
#include "mm/reclaim.h"
#include "mm/report.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "mm/tier.h"
#include "mm/tiny.h"

/* No class has two owners: each tier's range is its own. */
const struct tier_ops *class_tier(unsigned int class)
{
	const struct tier_ops *tier;

	if (!is_size_class(class))
		return NULL;
	tier = tiny_tier(class);
	if (!tier)
		tier = mid_tier(class);
	if (!tier)
		tier = ace_tier(class);
	return tier;
}

const struct tier_ops *class_source(unsigned int class)
{
	const struct tier_ops *tier = class_tier(class);

	return tier ? tier : large_runs();
}

/* A slab begins at a multiple of SLAB_SIZE, objects at multiples of theirs. */
unsigned int route_class(size_t size, size_t align)
{
	unsigned int class;

	if (size > SUPERSLAB_SIZE || align > SLAB_SIZE)
		return CLASS_NONE;
	class = size_class_aligned(size, align);
	return class_tier(class) ? class : CLASS_NONE;
}

/* The smallest class of the next tier whose objects have the alignment. */
static unsigned int next_tier_class(unsigned int class, size_t align)
{
	const struct tier_ops *tier = class_tier(class);

	while (++class < NR_CLASSES) {
		if (class_tier(class) && class_tier(class) != tier &&
		    IS_ALIGNED(class_size(class), align))
			return class;
	}
	return CLASS_NONE;
}

/*
 * What the thread has at hand was written and is still in the processor's
 * cache; what comes straight from the tier may read as zero already.
 */
static void *alloc_zeroed(unsigned int class, size_t size)
{
	void *obj = cache_pop(cache_tables_base(), class);

	if (obj)
		return memset(obj, 0, size);
	if (class_is_paged(class)) {
		if (!class_tier(class)->refill(class, &obj, 1))
			return NULL;
		if (slab_pool_is_clean(class, obj))
			return obj;
	} else {
		obj = cache_alloc(class);
	}
	return obj ? memset(obj, 0, size) : NULL;
}

/* The shortest runs wait in magazines, under a class that no tier has. */
static void *ask_large(size_t size, size_t align, bool zero)
{
	unsigned int class = large_class(size, align);

	if (class == CLASS_NONE || class_tier(class) || zero)
		return large_alloc(size, align, zero);
	return cache_alloc(class);
}

static void *ask_owners(size_t size, size_t align, bool zero)
{
	unsigned int class = route_class(size, align);
	void *obj;

	while (class != CLASS_NONE) {
		obj = zero ? alloc_zeroed(class, size) : cache_alloc(class);
		if (likely(obj))
			return obj;
		class = next_tier_class(class, align);
	}
	return ask_large(size, align, zero);
}

void *route_alloc(size_t size, size_t align, bool zero)
{
	void *obj = ask_owners(size, align, zero);
	size_t bytes;

	route_tick();
	if (unlikely(!obj) && route_reclaim(&bytes))
		obj = ask_owners(size, align, zero);
	if (unlikely(!obj))
		obj = fallback_alloc(size, align, zero);
	if (unlikely(!obj))
		report_out_of_memory(size, "large", "address space");
	return obj;
}

const char *route_free_run(void *ptr)
{
	unsigned int class = large_class_of(ptr);

	if (class == CLASS_NONE || class_tier(class))
		return large_free(ptr);
	cache_free(class, ptr);
	return NULL;
}

void *route_resize_run(void *ptr, size_t size)
{
	return large_resize(ptr, size);
}

static void __cold expire_all(void)
{
	cache_expire();
	slab_pool_expire();
	large_expire();
	superslab_expire();
}

void route_tick(void)
{
	uint64_t now_ms;

	if (!ace_is_on() || !cache_tick_due())
		return;
	now_ms = reclaim_clock_ms();
	if (unlikely(ace_look(now_ms)))
		expire_all();
	cache_tend(now_ms);
}

bool route_reclaim(size_t *bytes)
{
	size_t within = cache_reclaim();

	*bytes = large_reclaim() + harden_reclaim();
	within += slab_pool_reclaim(bytes);
	*bytes += mixed_purge();
	*bytes += superslab_reclaim();
	return within || *bytes;
}

void route_fork_child(void)
{
	meta_fork_child();
	superslab_fork_child();
	slab_pool_fork_child();
	mixed_fork_child();
	large_fork_child();
	ace_fork_child();
	cache_fork_child();
	harden_fork_child();
	kfence_fork_child();
}
