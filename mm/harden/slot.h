/* SPDX-License-Identifier: MIT */
/*
 * Slots: what is wrong with one, and how it goes into use and out of it. The
 * hot paths are made of these.
 */
#ifndef HAKMEM_MM_HARDEN_SLOT_H
#define HAKMEM_MM_HARDEN_SLOT_H

#include "mm/block.h"
#include "mm/report.h"
#include "private.h"
#include "trailer.h"

/*
 * Unused bytes behind the pad are zero: in slots of more than this, where they
 * are many, so many of pad and these are looked at.
 */
#define REST_SLOT_MIN	CLASS_LINEAR_MAX
#define REST_MAX	((size_t)72)

/* The rare parts of the functions below. */
bool __cold slot_before_is_whole(const void *obj);
bool end_before_is_whole(const uint64_t *trailer);
bool rest_end_is_whole(const char *end, size_t slack);

/**
 * slot_fault() - What is wrong with a block that should be in use?
 * @obj: start of a slot
 * @slot: bytes of the slot
 * @in_slab: its neighbours are slots as well
 * @size: out: bytes of the block, if nothing is wrong
 * @kind: out: of the block
 */
const char *slot_fault(const void *obj, size_t slot, bool in_slab,
		       size_t *size, enum block_kind *kind);

/* The word in front of a block is the trailer of the slot before it. */
static __always_inline bool before_is_whole(const void *obj, size_t slot)
{
	if (unlikely(IS_ALIGNED((uintptr_t)obj, SLAB_SIZE)))
		return slot_before_is_whole(obj);
	return trailer_is_whole((const uint64_t *)obj - 1) &&
	       (slot <= HOT_SIZE_MAX ||
		end_before_is_whole((const uint64_t *)obj - 1));
}

/* In front of the trailer of a large slot that is free: zeros. */
static __always_inline bool end_is_zero(const uint64_t *trailer)
{
	return !(trailer[-1] | trailer[-2] | trailer[-3]);
}

/* Whether the rest of a slot is zero while its block is in use. */
static __always_inline bool rests(size_t slot)
{
	return slot > REST_SLOT_MIN && (slot > HOT_SIZE_MAX ||
					zeroes_all(slot));
}

static __always_inline bool rest_is_whole(const char *end, size_t slack)
{
	pair seen;

	if (slack < REST_MAX)
		return slack <= sizeof(uint64_t) ||
		       rest_end_is_whole(end, slack);
	seen = chunk_bits(end + sizeof(uint64_t));
	return !(seen[0] | seen[1]);
}

static __always_inline void rest_clear(char *end, size_t slack)
{
	if (slack >= REST_MAX)
		clear_chunk(end + sizeof(uint64_t));
	else if (slack > sizeof(uint64_t))
		memset(end + sizeof(uint64_t), 0, slack - sizeof(uint64_t));
}

/* Are the bytes behind and before a block as they should be? */
static __always_inline bool surroundings_are_whole(const void *obj,
						   size_t slot, size_t slack)
{
	const uint64_t *trailer = trailer_of(obj, slot);

	if (!pads())
		return true;
	return likely(pad_is_whole(trailer, slack)) &&
	       likely(!rests(slot) ||
		      rest_is_whole((const char *)trailer - slack, slack)) &&
	       likely(before_is_whole(obj, slot));
}

static __always_inline const char *
use_fault(size_t size, size_t told, enum block_kind kind,
	  enum block_kind called)
{
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN_KIND) && unlikely(kind != called))
		return FAULT_KIND;
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN_SIZED) && told != SIZE_UNTOLD &&
	    unlikely(told != size))
		return FAULT_SIZE;
	return NULL;
}

/* Is a slot that comes back into use as it was left? */
static __always_inline bool is_unused(const void *obj, size_t slot)
{
	const uint64_t *trailer = trailer_of(obj, slot);
	uint64_t word = READ_ONCE(*trailer);
	uint64_t decoded = decode_freed(trailer, word);
	size_t slack = decoded_slack(decoded);

	if (unlikely(decoded & ~PAYLOAD_MASK)) {
		/* One that was never used since its memory was cleared. */
		if (unlikely(word))
			return false;
		slack = 0;
	}
	if (!zeroes())
		return true;
	if (is_small(slot))
		return small_is_zero(obj, slot);
	return likely(slack <= slot - TRAILER_BYTES) &&
	       block_is_zero(obj, cleared_size(slot, slack)) &&
	       (slot <= HOT_SIZE_MAX || end_is_zero(trailer));
}

static __always_inline void mark_live(void *obj, size_t slot, size_t size,
				      enum block_kind kind)
{
	uint64_t *trailer = trailer_of(obj, slot);
	size_t slack = min(slot - TRAILER_BYTES - size, (size_t)SLACK_MAX);

	if (pads())
		pad_store(trailer, slack);
	if (pads() && rests(slot) && !zeroes_all(slot))
		rest_clear((char *)trailer - slack, slack);
	WRITE_ONCE(*trailer, trailer_live(trailer, slack, kind));
}

/* @word: its trailer's, of a block in use */
static __always_inline void mark_freed(void *obj, size_t slot, uint64_t word)
{
	uint64_t *trailer = trailer_of(obj, slot);
	size_t slack = decoded_slack(decode_live(trailer, word));

	WRITE_ONCE(*trailer, trailer_freed(word));
	if (!zeroes())
		return;
	if (is_small(slot))
		small_clear(obj, slot);
	else
		block_clear(obj, cleared_size(slot, slack));
}

/* A slot of memory that may have been anything is one that never was in use. */
static inline void mark_unused(void *obj, size_t slot)
{
	WRITE_ONCE(*trailer_of(obj, slot), 0);
	block_clear(obj, slot - TRAILER_BYTES);
}

#endif /* HAKMEM_MM_HARDEN_SLOT_H */
