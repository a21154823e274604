// SPDX-License-Identifier: MIT
/*
 * Mixed slabs: see include/mm/mixed.h.
 *
 * Lock order: a pool's lock, then mixed.lock, when a slab changes hands; else
 * mixed.lock alone, with nothing inside it.
 */
#include "mm/mixed.h"

#include <string.h>

#include "lib/align.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/meta.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/vm.h"

/* Pages are of 4 KiB at least, and there is a bit for each of a slab. */
#define SLAB_PAGES_MAX	16

/* Slabs whose pages are given back at a time. */
#define PURGE_BATCH	32

#define GRANULES	((unsigned int)(SLAB_SIZE / OBJECT_ALIGN))
#define NR_BUCKETS	13	/* by log2 of 1 to GRANULES */

/* Slabs that a refill cuts, against a long search for little. */
#define SLABS_PER_REFILL	8

/**
 * struct mixed - the record of a mixed slab
 * @node: on the list for its @bound, or on none
 * @slab: which
 * @class: that it had
 * @bound: no run of free granules is longer
 * @bucket: of its list, plus one; 0: on none
 * @nr_free: free granules
 * @purged: pages that read as zero, none of which is in use
 * @taken: pages that count as used while they are purged
 * @purger: token of the thread that does it
 * @look: the last one of mixed_purge() that has seen it
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
	unsigned int nr_free;
	uint16_t purged;
	uint16_t taken;
	uintptr_t purger;
	size_t look;
	uint64_t used[BITMAP_WORDS(SLAB_MAX_OBJECTS)];
	uint64_t starts[BITMAP_WORDS(SLAB_MAX_OBJECTS)];
};

static struct meta_pool record_pool = META_POOL_INIT(struct mixed, 16);

static struct {
	struct lock lock;	/* guards the rest and all records */
	struct list_head buckets[NR_BUCKETS]; /* lazily set */
	size_t free;		/* granules of all */
	size_t looks;
	unsigned int purgers;	/* threads with pages taken out */
} mixed;

static unsigned int page_granules(void)
{
	return (unsigned int)(vm_page_size() / OBJECT_ALIGN);
}

static void lock_mixed(void)
{
	unsigned int i;

	lock_acquire(&mixed.lock);
	if (likely(mixed.buckets[0].next))
		return;
	for (i = 0; i < NR_BUCKETS; i++)
		list_init(&mixed.buckets[i]);
}

unsigned int mixed_records(struct mixed **records, unsigned int n)
{
	for (; n < MIXED_BATCH; n++) {
		records[n] = meta_alloc(&record_pool);
		if (!records[n])
			break;
	}
	return n;
}

void mixed_records_put(struct mixed **records, unsigned int n)
{
	while (n)
		meta_free(&record_pool, records[--n]);
}

static void enlist_locked(struct mixed *record)
{
	unsigned int bucket;

	record->bound = min(record->bound, record->nr_free);
	bucket = record->bound ? log2_floor(record->bound) + 1 : 0;
	if (bucket == record->bucket)
		return;
	record->bucket = bucket;
	list_del(&record->node);
	if (bucket)
		list_add(&record->node, &mixed.buckets[bucket - 1]);
}

/* The objects that are not free in the slab's own map. */
static void record_objects(struct mixed *record, const struct slab *slab)
{
	unsigned int granules = (unsigned int)(class_size(slab->class) /
					       OBJECT_ALIGN);
	unsigned int end = slab->nr_objects;
	unsigned int i;

	memset(record->used, 0, sizeof(record->used));
	memset(record->starts, 0, sizeof(record->starts));
	for (i = bitmap_next(slab->free_map, 0, end, false); i < end;
	     i = bitmap_next(slab->free_map, i + 1, end, false)) {
		bitmap_set(record->starts, i * granules);
		bitmap_set_range(record->used, i * granules, granules);
	}
	record->nr_free = GRANULES - (slab->nr_objects - slab->nr_free) *
				     granules;
}

void mixed_adopt(struct slab *slab, struct mixed *record)
{
	list_init(&record->node);
	record->slab = slab;
	record->class = slab->class;
	record->bucket = 0;
	record->purged = 0;
	record->taken = 0;
	record->purger = 0;
	record->look = 0;
	record_objects(record, slab);
	record->bound = record->nr_free;
	lock_mixed();
	slab->mixed = record;
	/* Release: a forked child that sees the class sees the record. */
	__atomic_store_n(&slab->class, (uint8_t)CLASS_MIXED, __ATOMIC_RELEASE);
	registry_set_class(slab->base, slab->units, CLASS_MIXED);
	mixed.free += record->nr_free;
	enlist_locked(record);
	lock_release(&mixed.lock);
}

static void *take_locked(struct mixed *record, unsigned int start,
			 unsigned int granules)
{
	unsigned int page = start / page_granules();

	for (; page * page_granules() < start + granules; page++)
		record->purged &= (uint16_t)~(1U << page);
	bitmap_set(record->starts, start);
	bitmap_set_range(record->used, start, granules);
	record->nr_free -= granules;
	mixed.free -= granules;
	return (void *)(record->slab->base + start * OBJECT_ALIGN);
}

/* From a run of free granules. Return: how many fitted. */
static unsigned int cut_run_locked(struct mixed *record, unsigned int start,
				   unsigned int end, unsigned int granules,
				   void **objs, unsigned int n)
{
	/* As a slab of the class aligns them. */
	unsigned int at = ALIGN_UP(start, granules & -granules);
	unsigned int taken = 0, first = at, left;

	for (; at + granules <= end && taken < n; at += granules)
		objs[taken++] = take_locked(record, at, granules);
	left = taken ? max(first - start, end - at) : end - start;
	record->bound = max(record->bound, left);
	return taken;
}

/* Lowest first; learns the longest run on the way. */
static unsigned int cut_locked(struct mixed *record, unsigned int granules,
			       void **objs, unsigned int n)
{
	unsigned int start, end, taken = 0;

	record->bound = 0;
	for (start = bitmap_next(record->used, 0, GRANULES, false);
	     start < GRANULES;
	     start = bitmap_next(record->used, end, GRANULES, false)) {
		end = bitmap_next(record->used, start, GRANULES, true);
		taken += cut_run_locked(record, start, end, granules,
					objs + taken, n - taken);
	}
	return taken;
}

/* The first list on which all have room, were it as badly aligned as can be. */
static unsigned int first_bucket(unsigned int granules)
{
	unsigned int run = granules + (granules & -granules) - 1;

	return run > 1 ? log2_floor(run - 1) + 1 : 0;
}

static unsigned int refill_locked(unsigned int granules, void **objs,
				  unsigned int n)
{
	unsigned int bucket = first_bucket(granules);
	unsigned int taken = 0, slabs = 0;
	struct mixed *record;

	while (bucket < NR_BUCKETS && taken < n && slabs < SLABS_PER_REFILL) {
		if (list_empty(&mixed.buckets[bucket])) {
			bucket++;
			continue;
		}
		record = list_first_entry(&mixed.buckets[bucket], struct mixed,
					  node);
		taken += cut_locked(record, granules, objs + taken, n - taken);
		enlist_locked(record);
		slabs++;
	}
	return taken;
}

unsigned int mixed_refill(unsigned int class, void **objs, unsigned int n)
{
	size_t size = class_size(class);
	unsigned int granules = (unsigned int)(size / OBJECT_ALIGN);
	unsigned int taken;

	if (READ_ONCE(mixed.free) < granules || size > MIXED_SIZE_MAX)
		return 0;
	lock_mixed();
	taken = refill_locked(granules, objs, n);
	lock_release(&mixed.lock);
	return taken;
}

/* The slab as it was before, without objects. */
static void give_slab_back(struct mixed *record)
{
	struct slab *slab = record->slab;
	unsigned int word;

	for (word = 0; word * 64 < slab->nr_objects; word++)
		slab->free_map[word] = bitmap_word_mask(word, 0,
							slab->nr_objects);
	slab->nr_free = slab->nr_objects;
	slab->carrier = thread_token();
	__atomic_store_n(&slab->class, (uint8_t)record->class,
			 __ATOMIC_RELEASE);
	slab_put(slab);
	meta_free(&record_pool, record);
}

/* Return: what is wrong with @ptr; *@record and *@start if nothing. */
static const char *find_locked(const void *ptr, struct mixed **record,
			       unsigned int *start)
{
	struct superslab *superslab = registry_superslab(ptr);
	uintptr_t offset = (uintptr_t)ptr % SLAB_SIZE;

	/* Gone meanwhile: only a pointer freed twice can see that. */
	if (!superslab || registry_class(ptr) != CLASS_MIXED)
		return FAULT_FREE;
	/* Of one unit, so that where it begins needs no looking up. */
	*record = superslab->slabs[((uintptr_t)ptr - superslab->base) >>
				   SLAB_SHIFT].mixed;
	*start = (unsigned int)(offset / OBJECT_ALIGN);
	if (!bitmap_test((*record)->used, *start) ||
	    (*record)->taken >> *start / page_granules() & 1)
		return FAULT_FREE;
	if (offset % OBJECT_ALIGN || !bitmap_test((*record)->starts, *start))
		return FAULT_INTERIOR;
	return NULL;
}

/* Granules of the object that begins at @start. */
static unsigned int length_locked(const struct mixed *record,
				  unsigned int start)
{
	unsigned int end;

	end = bitmap_next(record->starts, start + 1, GRANULES, true);
	return bitmap_next(record->used, start, end, false) - start;
}

static void clear_locked(struct mixed *record, unsigned int start,
			 unsigned int granules)
{
	unsigned int free_end, free_start;

	bitmap_clear_range(record->used, start, granules);
	bitmap_clear_range(record->starts, start, 1);
	record->nr_free += granules;
	mixed.free += granules;
	free_start = bitmap_prev_end(record->used, start);
	free_end = bitmap_next(record->used, start, GRANULES, true);
	record->bound = max(record->bound, free_end - free_start);
	enlist_locked(record);
}

/* One that is to be given back. Return: whether it is empty. */
static bool unlist_empty_locked(struct mixed *record)
{
	if (record->nr_free != GRANULES)
		return false;
	list_del(&record->node);
	mixed.free -= record->nr_free;
	return true;
}

const char *mixed_give(void *ptr, unsigned int *class)
{
	unsigned int start, granules;
	struct mixed *record;
	const char *fault;
	bool empty = false;

	lock_mixed();
	fault = find_locked(ptr, &record, &start);
	if (!fault) {
		granules = length_locked(record, start);
		*class = size_class(granules * OBJECT_ALIGN);
		clear_locked(record, start, granules);
		empty = unlist_empty_locked(record);
	}
	lock_release(&mixed.lock);
	if (empty)
		give_slab_back(record);
	return fault;
}

size_t mixed_usable(const void *ptr, const char **fault)
{
	struct mixed *record;
	unsigned int start;
	size_t size = 0;

	lock_mixed();
	*fault = find_locked(ptr, &record, &start);
	if (!*fault)
		size = length_locked(record, start) * OBJECT_ALIGN;
	lock_release(&mixed.lock);
	return size;
}

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
static void mark_pages_locked(struct mixed *record, uint16_t pages, bool used)
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

static void take_out_locked(struct mixed *record, uint16_t pages)
{
	record->taken = pages;
	record->purger = thread_token();
	mark_pages_locked(record, pages, true);
	enlist_locked(record);
}

/* Behind all that this look has not seen yet. */
static void put_last_locked(struct mixed *record)
{
	if (!record->bucket)
		return;
	list_del(&record->node);
	list_add_tail(&record->node, &mixed.buckets[record->bucket - 1]);
}

/*
 * From one list on, and of each from its start: what was seen is at its end, so
 * that no call passes it by again. Return: how many were taken out.
 */
static unsigned int take_out_some(struct mixed **records, size_t look,
				  unsigned int *bucket)
{
	struct list_head *pos, *next, *head;
	struct mixed *record;
	unsigned int n = 0;
	uint16_t pages;

	lock_mixed();
	for (; *bucket < NR_BUCKETS; (*bucket)++) {
		head = &mixed.buckets[*bucket];
		for (pos = head->next; pos != head && n < PURGE_BATCH;
		     pos = next) {
			next = pos->next;
			record = container_of(pos, struct mixed, node);
			if (record->look == look || record->taken)
				continue;
			record->look = look;
			pages = dirty_pages_locked(record);
			if (pages) {
				take_out_locked(record, pages);
				records[n++] = record;
			}
			put_last_locked(record);
		}
		if (n == PURGE_BATCH)
			break;
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

	lock_mixed();
	mark_pages_locked(record, record->taken, false);
	if (purged)
		record->purged |= record->taken;
	record->taken = 0;
	record->bound = record->nr_free;
	mixed.purgers--;
	enlist_locked(record);
	put_last_locked(record);
	empty = unlist_empty_locked(record);
	lock_release(&mixed.lock);
	return empty;
}

size_t mixed_purge(void)
{
	size_t look = __atomic_add_fetch(&mixed.looks, 1, __ATOMIC_RELAXED);
	struct mixed *records[PURGE_BATCH];
	size_t bytes = 0, purged;
	unsigned int n, bucket = 0;

	if (!mixed_free_bytes())
		return 0;
	while ((n = take_out_some(records, look, &bucket))) {
		while (n) {
			purged = purge_pages(records[--n]);
			bytes += purged;
			if (put_back(records[n], purged))
				give_slab_back(records[n]);
		}
	}
	return bytes;
}

size_t mixed_free_bytes(void)
{
	return READ_ONCE(mixed.free) * OBJECT_ALIGN;
}

/* An object that was being cut when another thread forked is nobody's. */
static void repair_record(struct mixed *record)
{
	size_t free_before = mixed.free;
	unsigned int word;

	if (record->taken && record->purger == thread_token()) {
		mixed.purgers++;
	} else {
		mark_pages_locked(record, record->taken, false);
		record->taken = 0;
	}
	/* A start without its object would end the next one that lies there. */
	for (word = 0; word < ARRAY_SIZE(record->starts); word++)
		record->starts[word] &= record->used[word];
	record->nr_free = GRANULES - bitmap_count_range(record->used, 0,
							GRANULES);
	record->bound = record->nr_free;
	record->bucket = 0;
	list_init(&record->node);
	mixed.free = free_before + record->nr_free;
	registry_set_class(record->slab->base, 1, CLASS_MIXED);
	enlist_locked(record);
}

void mixed_fork_child(void)
{
	struct superslab *superslab;
	size_t index = 0;
	unsigned int i;

	meta_pool_fork_child(&record_pool);
	if (lock_owned(&mixed.lock) ||
	    !(lock_orphaned(&mixed.lock) || mixed.purgers))
		return;
	mixed.purgers = 0;
	for (i = 0; i < NR_BUCKETS; i++)
		list_init(&mixed.buckets[i]);
	mixed.free = 0;
	while ((superslab = registry_next_superslab(&index)))
		for (i = 0; i < SUPERSLAB_SLABS; i++)
			if (superslab->slabs[i].class == CLASS_MIXED)
				repair_record(superslab->slabs[i].mixed);
	lock_reset(&mixed.lock);
}
