/* SPDX-License-Identifier: MIT */
/*
 * Sampled blocks, as the cases need them.
 */
#ifndef SELFTESTS_SAMPLED_H
#define SELFTESTS_SAMPLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/kfence.h"

/* All that can be had without a block in use too much. */
#define OBJECTS		CONFIG_HAKMEM_KFENCE_OBJECTS

/* The suites' init(): as many as may be, whatever the runner was given. */
int sample_every_request(struct kunit *test);

/* Where in its page a block begins. */
static inline uintptr_t page_offset(const void *p)
{
	return (uintptr_t)p & ((uintptr_t)getpagesize() - 1);
}

/* A request, until it is sampled: the pool gives one in a millisecond. */
void *sampled(size_t align, size_t size);

/* The same, until it lies at that side of its page. */
void *sampled_at(size_t size, bool at_end);

#endif /* SELFTESTS_SAMPLED_H */
