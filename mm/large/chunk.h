/* SPDX-License-Identifier: MIT */
/*
 * Chunks: superslabs that are cut into runs of pages.
 */
#ifndef HAKMEM_MM_LARGE_CHUNK_H
#define HAKMEM_MM_LARGE_CHUNK_H

#include "lib/bitmap.h"
#include "lib/list.h"
#include "mm/superslab.h"
#include "mm/vm.h"

/* Pages of a superslab where pages are smallest. */
#define CHUNK_PAGES_MAX	(SUPERSLAB_SIZE / 4096)

/**
 * struct chunk - a superslab cut into runs
 * @node: in the bucket of @bound, or in none while no page is free
 * @superslab: its memory
 * @nr_free: pages in no run
 * @bound: no free run is longer than this
 * @bucket: where @node is, from 1; 0 in none
 * @nr_dirty: free pages that were touched
 * @purger: token of the thread that purges pages of it, which must stay; or 0
 * @purged: the pages that it has taken out
 * @length: pages of the run that begins here, 0 if none does; written last
 *	when a run comes to be and first when it goes
 * @used: pages in a run
 * @dirty: pages that may hold data
 */
struct chunk {
	struct list_head node;
	struct superslab *superslab;
	unsigned int nr_free;
	unsigned int bound;
	unsigned int bucket;
	unsigned int nr_dirty;
	uintptr_t purger;
	const uint64_t *purged;
	uint16_t length[CHUNK_PAGES_MAX];
	uint64_t used[BITMAP_WORDS(CHUNK_PAGES_MAX)];
	uint64_t dirty[BITMAP_WORDS(CHUNK_PAGES_MAX)];
};

static inline unsigned int chunk_pages(void)
{
	return (unsigned int)(SUPERSLAB_SIZE / vm_page_size());
}

/**
 * chunk_fit() - Find free pages in a row.
 * @chunk: where to look; learns its @bound when there are none
 * @n: pages, at least 1
 * @step: the first is to be a multiple of this power of two
 *
 * Return: the first page, or chunk_pages() if they are not there.
 */
unsigned int chunk_fit(struct chunk *chunk, unsigned int n,
		       unsigned int step);

/* Return: free pages in a row around a free one. */
unsigned int chunk_free_around(const struct chunk *chunk, unsigned int page);

/* Which units of a chunk with no run in it may hold data. */
uint32_t chunk_dirty_units(const struct chunk *chunk);

#endif /* HAKMEM_MM_LARGE_CHUNK_H */
