// SPDX-License-Identifier: MIT
/*
 * Chunks: see chunk.h.
 */
#include "chunk.h"

#include "lib/align.h"

/* Short runs are all over a chunk: look at 64 pages at a time. */
static unsigned int fit_in_word(const struct chunk *chunk, unsigned int n)
{
	unsigned int pages = chunk_pages();
	unsigned int page;
	uint64_t starts;

	for (page = 0; page < pages; page += 64) {
		starts = bits_run_starts(~chunk->used[page / 64] &
				    bitmap_word_mask(page / 64, 0, pages), n);
		if (starts)
			return page + (unsigned int)__builtin_ctzll(starts);
	}
	return pages;
}

/* The lowest run that is long enough; learns the longest on the way. */
static unsigned int fit_slowly(struct chunk *chunk, unsigned int n,
			       unsigned int step)
{
	unsigned int pages = chunk_pages();
	unsigned int start, end, aligned;
	unsigned int longest = 0;

	for (start = bitmap_next(chunk->used, 0, pages, false); start < pages;
	     start = bitmap_next(chunk->used, end, pages, false)) {
		end = bitmap_next(chunk->used, start, pages, true);
		aligned = ALIGN_UP(start, step);
		if (aligned < end && end - aligned >= n)
			return aligned;
		longest = max(longest, end - start);
	}
	chunk->bound = longest;
	return pages;
}

unsigned int chunk_fit(struct chunk *chunk, unsigned int n,
		       unsigned int step)
{
	unsigned int page = chunk_pages();

	if (step == 1 && n <= 64)
		page = fit_in_word(chunk, n);
	return page < chunk_pages() ? page : fit_slowly(chunk, n, step);
}

unsigned int chunk_free_around(const struct chunk *chunk, unsigned int page)
{
	return bitmap_next(chunk->used, page, chunk_pages(), true) -
	       bitmap_prev_end(chunk->used, page);
}

uint32_t chunk_dirty_units(const struct chunk *chunk)
{
	unsigned int pages = (unsigned int)(SLAB_SIZE / vm_page_size());
	uint32_t units = 0;
	unsigned int i;

	for (i = 0; i < SUPERSLAB_SLABS; i++)
		if (bitmap_count_range(chunk->dirty, i * pages, pages))
			units |= unit_mask(i, 1);
	return units;
}
