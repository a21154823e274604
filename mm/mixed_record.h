/* SPDX-License-Identifier: MIT */
/*
 * What mixed.c and mixed_purge.c have in common: the records.
 */
#ifndef HAKMEM_MM_MIXED_RECORD_H
#define HAKMEM_MM_MIXED_RECORD_H

#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/mixed.h"
#include "mm/vm.h"

#define GRANULES	((unsigned int)(SLAB_SIZE / OBJECT_ALIGN))
#define NR_BUCKETS	13	/* by log2 of 1 to GRANULES */

/**
 * struct mixed - the record of a mixed slab
 * @node: on the list for its @bound, or on none
 * @slab: which
 * @class: that it had
 * @bound: no run of free granules is longer
 * @bucket: of its list, plus one; 0: on none
 * @hint: where the last refill stopped; what begins before it was too short,
 *	and is passed by again only with all
 * @nr_free: free granules
 * @purged: pages that read as zero, none of which is in use
 * @idle: pages that were free at the last look and ever since
 * @taken: pages that count as used while they are purged
 * @purger: token of the thread that does it
 * @look: the last one that has seen it
 * @used: a bit for each granule of an object
 * @starts: a bit where an object begins; set before its granules are used,
 *	cleared after they are free
 */
struct mixed {
	struct list_head node;
	struct slab *slab;
	unsigned int class;
	unsigned int bound;
	unsigned int bucket;
	unsigned int hint;
	unsigned int nr_free;
	uint16_t purged;
	uint16_t idle;
	uint16_t taken;
	uintptr_t purger;
	size_t look;
	uint64_t used[BITMAP_WORDS(SLAB_MAX_OBJECTS)];
	uint64_t starts[BITMAP_WORDS(SLAB_MAX_OBJECTS)];
};

/**
 * struct mixed_slabs - all of them
 * @lock: guards the rest, and all records
 * @buckets: by log2 of @bound; lazily set
 * @free: granules
 * @given: objects that came back, by the class of their size
 * @looks: so many times free pages were looked for
 * @purgers: threads with pages taken out
 */
struct mixed_slabs {
	struct lock lock;
	struct list_head buckets[NR_BUCKETS];
	size_t free;
	size_t given[NR_CLASSES];
	size_t looks;
	unsigned int purgers;
};

extern struct mixed_slabs mixed __hidden;

static inline unsigned int page_granules(void)
{
	return (unsigned int)(vm_page_size() / OBJECT_ALIGN);
}

static inline void mixed_lock(void)
{
	unsigned int i;

	lock_acquire(&mixed.lock);
	if (likely(mixed.buckets[0].next))
		return;
	for (i = 0; i < NR_BUCKETS; i++)
		list_init(&mixed.buckets[i]);
}

/* On the list for the longest run of free granules that it may have. */
void mixed_enlist_locked(struct mixed *record);

/* One that is to be given back. Return: whether it is empty. */
bool mixed_unlist_empty_locked(struct mixed *record);

/* Give an empty one back, which is on no list. */
void mixed_put_slab(struct mixed *record);

/* Pages without objects count as used, or no longer. */
void mixed_mark_pages_locked(struct mixed *record, uint16_t pages, bool used);

#endif /* HAKMEM_MM_MIXED_RECORD_H */
