// SPDX-License-Identifier: MIT
/*
 * Requests that are due, out of the way of all others: the hot path stays
 * without a frame.
 */
#include "mm/block.h"

void *block_alloc_due(size_t align, size_t size, enum block_kind kind)
{
	void *obj = kfence_alloc(align, size);

	if (obj)
		return obj;
	if (align == 1)
		return block_alloc_unsampled(size, kind);
	return block_alloc_aligned_unsampled(align, size, kind);
}
