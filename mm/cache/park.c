// SPDX-License-Identifier: MIT
/*
 * The caches of all threads, and those that wait for one.
 *
 * Lock order: parked.lock, then nothing.
 */
#include "depot.h"
#include "lib/lock.h"
#include "magazine.h"
#include "mm/meta.h"

/* More threads than these do seldom run at once. */
#define RECENT_TABLES	256U

static struct meta_pool cache_pool =
	META_POOL_INIT(struct cache, ARCH_LINES_BYTES);

/* Caches that no thread has. */
static struct {
	struct lock lock;	/* guards the rest */
	struct cache *warm;	/* with objects, last come first gone */
	struct cache *bare;	/* without any */
	unsigned int nr_warm;
	unsigned int least_warm; /* since the idle ones were last taken */
} parked;

/* All there ever were: pushed with release, never less. */
static struct cache *all_caches;
static unsigned int nr_caches;

/*
 * Many threads that are alive at once share: what one finds of another's is a
 * double free as well. A page for each of thousands would be too much.
 */
static void ***recent_places(void)
{
	static void **places[RECENT_TABLES][RECENT_FREES]
		__aligned_to(ARCH_LINES_BYTES);
	static unsigned int next;
	unsigned int i;
	void ***table;

	if (!IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK))
		return NULL;
	/* Not nr_caches: two threads that come at once would share already. */
	table = places[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) %
		       RECENT_TABLES];
	for (i = 0; i < RECENT_FREES; i++)
		WRITE_ONCE(table[i], no_magazine);
	return table;
}

static void enlist(struct cache *cache)
{
	cache->next = READ_ONCE(all_caches);
	/* Release: pairs with the acquire in cache_objects(). */
	while (!__atomic_compare_exchange_n(&all_caches, &cache->next, cache,
					    false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	__atomic_fetch_add(&nr_caches, 1, __ATOMIC_RELAXED);
}

static struct cache *cache_create(void)
{
	struct cache *cache = meta_alloc(&cache_pool);
	unsigned int class;

	if (!cache)
		return NULL;
	/* Never given back, so its record is a fresh one: no spares. */
	for (class = 0; class < NR_REGISTRY_CLASSES; class++)
		cache->top[class] = NO_MAGAZINE_TOP;
	cache->recent = recent_places();
	enlist(cache);
	return cache;
}

struct cache *cache_unpark(void)
{
	struct cache *cache;

	lock_acquire(&parked.lock);
	cache = parked.warm;
	if (cache) {
		parked.warm = cache->next_parked;
		parked.nr_warm--;
		parked.least_warm = min(parked.least_warm, parked.nr_warm);
	}
	lock_release(&parked.lock);
	return cache;
}

static struct cache *unpark_bare(void)
{
	struct cache *cache;

	lock_acquire(&parked.lock);
	cache = parked.bare;
	if (cache)
		parked.bare = cache->next_parked;
	lock_release(&parked.lock);
	return cache;
}

static bool park_warm(struct cache *cache)
{
	bool room;

	lock_acquire(&parked.lock);
	room = parked.nr_warm + 1 <= CONFIG_HAKMEM_PARKED_CACHES;
	if (room) {
		cache->next_parked = parked.warm;
		__atomic_store_n(&parked.warm, cache, __ATOMIC_RELEASE);
		parked.nr_warm++;
	}
	lock_release(&parked.lock);
	return room;
}

void cache_park_bare(struct cache *cache)
{
	lock_acquire(&parked.lock);
	cache->next_parked = parked.bare;
	__atomic_store_n(&parked.bare, cache, __ATOMIC_RELEASE);
	lock_release(&parked.lock);
}

struct cache *cache_acquire(void)
{
	struct cache *cache = cache_unpark();

	if (!cache)
		cache = unpark_bare();
	return cache ? cache : cache_create();
}

void cache_release(struct cache *cache)
{
	/* They are nobody's spare objects: the next thread may come late. */
	cache_give_returns(cache);
	if (park_warm(cache))
		return;
	cache_flush(cache, false);
	cache_park_bare(cache);
}

/* Cut off the end of the list, with those that no new thread has wanted. */
struct cache *cache_take_idle(void)
{
	struct cache **link = &parked.warm;
	struct cache *idle;
	unsigned int stay;

	lock_acquire(&parked.lock);
	for (stay = parked.nr_warm - parked.least_warm; stay; stay--)
		link = &(*link)->next_parked;
	idle = *link;
	WRITE_ONCE(*link, NULL);
	parked.nr_warm -= parked.least_warm;
	parked.least_warm = parked.nr_warm;
	lock_release(&parked.lock);
	return idle;
}

void cache_visit_parked(void (*visit)(const struct cache *cache),
			void (*then)(void))
{
	bool locked = lock_try(&parked.lock);
	const struct cache *cache = locked ? parked.warm : NULL;

	for (; cache; cache = cache->next_parked)
		visit(cache);
	then();
	if (locked)
		lock_release(&parked.lock);
}

unsigned int cache_count(void)
{
	return READ_ONCE(nr_caches);
}

void cache_fork_child(void)
{
	struct cache *cache;

	meta_pool_fork_child(&cache_pool);
	depot_fork_child();
	if (!lock_orphaned(&parked.lock))
		return;
	parked.nr_warm = 0;
	parked.least_warm = 0;
	for (cache = parked.warm; cache; cache = cache->next_parked)
		parked.nr_warm++;
	lock_reset(&parked.lock);
}

/* Objects below a top that its thread may be moving. */
static size_t objects_below(void **top)
{
	uintptr_t last = (uintptr_t)(top - 1) & (MAGAZINE_BYTES - 1);
	size_t end = last / sizeof(void *) + 1;
	size_t first = READ_ONCE(magazine_of(top)->first);

	return end > first ? end - first : 0;
}

size_t cache_objects(unsigned int class)
{
	size_t objects = depot_objects(class);
	struct magazine *spare;
	struct cache *cache;
	void **top;

	/* Acquire: pairs with the release in enlist(). */
	for (cache = __atomic_load_n(&all_caches, __ATOMIC_ACQUIRE); cache;
	     cache = cache->next) {
		top = READ_ONCE(cache->top[class]);
		if (top != NO_MAGAZINE_TOP)
			objects += objects_below(top);
		spare = READ_ONCE(cache->spare[class]);
		if (spare)
			objects += objects_below(READ_ONCE(spare->top));
	}
	return objects;
}
