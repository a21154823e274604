// SPDX-License-Identifier: MIT
/*
 * Free pages of mixed slabs: when they go back to the kernel, see
 * include/mm/mixed.h.
 *
 * Lock order: mixed.lock, with nothing inside it. Memory calls are made while
 * it is free, with what they are about taken out.
 */
#include "mixed_record.h"

/* Pages are of 4 KiB at least, and there is a bit for each of a slab. */
#define SLAB_PAGES_MAX	16

/* Slabs whose pages are given back at a time, and those looked at for them. */
#define PURGE_BATCH	32
#define LOOK_BATCH	128

/* Free pages that may hold data. */
static uint16_t dirty_pages_locked(const struct mixed *record)
{
	unsigned int page, n = page_granules();
	uint16_t pages = 0;

	for (page = 0; page * n < GRANULES; page++) {
		if (!(record->purged >> page & 1) &&
		    bitmap_next(record->used, page * n, (page + 1) * n,
				true) == (page + 1) * n)
			pages |= (uint16_t)(1U << page);
	}
	return pages;
}

/* Each begins like an object, so that the one before it ends there. */
void mixed_mark_pages_locked(struct mixed *record, uint16_t pages, bool used)
{
	unsigned int n = page_granules(), page;

	for (page = 0; page * n < GRANULES; page++) {
		if (!(pages >> page & 1))
			continue;
		if (used) {
			bitmap_set(record->starts, page * n);
			bitmap_set_range(record->used, page * n, n);
		} else {
			bitmap_clear_range(record->used, page * n, n);
			bitmap_clear_range(record->starts, page * n, 1);
		}
	}
	n *= bit_count(pages);
	record->nr_free += used ? -n : n;
	mixed.free += used ? -(size_t)n : n;
}

/* All that are free, or those that were so at the last look; notes the rest. */
static uint16_t pages_due_locked(struct mixed *record, bool all)
{
	uint16_t pages = dirty_pages_locked(record);
	uint16_t due = all ? pages : pages & record->idle;

	record->idle = pages & (uint16_t)~due;
	return due;
}

static void take_out_locked(struct mixed *record, uint16_t pages)
{
	record->taken = pages;
	record->purger = thread_token();
	mixed_mark_pages_locked(record, pages, true);
	mixed_enlist_locked(record);
}

/* Behind all that this look has not seen yet. */
static void put_last_locked(struct mixed *record)
{
	if (!record->bucket)
		return;
	list_del(&record->node);
	list_add_tail(&record->node, &mixed.buckets[record->bucket - 1]);
}

/* What a later look has seen is that one's matter. */
static struct mixed *next_unseen_locked(unsigned int bucket, size_t look)
{
	struct mixed *record;

	if (list_empty(&mixed.buckets[bucket]))
		return NULL;
	record = list_first_entry(&mixed.buckets[bucket], struct mixed, node);
	return record->look < look ? record : NULL;
}

/*
 * From one list on, and of each from its start: what was seen is at its end, so
 * that no call passes it by again. Return: how many were taken out.
 */
static unsigned int take_out_some(struct mixed **records, size_t look,
				  bool all, unsigned int *bucket)
{
	unsigned int n = 0, seen = 0;
	struct mixed *record;
	uint16_t pages;

	mixed_lock();
	while (*bucket < NR_BUCKETS && n < PURGE_BATCH && seen < LOOK_BATCH) {
		record = next_unseen_locked(*bucket, look);
		if (!record) {
			(*bucket)++;
			continue;
		}
		seen++;
		record->look = look;
		pages = record->taken ? 0 : pages_due_locked(record, all);
		if (pages) {
			take_out_locked(record, pages);
			records[n++] = record;
		}
		put_last_locked(record);
	}
	mixed.purgers += n;
	lock_release(&mixed.lock);
	return n;
}

/* Return: bytes that went to the kernel. */
static size_t purge_pages(struct mixed *record)
{
	size_t page = vm_page_size(), bytes;
	uint64_t pages = record->taken;
	unsigned int start, end;

	for (start = bitmap_next(&pages, 0, SLAB_PAGES_MAX, true);
	     start < SLAB_PAGES_MAX;
	     start = bitmap_next(&pages, end, SLAB_PAGES_MAX, true)) {
		end = bitmap_next(&pages, start, SLAB_PAGES_MAX, false);
		if (!vm_purge((void *)(record->slab->base + start * page),
			      (end - start) * page))
			return 0;
	}
	bytes = bit_count(pages) * page;
	return bytes;
}

/* Return: whether the slab is free now, and on no list any more. */
static bool put_back(struct mixed *record, bool purged)
{
	bool empty;

	mixed_lock();
	mixed_mark_pages_locked(record, record->taken, false);
	if (purged)
		record->purged |= record->taken;
	record->taken = 0;
	record->bound = record->nr_free;
	mixed.purgers--;
	mixed_enlist_locked(record);
	put_last_locked(record);
	empty = mixed_unlist_empty_locked(record);
	lock_release(&mixed.lock);
	return empty;
}

static size_t purge(bool all)
{
	size_t look = __atomic_add_fetch(&mixed.looks, 1, __ATOMIC_RELAXED);
	struct mixed *records[PURGE_BATCH];
	size_t bytes = 0, purged;
	unsigned int n, bucket = 0;

	if (!mixed_free_bytes())
		return 0;
	while (bucket < NR_BUCKETS) {
		n = take_out_some(records, look, all, &bucket);
		while (n) {
			purged = purge_pages(records[--n]);
			bytes += purged;
			if (put_back(records[n], purged))
				mixed_put_slab(records[n]);
		}
	}
	return bytes;
}

size_t mixed_purge(void)
{
	return purge(true);
}

void mixed_expire(void)
{
	purge(false);
}
