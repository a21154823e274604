// SPDX-License-Identifier: MIT
/*
 * Mixed slabs: see include/mm/mixed.h.
 *
 * Lock order: a pool's lock, then mixed.lock, when a slab changes hands; else
 * mixed.lock alone, with nothing inside it.
 */
#include "mixed_record.h"

#include <string.h>

#include "lib/align.h"
#include "mm/meta.h"
#include "mm/registry.h"
#include "mm/report.h"

/* Slabs that a refill cuts, against a long search for little. */
#define SLABS_PER_REFILL	8

static struct meta_pool record_pool = META_POOL_INIT(struct mixed, 16);

struct mixed_slabs mixed;

/* Slabs are of one unit, so that where one begins needs no looking up. */
static struct mixed **record_of(struct superslab *superslab, const void *ptr)
{
	return &superslab->mixed[(uintptr_t)ptr % SUPERSLAB_SIZE >> SLAB_SHIFT];
}

static unsigned int granule_of(const void *ptr)
{
	return (unsigned int)((uintptr_t)ptr % SLAB_SIZE / OBJECT_ALIGN);
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

void mixed_enlist_locked(struct mixed *record)
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
	record->hint = 0;
	record->purged = 0;
	record->idle = 0;
	record->taken = 0;
	record->purger = 0;
	record->look = 0;
	record_objects(record, slab);
	record->bound = record->nr_free;
	mixed_lock();
	*record_of(slab->superslab, (void *)slab->base) = record;
	/* Release: a forked child that sees the class sees the record. */
	__atomic_store_n(&slab->class, (uint8_t)CLASS_MIXED, __ATOMIC_RELEASE);
	registry_set_class(slab->base, slab->units, CLASS_MIXED);
	mixed.free += record->nr_free;
	mixed_enlist_locked(record);
	lock_release(&mixed.lock);
}

/* Granules of new objects, whose starts are set. */
static void take_locked(struct mixed *record, unsigned int start,
			unsigned int granules)
{
	unsigned int page;
	uint16_t pages = 0;

	if (record->purged | record->idle) {
		page = start / page_granules();
		for (; page * page_granules() < start + granules; page++)
			pages |= (uint16_t)(1U << page);
		record->purged &= (uint16_t)~pages;
		record->idle &= (uint16_t)~pages;
	}
	bitmap_set_range(record->used, start, granules);
	record->nr_free -= granules;
	mixed.free -= granules;
}

/* From a run of free granules. Return: how many fitted. */
static unsigned int cut_run_locked(struct mixed *record, unsigned int start,
				   unsigned int end, unsigned int granules,
				   void **objs, unsigned int n)
{
	/* As a slab of the class aligns them. */
	unsigned int first = ALIGN_UP(start, granules & -granules);
	unsigned int at = first, taken = 0, left = end - start;

	for (; at + granules <= end && taken < n; at += granules) {
		bitmap_set(record->starts, at);
		objs[taken++] = (void *)(record->slab->base +
					 at * OBJECT_ALIGN);
	}
	if (taken) {
		take_locked(record, first, at - first);
		left = max(first - start, end - at);
	}
	record->bound = max(record->bound, left);
	return taken;
}

/* From the runs that begin at @start or after it and before @stop. */
static unsigned int cut_runs_locked(struct mixed *record, unsigned int start,
				    unsigned int stop, unsigned int granules,
				    void **objs, unsigned int n)
{
	unsigned int end, taken = 0;

	start = bitmap_next(record->used, start, GRANULES, false);
	while (start < stop && taken < n) {
		end = bitmap_next(record->used, start, GRANULES, true);
		taken += cut_run_locked(record, start, end, granules,
					objs + taken, n - taken);
		start = bitmap_next(record->used, end, GRANULES, false);
	}
	return taken;
}

/* Lowest first; having passed all runs by, it knows the longest. */
static unsigned int cut_locked(struct mixed *record, unsigned int granules,
			       void **objs, unsigned int n)
{
	unsigned int bound = record->bound, hint = record->hint;
	unsigned int taken;

	record->bound = 0;
	taken = cut_runs_locked(record, hint, GRANULES, granules, objs, n);
	if (taken < n && hint)
		taken += cut_runs_locked(record, 0, hint, granules,
					 objs + taken, n - taken);
	record->hint = 0;
	if (taken == n) {
		record->bound = bound;
		record->hint = granule_of(objs[n - 1]) + granules;
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
		mixed_enlist_locked(record);
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
	mixed_lock();
	taken = refill_locked(granules, objs, n);
	lock_release(&mixed.lock);
	return taken;
}

/* As it was before, without objects. */
void mixed_put_slab(struct mixed *record)
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

	/* Gone meanwhile: only a pointer freed twice can see that. */
	if (!superslab || registry_class(ptr) != CLASS_MIXED)
		return FAULT_FREE;
	*record = *record_of(superslab, ptr);
	*start = granule_of(ptr);
	if (!bitmap_test((*record)->used, *start) ||
	    ((*record)->taken &&
	     (*record)->taken >> *start / page_granules() & 1))
		return FAULT_FREE;
	if ((uintptr_t)ptr % OBJECT_ALIGN ||
	    !bitmap_test((*record)->starts, *start))
		return FAULT_INTERIOR;
	return NULL;
}

/* Granules of the object that begins at @start: to the next, or a free one. */
static unsigned int length_locked(const struct mixed *record,
				  unsigned int start)
{
	unsigned int word = start / BITMAP_WORD_BITS, length;
	uint64_t stop = ~record->used[word] | record->starts[word];

	stop = stop >> (start % BITMAP_WORD_BITS) >> 1;
	if (stop)
		return (unsigned int)__builtin_ctzll(stop) + 1;
	length = BITMAP_WORD_BITS - start % BITMAP_WORD_BITS;
	while (start + length < GRANULES) {
		word++;
		stop = ~record->used[word] | record->starts[word];
		if (stop)
			return length + (unsigned int)__builtin_ctzll(stop);
		length += BITMAP_WORD_BITS;
	}
	return length;
}

static void clear_locked(struct mixed *record, unsigned int start,
			 unsigned int granules)
{
	unsigned int end = start + granules;

	bitmap_clear_range(record->used, start, granules);
	bitmap_clear_range(record->starts, start, 1);
	record->nr_free += granules;
	mixed.free += granules;
	start = bitmap_prev_end(record->used, start);
	record->hint = min(record->hint, start);
	granules = bitmap_next(record->used, end, GRANULES, true) - start;
	if (granules > record->bound) {
		record->bound = granules;
		mixed_enlist_locked(record);
	}
}

bool mixed_unlist_empty_locked(struct mixed *record)
{
	if (record->nr_free != GRANULES)
		return false;
	list_del(&record->node);
	mixed.free -= record->nr_free;
	return true;
}

/*
 * The record around an address, which is nobody's business to say without the
 * lock unless an object is there: NULL, or any record that ever was.
 */
static struct mixed *record_around(const void *ptr)
{
	struct superslab *superslab = registry_superslab(ptr);

	return likely(superslab) ? UNSEEN(*record_of(superslab, ptr)) : NULL;
}

bool mixed_is_start(const void *ptr)
{
	unsigned int granule = granule_of(ptr);
	struct mixed *record = record_around(ptr);

	if (unlikely(!record || (uintptr_t)ptr % OBJECT_ALIGN))
		return false;
	__builtin_prefetch(&record->used[granule / BITMAP_WORD_BITS], 1);
	return bitmap_test(record->starts, granule);
}

/* Return: what is wrong; *@empty is its slab's record if no object is left. */
static const char *give_locked(const void *obj, struct mixed **empty)
{
	unsigned int start, granules;
	struct mixed *record;
	const char *fault;

	fault = find_locked(obj, &record, &start);
	if (unlikely(fault))
		return fault;
	granules = length_locked(record, start);
	mixed.given[size_class(granules * OBJECT_ALIGN)]++;
	clear_locked(record, start, granules);
	if (mixed_unlist_empty_locked(record))
		*empty = record;
	return NULL;
}

unsigned int mixed_give(void *const *objs, unsigned int n, const char **fault)
{
	struct mixed *empty = NULL;
	unsigned int given = 0;

	*fault = NULL;
	while (given < n && !*fault) {
		mixed_lock();
		while (given < n && !empty) {
			*fault = give_locked(objs[given], &empty);
			if (unlikely(*fault))
				break;
			given++;
		}
		lock_release(&mixed.lock);
		if (empty)
			mixed_put_slab(empty);
		empty = NULL;
	}
	return given;
}

size_t mixed_given(unsigned int class)
{
	return READ_ONCE(mixed.given[class]);
}

size_t mixed_usable(const void *ptr, const char **fault)
{
	struct mixed *record;
	unsigned int start;
	size_t size = 0;

	mixed_lock();
	*fault = find_locked(ptr, &record, &start);
	if (!*fault)
		size = length_locked(record, start) * OBJECT_ALIGN;
	lock_release(&mixed.lock);
	return size;
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
		mixed_mark_pages_locked(record, record->taken, false);
		record->taken = 0;
	}
	/* A start without its object would end the next one that lies there. */
	for (word = 0; word < ARRAY_SIZE(record->starts); word++)
		record->starts[word] &= record->used[word];
	record->nr_free = GRANULES - bitmap_count_range(record->used, 0,
							GRANULES);
	record->bound = record->nr_free;
	record->hint = 0;
	record->bucket = 0;
	list_init(&record->node);
	mixed.free = free_before + record->nr_free;
	registry_set_class(record->slab->base, 1, CLASS_MIXED);
	mixed_enlist_locked(record);
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
				repair_record(superslab->mixed[i]);
	lock_reset(&mixed.lock);
}
