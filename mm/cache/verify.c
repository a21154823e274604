// SPDX-License-Identifier: MIT
/*
 * The last look for double frees, at the end of a process.
 *
 * free() finds what this thread freed recently, and a drain what its slab has;
 * an object that was freed twice with much between may lie in magazines twice,
 * or in one and in its slab. What other threads have at hand is not looked at,
 * nor the depots' part of a great many.
 *
 * Other threads go on meanwhile. What lies with this thread or in a parked
 * cache stays there until the look is over, and of a class all that is in its
 * depot is seen at once: none of that moves to where it would be seen again.
 * An address may come by once more as an object of another class.
 *
 * Lock order: seen.lock, parked.lock, that of a depot; the latter two are only
 * tried.
 */
#include "depot.h"
#include "lib/lock.h"
#include "magazine.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/slab_pool.h"
#include "mm/tier.h"
#include "mm/lock_order.h"
#include "mm/vm.h"

/* So many are looked at, at most: a process should end fast. */
#define VERIFY_MAX	((size_t)16384)

/* Addresses have less than 64 bits by as many as a class has. */
#define CLASS_BITS	7

/* A table of all that was looked at, by a hash of the address. */
static struct {
	struct lock lock;	/* guards the rest */
	uint64_t *objects;	/* with the class in the lowest bits */
	uint32_t mask;
	size_t left;		/* objects still to be looked at */
	const void *bad;	/* the first that is not as it should be */
	const char *fault;	/* what is wrong with it, NULL if nothing */
} seen = { .lock = LOCK_INIT_RANK(LOCK_RANK_VERIFY) };

static bool seen_before(unsigned int class, const void *obj)
{
	uint64_t key = (uint64_t)(uintptr_t)obj << CLASS_BITS | class;
	uint32_t at = ((uint32_t)((uintptr_t)obj / OBJECT_ALIGN) *
		       RECENT_MULTIPLIER) & seen.mask;

	for (; seen.objects[at]; at = (at + 1) & seen.mask) {
		if (seen.objects[at] == key)
			return true;
	}
	seen.objects[at] = key;
	return false;
}

static void verify_object(unsigned int class, const void *obj)
{
	const char *fault = NULL;

	if (class_tier(class))
		fault = slab_pointer_fault(obj, class);
	/* Whose slab became a mixed one lies there as well as it did before. */
	if (fault && registry_class(obj) == CLASS_MIXED)
		fault = NULL;
	if (!fault && seen_before(class, obj))
		fault = FAULT_FREE;
	if (likely(!fault))
		return;
	seen.bad = obj;
	seen.fault = fault;
	seen.left = 0;
}

/* Below the first object of a magazine is NULL. */
static void verify_below(unsigned int class, void *const *top)
{
	while (*--top && seen.left) {
		seen.left--;
		verify_object(class, *top);
	}
}

static void verify_magazine(unsigned int class,
			    const struct magazine *magazine)
{
	verify_below(class, magazine->top);
}

static void verify_cache(const struct cache *cache)
{
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++) {
		verify_below(class, cache->top[class]);
		if (cache->spare[class])
			verify_magazine(class, cache->spare[class]);
	}
}

static void verify_depots(void)
{
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++)
		depot_visit(class, verify_magazine);
}

static void verify_all(void)
{
	const struct cache *cache = cache_self(&cache_tables);

	if (cache_is_real(cache))
		verify_cache(cache);
	cache_visit_parked(verify_cache, verify_depots);
}

static size_t objects_to_see(void)
{
	size_t objects = 0;
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++)
		objects += cache_objects(class);
	return min(objects, VERIFY_MAX);
}

void cache_verify(void)
{
	size_t objects, room = 1, bytes;

	if (!IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK) ||
	    !lock_try(&seen.lock))
		return;
	objects = objects_to_see();
	while (room < 2 * objects)
		room *= 2;
	bytes = ALIGN_UP(room * sizeof(*seen.objects), vm_page_size());
	seen.objects = objects ? vm_map(NULL, bytes, vm_page_size()) : NULL;
	if (seen.objects) {
		seen.mask = (uint32_t)(room - 1);
		seen.left = objects;
		verify_all();
		vm_unmap(seen.objects, bytes);
	}
	lock_release(&seen.lock);
	if (seen.fault)
		report_bad_pointer("free", seen.bad, seen.fault);
}
