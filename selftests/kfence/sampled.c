// SPDX-License-Identifier: MIT
/*
 * Sampled blocks: see sampled.h.
 */
#include <stdlib.h>
#include <unistd.h>

#include "sampled.h"

/* Some seconds, on a machine with much else to do. */
#define TRIES		10000

int sample_every_request(struct kunit *test)
{
	(void)test;
	return setenv("HAKMEM_KFENCE_SAMPLE", "1", 1);
}

void *sampled(size_t align, size_t size)
{
	void *p;
	int i;

	for (i = 0; i < TRIES; i++) {
		p = align > 1 ? hak_aligned_alloc(align, size) :
				hak_malloc(size);
		if (kfence_owns(p))
			return p;
		hak_free(p);
		usleep(500);
	}
	abort();
}

void *sampled_at(size_t size, bool at_end)
{
	void *p;
	int i;

	for (i = 0; i < TRIES; i++) {
		p = sampled(1, size);
		if (at_end == (page_offset(p) != 0))
			return p;
		hak_free(p);
	}
	abort();
}
