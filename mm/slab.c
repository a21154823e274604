// SPDX-License-Identifier: MIT
/*
 * Slabs: units of a superslab that hold objects of one class.
 */
#include <string.h>

#include "lib/bitmap.h"
#include "lib/lock.h"
#include "mm/harden.h"
#include "mm/knobs.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"

/*
 * Units of a slab that an object lies in, counted from its first. What is left
 * behind the last object counts as its own: it is purged together with it.
 */
static uint32_t object_units(const struct slab *slab, unsigned int index)
{
	size_t size = class_size(slab->class);
	size_t first = index * size / SLAB_SIZE;
	size_t last = ((index + 1) * size - 1) / SLAB_SIZE;

	if (index + 1 == slab->nr_objects)
		last = slab->units - 1U;
	return unit_mask((unsigned int)first, (unsigned int)(last - first + 1));
}

static uint64_t dirty_objects(const struct slab *slab, uint32_t dirty)
{
	uint64_t objects = 0;
	unsigned int i;

	for (i = 0; i < slab->nr_objects; i++) {
		if (object_units(slab, i) & dirty)
			objects |= (uint64_t)1 << i;
	}
	return objects;
}

/* Units of a slab that may hold data, now that all its objects are free. */
static uint32_t dirty_units(const struct slab *slab)
{
	uint32_t units = 0;
	unsigned int i;

	if (!class_is_paged(slab->class))
		return unit_mask(0, slab->units);
	for (i = 0; i < slab->nr_objects; i++) {
		if (slab->dirty_map >> i & 1)
			units |= object_units(slab, i);
	}
	return units;
}

static void fill(struct slab *slab, unsigned int units, size_t size)
{
	size_t objects = units * SLAB_SIZE / size;
	unsigned int word;

	list_init(&slab->node);
	slab->units = (uint8_t)units;
	/* Of the smallest, so many units hold more than there are bits. */
	slab->nr_objects = (uint16_t)min(objects, SLAB_MAX_OBJECTS);
	slab->nr_free = slab->nr_objects;
	slab->hint = 0;
	for (word = 0; word * 64 < slab->nr_objects; word++)
		slab->free_map[word] = bitmap_word_mask(word, 0,
							slab->nr_objects);
}

struct slab *slab_get(unsigned int class, unsigned int units)
{
	struct superslab *superslab;
	unsigned int first;
	uint32_t dirty;
	struct slab *slab;

	superslab = superslab_take_units(units, !class_is_paged(class), &first,
					 &dirty);
	if (!superslab)
		return NULL;
	slab = &superslab->slabs[first];
	slab->superslab = superslab;
	slab->base = superslab->base + first * SLAB_SIZE;
	memset(&superslab->first_unit[first], (int)first, units);
	fill(slab, units, class_size(class));
	slab->carrier = thread_token();
	/* Release: a forked child that sees the class sees the rest. */
	__atomic_store_n(&slab->class, (uint8_t)class, __ATOMIC_RELEASE);
	superslab_let_go();
	if (class_is_paged(class))
		slab->dirty_map = dirty_objects(slab, dirty >> first);
	harden_clean(slab, dirty >> first);
	registry_set_class(slab->base, units, class);
	return slab;
}

void slab_put(struct slab *slab)
{
	struct superslab *superslab = slab->superslab;
	unsigned int first = (unsigned int)(slab - superslab->slabs);
	uint32_t units = unit_mask(first, slab->units);
	uint32_t dirty = dirty_units(slab) << first;

	hak_assert(slab->nr_free == slab->nr_objects);
	registry_set_class(slab->base, slab->units, CLASS_NONE);
	if (class_on_diet(slab->class) &&
	    superslab_purge_units(superslab, dirty))
		dirty = 0;
	superslab_hold(superslab, units);
	WRITE_ONCE(slab->class, CLASS_NONE);
	superslab_put_units(superslab, units, dirty);
}
