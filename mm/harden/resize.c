// SPDX-License-Identifier: MIT
/*
 * realloc() and malloc_usable_size() of the hardened build.
 */
#include <errno.h>
#include <string.h>

#include "mm/foreign.h"
#include "mm/registry.h"
#include "mm/route.h"
#include "slot.h"

/**
 * block_find() - The size of a block, for a function that goes on with it.
 * @ptr: not NULL; ends the program if it is no block
 * @function: of the interface, for the report
 * @kind: out: the family it is from
 * @slot: out: bytes it could have where it is, 0 if that is not for this layer
 *	to say
 * @pages: out: whether it is the large tier's
 */
static size_t block_find(void *ptr, const char *function,
			 enum block_kind *kind, size_t *slot, bool *pages)
{
	const char *fault = NULL;
	size_t size = 0;

	*slot = 0;
	*pages = false;
	*kind = BLOCK_MALLOC;
	if (kfence_owns(ptr))
		return usable_size(ptr, function, pages);
	if (empty_owns(ptr)) {
		fault = empty_fault(ptr);
	} else if (!guard_find(ptr, &size, kind, &fault)) {
		size = usable_size(ptr, function, pages);
		if (unlikely(size == USABLE_FOREIGN))
			return USABLE_FOREIGN;
		*slot = ALIGN_DOWN(size, (size_t)8);
		fault = slot_fault(ptr, *slot,
				   is_size_class(registry_class(ptr)),
				   &size, kind);
	}
	if (unlikely(fault))
		report_bad_pointer(function, ptr, fault);
	return size;
}

size_t harden_usable_size(void *ptr, const char *function)
{
	enum block_kind kind;
	size_t slot;
	bool pages;

	return block_find(ptr, function, &kind, &slot, &pages);
}

static bool fits_well(size_t size, size_t slot)
{
	return slot && size + TRAILER_BYTES <= slot && size &&
	       slot - size <= slot / 2;
}

static void resize_in_slot(void *ptr, size_t slot, size_t was, size_t size)
{
	size_t end = slot - TRAILER_BYTES;
	size_t stays = min(was, size);
	char tail[sizeof(uint64_t)];
	size_t tail_size = 0;

	/* The pad's word may begin in the block. */
	if (stays > end - sizeof(tail)) {
		tail_size = stays - (end - sizeof(tail));
		memcpy(tail, (char *)ptr + stays - tail_size, tail_size);
	}
	/* As long as it is nobody's, no check of a copy is in the way. */
	WRITE_ONCE(*trailer_of(ptr, slot), 0);
	/* The pad of the one, and what was cut off for the other. */
	memset((char *)ptr + stays, 0,
	       min(end, max(was + sizeof(uint64_t), size)) - stays);
	mark_live(ptr, slot, size, BLOCK_MALLOC);
	memcpy((char *)ptr + stays - tail_size, tail, tail_size);
}

/* By page tables; the pad's word lies behind the block, whatever its size. */
static void *resize_pages(void *ptr, size_t slot, size_t was, size_t size)
{
	uint64_t *trailer = trailer_of(ptr, slot);
	uint64_t word = *trailer;
	char *moved;
	bool pages;

	WRITE_ONCE(*trailer, 0);
	moved = route_resize_run(ptr, size + TRAILER_BYTES + sizeof(uint64_t));
	if (!moved) {
		WRITE_ONCE(*trailer, word);
		return NULL;
	}
	if (size > was)
		memset(moved + was, 0, min(size - was, sizeof(uint64_t)));
	slot = ALIGN_DOWN(usable_size(moved, "realloc", &pages), (size_t)8);
	mark_live(moved, slot, size, BLOCK_MALLOC);
	return moved;
}

static void *move(void *ptr, size_t was, size_t size)
{
	size_t ahead = size_grown(was);
	size_t room = size;
	void *moved;

	if (size > was && ahead < GUARD_MIN)
		room = max(size, ahead);
	moved = alloc_any(1, size, room, BLOCK_MALLOC, false);
	if (unlikely(!moved))
		return NULL;
	memcpy(moved, ptr, min(was, size));
	harden_free(ptr, BLOCK_MALLOC, SIZE_UNTOLD);
	return moved;
}

void *harden_realloc(void *ptr, size_t size)
{
	enum block_kind kind;
	size_t was, slot;
	void *resized;
	bool pages;

	if (!ptr)
		return harden_alloc(size, BLOCK_MALLOC);
	if (!size) {
		harden_free(ptr, BLOCK_MALLOC, SIZE_UNTOLD);
		return NULL;
	}
	if (unlikely(size > OBJECT_SIZE_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	was = block_find(ptr, "realloc", &kind, &slot, &pages);
	if (unlikely(was == USABLE_FOREIGN))
		return foreign_realloc(ptr, size);
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN_KIND) && kind != BLOCK_MALLOC)
		report_bad_pointer("realloc", ptr, FAULT_KIND);
	if (fits_well(size, slot)) {
		resize_in_slot(ptr, slot, was, size);
		return ptr;
	}
	resized = pages ? resize_pages(ptr, slot, was, size) :
			  guard_resize(ptr, size);
	return resized ? resized : move(ptr, was, size);
}
