// SPDX-License-Identifier: MIT
/*
 * Page runs: see run.h.
 *
 *   run_alloc()                        run_free()
 *     take_run()                         give_back_locked()
 *       find_chunk_locked()              release_and_unlock()
 *         chunk_fit()                    shrink_to()
 *     chunk_create()  no chunk fits
 *
 * Lock order: lock, then nothing; superslabs and memory calls outside of it.
 */
#include "run.h"

#include <string.h>

#include "chunk.h"
#include "lib/align.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/meta.h"
#include "mm/reclaim.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"
#include "mm/vm.h"

#define NR_BUCKETS	10	/* by log2 of 1 to CHUNK_PAGES_MAX pages */

/* A system call for a chunk should give back this part of it at least. */
#define PURGE_DIVISOR	8

static struct meta_pool chunk_pool = META_POOL_INIT(struct chunk, 64);

static struct {
	struct lock lock;	/* guards the rest and all chunks */
	struct list_head buckets[NR_BUCKETS]; /* by log2 of bound; lazily set */
	size_t nr_chunks;
	size_t allocs, live, live_pages;
	size_t dirty_pages;	/* free ones, of all chunks */
	unsigned int purgers;	/* threads that purge a chunk */
	struct reclaim_pace pace;
} runs;

static void *page_address(const struct chunk *chunk, unsigned int page)
{
	return (void *)(chunk->superslab->base + page * vm_page_size());
}

static void buckets_init_locked(void)
{
	unsigned int i;

	if (runs.buckets[0].next)
		return;
	for (i = 0; i < NR_BUCKETS; i++)
		list_init(&runs.buckets[i]);
}

static void enlist_locked(struct chunk *chunk)
{
	unsigned int bucket;

	chunk->bound = min(chunk->bound, chunk->nr_free);
	bucket = chunk->bound ? log2_floor(chunk->bound) + 1 : 0;
	if (bucket == chunk->bucket)
		return;
	chunk->bucket = bucket;
	list_del(&chunk->node);
	if (bucket)
		list_add(&chunk->node, &runs.buckets[bucket - 1]);
}

static struct chunk *chunk_create(void)
{
	struct chunk *chunk = meta_alloc(&chunk_pool);
	size_t unit_pages = SLAB_SIZE / vm_page_size();
	unsigned int unit;

	if (!chunk)
		return NULL;
	memset(chunk, 0, sizeof(*chunk));
	list_init(&chunk->node);
	chunk->nr_free = chunk_pages();
	chunk->bound = chunk->nr_free;
	chunk->superslab = superslab_get(CLASS_RUN, chunk);
	if (!chunk->superslab) {
		meta_free(&chunk_pool, chunk);
		return NULL;
	}
	for (unit = 0; unit < SUPERSLAB_SLABS; unit++) {
		if (!(chunk->superslab->dirty_units >> unit & 1))
			continue;
		bitmap_set_range(chunk->dirty, unit * (unsigned int)unit_pages,
				 (unsigned int)unit_pages);
		chunk->nr_dirty += (unsigned int)unit_pages;
	}
	return chunk;
}

/* The fullest chunks first, so that the others may empty. */
static struct chunk *find_chunk_locked(unsigned int n, unsigned int step,
				       unsigned int *page)
{
	struct list_head *pos, *next;
	struct chunk *chunk;
	unsigned int i;

	for (i = log2_floor(n); i < NR_BUCKETS; i++) {
		for (pos = runs.buckets[i].next; pos != &runs.buckets[i];
		     pos = next) {
			next = pos->next;
			chunk = container_of(pos, struct chunk, node);
			if (chunk->bound < n)
				continue;
			*page = chunk_fit(chunk, n, step);
			if (*page < chunk_pages())
				return chunk;
			enlist_locked(chunk);
		}
	}
	return NULL;
}

/* Return: whether one of the pages may hold data. */
static bool take_locked(struct chunk *chunk, unsigned int page,
			unsigned int n)
{
	unsigned int dirty = bitmap_count_range(chunk->dirty, page, n);

	hak_assert(!bitmap_count_range(chunk->used, page, n));
	bitmap_set_range(chunk->used, page, n);
	bitmap_set_range(chunk->dirty, page, n);
	chunk->nr_free -= n;
	chunk->nr_dirty -= dirty;
	runs.dirty_pages -= dirty;
	reclaim_left(&runs.pace, runs.dirty_pages * vm_page_size());
	runs.live_pages += n;
	reclaim_got(&runs.pace, (n - dirty) * vm_page_size(),
		    (runs.live_pages + runs.dirty_pages) * vm_page_size());
	return dirty;
}

static void give_back_locked(struct chunk *chunk, unsigned int page,
			     unsigned int n)
{
	hak_assert(bitmap_count_range(chunk->used, page, n) == n);
	bitmap_clear_range(chunk->used, page, n);
	chunk->nr_free += n;
	chunk->bound = max(chunk->bound, chunk_free_around(chunk, page));
	chunk->nr_dirty += n;
	runs.dirty_pages += n;
	runs.live_pages -= n;
	enlist_locked(chunk);
}

static void forget_locked(struct chunk *chunk)
{
	list_del(&chunk->node);
	runs.nr_chunks--;
	runs.dirty_pages -= chunk->nr_dirty;
}

/* Destroy a chunk that has emptied. Called locked, returns unlocked. */
static void release_and_unlock(struct chunk *chunk)
{
	bool empty = chunk->nr_free == chunk_pages() && !chunk->purger;

	if (empty)
		forget_locked(chunk);
	lock_release(&runs.lock);
	if (!empty)
		return;
	superslab_put(chunk->superslab, chunk_dirty_units(chunk));
	meta_free(&chunk_pool, chunk);
}

static void *take_run_locked(unsigned int n, unsigned int step, bool *dirty)
{
	unsigned int page = 0;
	struct chunk *chunk = find_chunk_locked(n, step, &page);

	if (!chunk)
		return NULL;
	*dirty = take_locked(chunk, page, n);
	enlist_locked(chunk);
	/* Release: a forked child that finds the run finds its pages used. */
	__atomic_store_n(&chunk->length[page], (uint16_t)n, __ATOMIC_RELEASE);
	runs.allocs++;
	runs.live++;
	return page_address(chunk, page);
}

static void *take_run(unsigned int n, unsigned int step, bool *dirty)
{
	struct chunk *chunk;
	void *obj;

	lock_acquire(&runs.lock);
	buckets_init_locked();
	obj = take_run_locked(n, step, dirty);
	lock_release(&runs.lock);
	if (obj)
		return obj;
	chunk = chunk_create();
	if (!chunk)
		return NULL;
	lock_acquire(&runs.lock);
	runs.nr_chunks++;
	runs.dirty_pages += chunk->nr_dirty;
	enlist_locked(chunk);
	obj = take_run_locked(n, step, dirty);
	/* Another chunk may have got room meanwhile: this one is empty then. */
	release_and_unlock(chunk);
	return obj;
}

void *run_alloc(size_t size, size_t align, bool zero)
{
	size_t page = vm_page_size();
	size_t n = DIV_ROUND_UP(max(size, (size_t)1), page);
	size_t step = max(align / page, (size_t)1);
	bool dirty = false;
	void *obj;

	obj = take_run((unsigned int)n, (unsigned int)step, &dirty);
	if (obj && zero && dirty)
		memset(obj, 0, size);
	return obj;
}

/* Find the run that begins at @ptr. Return: what is wrong, NULL if nothing. */
static const char *find_run(const void *ptr, struct chunk **chunk,
			    unsigned int *page)
{
	struct superslab *superslab = registry_superslab(ptr);
	uintptr_t offset;

	/* Gone meanwhile: only a pointer freed twice can see that. */
	if (!superslab || !superslab->owner_data)
		return FAULT_FREE;
	offset = (uintptr_t)ptr - superslab->base;
	*chunk = superslab->owner_data;
	*page = (unsigned int)(offset / vm_page_size());
	if (*page * vm_page_size() == offset && (*chunk)->length[*page])
		return NULL;
	return bitmap_test((*chunk)->used, *page) ? FAULT_INTERIOR :
						    FAULT_FREE;
}

/*
 * Take the free touched pages out, so that nobody gets them while they are
 * purged. Until the next call of put_back_locked(), they count as used.
 */
static void take_out_locked(struct chunk *chunk, uint64_t *taken)
{
	unsigned int word;

	for (word = 0; word < BITMAP_WORDS(CHUNK_PAGES_MAX); word++) {
		taken[word] = chunk->dirty[word] & ~chunk->used[word];
		chunk->used[word] |= taken[word];
	}
	chunk->purged = taken;
	WRITE_ONCE(chunk->purger, thread_token());
	runs.purgers++;
	chunk->nr_free -= chunk->nr_dirty;
	runs.dirty_pages -= chunk->nr_dirty;
	reclaim_gave(&runs.pace, chunk->nr_dirty * vm_page_size());
	chunk->nr_dirty = 0;
	enlist_locked(chunk);
}

static void put_back_locked(struct chunk *chunk, const uint64_t *taken,
			    bool purged)
{
	unsigned int word, n = 0;

	for (word = 0; word < BITMAP_WORDS(CHUNK_PAGES_MAX); word++) {
		chunk->used[word] &= ~taken[word];
		if (purged)
			chunk->dirty[word] &= ~taken[word];
		n += bit_count(taken[word]);
	}
	chunk->nr_free += n;
	if (!purged) {
		chunk->nr_dirty += n;
		runs.dirty_pages += n;
	}
	chunk->bound = chunk->nr_free;
	chunk->purger = 0;
	runs.purgers--;
	enlist_locked(chunk);
}

/* A chunk with that many touched free pages; those with most room first. */
static struct chunk *find_dirty_locked(unsigned int pages)
{
	struct list_head *pos;
	struct chunk *chunk;
	unsigned int i;

	for (i = NR_BUCKETS; i-- > 0;) {
		list_for_each(pos, &runs.buckets[i]) {
			chunk = container_of(pos, struct chunk, node);
			if (!chunk->purger && chunk->nr_dirty >= pages)
				return chunk;
		}
	}
	return NULL;
}

/* Called locked, returns unlocked. Return: whether the kernel took them. */
static bool purge_and_unlock(struct chunk *chunk)
{
	uint64_t taken[BITMAP_WORDS(CHUNK_PAGES_MAX)];
	unsigned int pages = chunk_pages();
	unsigned int start, end;
	bool purged = true;

	take_out_locked(chunk, taken);
	lock_release(&runs.lock);
	for (start = bitmap_next(taken, 0, pages, true);
	     start < pages && purged;
	     start = bitmap_next(taken, end, pages, true)) {
		end = bitmap_next(taken, start, pages, false);
		purged = vm_purge(page_address(chunk, start),
				  (end - start) * vm_page_size());
	}
	lock_acquire(&runs.lock);
	put_back_locked(chunk, taken, purged);
	release_and_unlock(chunk);
	return purged;
}

/*
 * Purge until at most @keep touched free pages are left, from chunks with at
 * least @least of them. Return: pages purged.
 */
static size_t shrink_to(size_t keep, unsigned int least)
{
	struct chunk *chunk;
	size_t purged = 0;
	unsigned int n;

	for (;;) {
		lock_acquire(&runs.lock);
		chunk = runs.dirty_pages > keep ? find_dirty_locked(least) :
						  NULL;
		if (!chunk)
			break;
		n = chunk->nr_dirty;
		if (!purge_and_unlock(chunk))
			return purged;
		purged += n;
	}
	lock_release(&runs.lock);
	return purged;
}

const char *run_free(void *ptr)
{
	const char *fault;
	struct chunk *chunk;
	unsigned int page, n;
	size_t keep;
	bool due;

	lock_acquire(&runs.lock);
	fault = find_run(ptr, &chunk, &page);
	if (fault) {
		lock_release(&runs.lock);
		return fault;
	}
	n = chunk->length[page];
	WRITE_ONCE(chunk->length[page], 0);
	give_back_locked(chunk, page, n);
	runs.live--;
	due = reclaim_due(&runs.pace, runs.dirty_pages * vm_page_size(),
			  runs.live_pages * vm_page_size(), &keep);
	release_and_unlock(chunk);
	if (unlikely(due))
		shrink_to(keep / vm_page_size(),
			  chunk_pages() / PURGE_DIVISOR);
	return NULL;
}

size_t run_reclaim(void)
{
	return shrink_to(0, 1) * vm_page_size();
}

void run_expire(void)
{
	size_t keep;
	bool due;

	lock_acquire(&runs.lock);
	due = reclaim_expire(&runs.pace, runs.dirty_pages * vm_page_size(),
			     runs.live_pages * vm_page_size(), &keep);
	lock_release(&runs.lock);
	if (due)
		shrink_to(keep / vm_page_size(), 1);
}

unsigned int run_pages(const void *ptr)
{
	struct chunk *chunk;
	unsigned int page;

	return find_run(ptr, &chunk, &page) ? 0 :
	       READ_ONCE(chunk->length[page]);
}

size_t run_usable(const void *ptr, const char **fault)
{
	struct chunk *chunk;
	unsigned int page;
	size_t size = 0;

	lock_acquire(&runs.lock);
	*fault = find_run(ptr, &chunk, &page);
	if (!*fault)
		size = chunk->length[page] * vm_page_size();
	lock_release(&runs.lock);
	return size;
}

/* Resize to @n pages. Return: false when a neighbour is in the way. */
static bool resize_locked(struct chunk *chunk, unsigned int page,
			  unsigned int n)
{
	unsigned int have = chunk->length[page];
	unsigned int end = page + n;

	if (n <= have) {
		WRITE_ONCE(chunk->length[page], (uint16_t)n);
		if (n < have)
			give_back_locked(chunk, end, have - n);
		return true;
	}
	if (end > chunk_pages() ||
	    bitmap_next(chunk->used, page + have, end, true) != end)
		return false;
	take_locked(chunk, page + have, n - have);
	enlist_locked(chunk);
	WRITE_ONCE(chunk->length[page], (uint16_t)n);
	return true;
}

bool run_resize(void *ptr, size_t size)
{
	size_t n = DIV_ROUND_UP(max(size, (size_t)1), vm_page_size());
	struct chunk *chunk;
	unsigned int page;
	bool done = false;

	if (size >= MAPPING_MIN_SIZE)
		return false;
	lock_acquire(&runs.lock);
	if (!find_run(ptr, &chunk, &page))
		done = resize_locked(chunk, page, (unsigned int)n);
	lock_release(&runs.lock);
	return done;
}

/* Below a signal handler: the pages that this thread itself has taken out. */
static void keep_taken(struct chunk *chunk)
{
	unsigned int word;

	for (word = 0; word < BITMAP_WORDS(CHUNK_PAGES_MAX); word++)
		chunk->used[word] |= chunk->purged[word];
	chunk->nr_free -= bitmap_count_range(chunk->purged, 0, chunk_pages());
	runs.purgers++;
}

/* The lengths are true at any time: everything else follows from them. */
static void repair_chunk(struct superslab *superslab)
{
	struct chunk *chunk = superslab->owner_data;
	unsigned int pages = chunk_pages();
	unsigned int page;

	/* Its thread may have been between the record and the registry. */
	chunk->superslab = superslab;
	registry_set_class(superslab->base, SUPERSLAB_SLABS, CLASS_RUN);
	memset(chunk->used, 0, sizeof(chunk->used));
	memset(chunk->dirty, 0xff, sizeof(chunk->dirty));
	chunk->nr_free = pages;
	for (page = 0; page < pages; page++) {
		if (!chunk->length[page])
			continue;
		bitmap_set_range(chunk->used, page, chunk->length[page]);
		chunk->nr_free -= chunk->length[page];
		runs.live_pages += chunk->length[page];
		runs.live++;
	}
	if (chunk->purger == thread_token())
		keep_taken(chunk);
	else
		chunk->purger = 0;
	chunk->nr_dirty = chunk->nr_free;
	chunk->bound = chunk->nr_free;
	chunk->bucket = 0;
	runs.dirty_pages += chunk->nr_dirty;
	runs.nr_chunks++;
	list_init(&chunk->node);
	enlist_locked(chunk);
}

static void repair_runs(void)
{
	struct superslab *superslab;
	size_t index = 0;

	memset(runs.buckets, 0, sizeof(runs.buckets));
	buckets_init_locked();
	runs.nr_chunks = 0;
	runs.live = 0;
	runs.live_pages = 0;
	runs.dirty_pages = 0;
	runs.purgers = 0;
	while ((superslab = registry_next_superslab(&index))) {
		if (superslab->owner_data)
			repair_chunk(superslab);
	}
}

/* Is this thread in the middle of a purge, below a signal handler? */
static bool purging_myself(void)
{
	struct superslab *superslab;
	struct chunk *chunk;
	size_t index = 0;

	while ((superslab = registry_next_superslab(&index))) {
		chunk = superslab->owner_data;
		if (chunk && chunk->purger == thread_token())
			return true;
	}
	return false;
}

void run_fork_child(void)
{
	meta_pool_fork_child(&chunk_pool);
	if (lock_owned(&runs.lock))
		return;
	if (lock_orphaned(&runs.lock)) {
		repair_runs();
		lock_reset(&runs.lock);
	} else if (runs.purgers && !purging_myself()) {
		repair_runs();
	}
}

void run_stats(struct large_stats *stats)
{
	lock_acquire(&runs.lock);
	stats->run_allocs = runs.allocs;
	stats->runs = runs.live;
	stats->run_bytes = runs.live_pages * vm_page_size();
	stats->run_superslabs = runs.nr_chunks;
	lock_release(&runs.lock);
}
