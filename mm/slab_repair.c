// SPDX-License-Identifier: MIT
/*
 * Slab pools in a child that was forked while another thread was changing one.
 */
#include "pool.h"

#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/registry.h"
#include "mm/superslab.h"

/* Recount a slab after a fork in the middle of a change to it. */
static void repair_slab(struct slab_pool *pool, struct slab *slab)
{
	/* On its way between the pool and the superslab, and arrives yet. */
	if (slab->carrier == thread_token())
		return;
	slab->carrier = 0;
	/* Its thread may have been between the record and the registry. */
	registry_set_class(slab->base, slab->units, slab->class);
	list_init(&slab->node);
	slab->hint = 0;
	slab->nr_free = (uint16_t)bitmap_count_range(slab->free_map, 0,
						     slab->nr_objects);
	pool->stats.slabs++;
	slab->dirty_map = ~(uint64_t)0;
	pool->nr_dirty += pool_count_dirty(slab);
	if (slab->nr_free == slab->nr_objects)
		pool->nr_empty++;
	if (slab->nr_free)
		list_add_tail(&slab->node, &pool->partial);
}

void pool_repair(struct slab_pool *pool, unsigned int class)
{
	struct superslab *superslab;
	size_t index = 0;
	unsigned int i;

	list_init(&pool->partial);
	pool->nr_empty = 0;
	pool->nr_dirty = 0;
	pool->least_dirty = 0;
	pool->stats.slabs = 0;
	while ((superslab = registry_next_superslab(&index))) {
		for (i = 0; i < SUPERSLAB_SLABS; i++) {
			if (superslab->slabs[i].class == class)
				repair_slab(pool, &superslab->slabs[i]);
		}
	}
	lock_reset(&pool->lock);
}
