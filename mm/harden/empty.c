// SPDX-License-Identifier: MIT
/*
 * Blocks without a byte: addresses 16 bytes apart in a range of pages that
 * cannot be touched, a bit for each. They are handed out in turn, so that one
 * that was freed is not soon another's.
 */
#include "lib/align.h"
#include "mm/report.h"
#include "mm/vm.h"
#include "private.h"

#define EMPTY_BYTES	((size_t)256 << 10)
#define EMPTY_BLOCKS	(EMPTY_BYTES / OBJECT_ALIGN)
#define EMPTY_WORDS	(EMPTY_BLOCKS / 64)

static uintptr_t base;
static uint64_t used[EMPTY_WORDS];
static unsigned int turn;

/* Of two threads that come first, one mapping stays. */
static uintptr_t get_base(void)
{
	uintptr_t expected = 0;
	uintptr_t start = READ_ONCE(base);
	void *range;

	if (start)
		return start;
	range = vm_reserve(EMPTY_BYTES);
	if (!range)
		return 0;
	if (!vm_deny(range, EMPTY_BYTES)) {
		vm_unmap(range, EMPTY_BYTES);
		return 0;
	}
	if (__atomic_compare_exchange_n(&base, &expected, (uintptr_t)range,
					false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		return (uintptr_t)range;
	vm_unmap(range, EMPTY_BYTES);
	return expected;
}

void *empty_alloc(void)
{
	uintptr_t start = get_base();
	unsigned int tries, index;
	uint64_t bit;

	for (tries = 0; start && tries < EMPTY_BLOCKS; tries++) {
		index = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) %
			EMPTY_BLOCKS;
		bit = (uint64_t)1 << index % 64;
		if (!(__atomic_fetch_or(&used[index / 64], bit,
					__ATOMIC_RELAXED) & bit))
			return (void *)(start + index * OBJECT_ALIGN);
	}
	return NULL;
}

bool empty_owns(const void *ptr)
{
	uintptr_t start = READ_ONCE(base);

	return start && (uintptr_t)ptr - start < EMPTY_BYTES;
}

const char *empty_fault(const void *ptr)
{
	uintptr_t offset = (uintptr_t)ptr - READ_ONCE(base);
	size_t index = offset / OBJECT_ALIGN;

	if (offset % OBJECT_ALIGN)
		return FAULT_INTERIOR;
	return READ_ONCE(used[index / 64]) >> index % 64 & 1 ? NULL :
							       FAULT_FREE;
}

const char *empty_free(void *ptr)
{
	size_t index = ((uintptr_t)ptr - READ_ONCE(base)) / OBJECT_ALIGN;
	uint64_t bit = (uint64_t)1 << index % 64;
	const char *fault = empty_fault(ptr);

	if (fault)
		return fault;
	return __atomic_fetch_and(&used[index / 64], ~bit, __ATOMIC_RELAXED) &
	       bit ? NULL : FAULT_FREE;
}
