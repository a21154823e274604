// SPDX-License-Identifier: MIT
/*
 * Objects on their way back to mixed slabs: see struct cache.
 */
#include <string.h>

#include "magazine.h"
#include "mm/mixed.h"
#include "mm/report.h"
#include "mm/slab_pool.h"
#include "mm/thread.h"

unsigned int cache_give_returns(struct cache *cache)
{
	unsigned int n = cache->nr_returns;
	void *objs[RETURNS_MAX];

	if (!n)
		return 0;
	memcpy(objs, cache->returns, n * sizeof(*objs));
	/* First: others may get and free them, and know them gone. */
	cache_forget(cache->returns, n);
	cache->nr_returns = 0;
	slab_pool_drain_mixed(objs, n);
	return n;
}

void cache_return_all(void)
{
	struct cache *cache = cache_self(&cache_tables);

	if (cache_is_real(cache))
		cache_give_returns(cache);
}

/* As in cache_push(); what lies elsewhere was drained from there. */
static void remember(struct cache *cache, void **place, const void *obj)
{
	void ***recent;

	if (!IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK))
		return;
	recent = &cache->recent[recent_index(obj)];
	if (unlikely(UNSEEN(**recent) == obj && *recent < place &&
		     *recent >= cache->returns))
		report_bad_pointer("free", obj, FAULT_FREE);
	*recent = place;
}

bool cache_return(void *obj)
{
	struct cache *cache = thread_attach();

	if (unlikely(!cache || !mixed_is_start(obj))) {
		slab_pool_drain_mixed(&obj, 1);
		return true;
	}
	remember(cache, &cache->returns[cache->nr_returns], obj);
	cache->returns[cache->nr_returns++] = obj;
	if (cache->nr_returns < RETURNS_MAX)
		return false;
	cache_give_returns(cache);
	return true;
}
