/* SPDX-License-Identifier: MIT */
/*
 * Trailers: the last word of each slot, and what lies in front of it.
 *
 *	| the block | pad | zeros | trailer |
 *
 * The trailer is one of three: 0 in a slot that was never used since its
 * memory came from the kernel, a word for a block in use, and one for a block
 * that rests in quarantine or waits for reuse. Both are made of a secret, the
 * trailer's address and, in the middle, the block's kind and the bytes from
 * its end to the trailer; so that a byte too far from either side is noticed.
 * The pad is 8 bytes, less where the trailer follows sooner: a block is known
 * to the byte.
 *
 * A freed slot is zero up to the trailer, or a large one in parts.
 */
#ifndef HAKMEM_MM_HARDEN_TRAILER_H
#define HAKMEM_MM_HARDEN_TRAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/align.h"
#include "lib/compiler.h"
#include "mm/block.h"
#include "mm/sizes.h"

#define TRAILER_BYTES	sizeof(uint64_t)
#define ZERO_MAX	((size_t)CONFIG_HAKMEM_HARDEN_ZERO_MAX)

#define PAYLOAD_SHIFT	16
#define SLACK_BITS	30
#define SLACK_MAX	(((uint64_t)1 << SLACK_BITS) - 1)
#define PAYLOAD_MASK	((uint64_t)UINT32_MAX << PAYLOAD_SHIFT)

/* What is wrong with a block, as the report says it. */
#define FAULT_OVERFLOW	"written behind its end"
#define FAULT_UNDERFLOW	"written in front of it"
#define FAULT_WRITTEN	"written after free"
#define FAULT_SIZE	"not the size it has"
#define FAULT_KIND	"of another kind of allocation"

/* Set in the word of a block in use, clear in that of a freed one. */
#define TRAILER_LIVE	((uint64_t)1)

/**
 * struct secrets - drawn at the start
 * @live: with TRAILER_LIVE; no byte of it is a usual one
 * @pad: behind a block
 */
struct secrets {
	uint64_t live;
	uint64_t pad;
};

extern struct secrets secrets __hidden;

/* Bytes of the slots of a class. */
extern const uint32_t slot_sizes[NR_CLASSES] __hidden;

/* Sixteen bytes at a time, at any address of eight. */
typedef uint64_t pair __attribute__((__vector_size__(16), __aligned__(8),
				     __may_alias__));

static __always_inline uint64_t load_word(const void *at)
{
	uint64_t word;

	__builtin_memcpy(&word, at, sizeof(word));
	return word;
}

static __always_inline void store_word(void *at, uint64_t word)
{
	__builtin_memcpy(at, &word, sizeof(word));
}

static __always_inline uint64_t *trailer_of(const void *obj, size_t slot)
{
	return (uint64_t *)((uintptr_t)obj + slot - TRAILER_BYTES);
}

/* An address in a word, but for the byte that an overflow meets first. */
static __always_inline uint64_t place_of(const uint64_t *trailer)
{
	return (uint64_t)(uintptr_t)trailer << 8;
}

static __always_inline uint64_t trailer_live(const uint64_t *trailer,
					     size_t slack,
					     enum block_kind kind)
{
	uint64_t payload = (uint64_t)kind << SLACK_BITS | slack;

	return secrets.live ^ place_of(trailer) ^ payload << PAYLOAD_SHIFT;
}

/* Of a live one, the freed one. */
static __always_inline uint64_t trailer_freed(uint64_t live)
{
	return live ^ TRAILER_LIVE;
}

/*
 * What a trailer was found to hold, as one of a block in use, or of a freed
 * one: if it is, all that is not payload is 0.
 */
static __always_inline uint64_t decode_live(const uint64_t *trailer,
					    uint64_t word)
{
	return word ^ secrets.live ^ place_of(trailer);
}

static __always_inline uint64_t decode_freed(const uint64_t *trailer,
					     uint64_t word)
{
	return decode_live(trailer, word) ^ TRAILER_LIVE;
}

static __always_inline size_t decoded_slack(uint64_t decoded)
{
	return decoded >> PAYLOAD_SHIFT & SLACK_MAX;
}

static __always_inline enum block_kind decoded_kind(uint64_t decoded)
{
	return (enum block_kind)(decoded >> (PAYLOAD_SHIFT + SLACK_BITS) & 3);
}

static __always_inline bool pads(void)
{
	return IS_ENABLED(CONFIG_HAKMEM_HARDEN_CANARY);
}

static __always_inline bool zeroes(void)
{
	return IS_ENABLED(CONFIG_HAKMEM_HARDEN_ZERO);
}

/*
 * Is it one of the three, whatever the payload? None of them is usual, and
 * another thread may be changing one to the other.
 */
static __always_inline bool trailer_is_whole(const uint64_t *trailer)
{
	uint64_t word = READ_ONCE(*trailer);

	return likely(!(decode_live(trailer, word) &
			~(PAYLOAD_MASK | TRAILER_LIVE))) || !word;
}

/*
 * The zeros of a freed block: a chunk each at its start, in the middle and at
 * its end with the pad, and of large ones ZERO_MAX bytes from the start on.
 * Small slots are zero as a whole. Slots come in any order, so the processor
 * would guess a loop's end wrong: chunks, and pairs, overlap instead.
 */
#define CHUNK		((size_t)64)
#define CHUNKS_MAX	(3 * CHUNK - 8)	/* bytes that they leave no gap in */
#define SMALL_SLOT_MAX	(CHUNKS_MAX + TRAILER_BYTES)

static __always_inline bool is_small(size_t slot)
{
	return slot <= SMALL_SLOT_MAX;
}

static __always_inline pair *pairs_at(const void *at)
{
	return (pair *)(uintptr_t)at;
}

static __always_inline pair chunk_bits(const char *at)
{
	const pair *pairs = pairs_at(at);

	return (pairs[0] | pairs[1]) | (pairs[2] | pairs[3]);
}

static __always_inline void clear_chunk(char *at)
{
	const pair zero = { 0, 0 };
	pair *pairs = pairs_at(at);

	pairs[0] = zero;
	pairs[1] = zero;
	pairs[2] = zero;
	pairs[3] = zero;
}

static __always_inline size_t middle_of(size_t size)
{
	return ALIGN_DOWN(size / 2, (size_t)8) - CHUNK / 2;
}

/* Where the inner two pairs of less than a chunk are. */
static __always_inline size_t second_pair(size_t size)
{
	return min(size - sizeof(pair), sizeof(pair));
}

static __always_inline size_t third_pair(size_t size)
{
	return max(size, 2 * sizeof(pair)) - 2 * sizeof(pair);
}

/* Is all of a small slot zero, but for the trailer? */
static __always_inline bool small_is_zero(const void *obj, size_t slot)
{
	size_t size = slot - TRAILER_BYTES;
	const char *at = obj;
	pair seen;

	if (slot > CHUNK)
		seen = chunk_bits(at) | chunk_bits(at + middle_of(size)) |
		       chunk_bits(at + size - CHUNK);
	else if (likely(slot > OBJECT_ALIGN))
		seen = *pairs_at(at) | *pairs_at(at + second_pair(size)) |
		       *pairs_at(at + third_pair(size)) |
		       *pairs_at(at + size - sizeof(pair));
	else
		return !load_word(at);
	return !(seen[0] | seen[1]);
}

static __always_inline void small_clear(void *obj, size_t slot)
{
	size_t size = slot - TRAILER_BYTES;
	const pair zero = { 0, 0 };
	char *at = obj;

	if (slot > CHUNK) {
		clear_chunk(at);
		clear_chunk(at + middle_of(size));
		clear_chunk(at + size - CHUNK);
	} else if (likely(slot > OBJECT_ALIGN)) {
		*pairs_at(at) = zero;
		*pairs_at(at + second_pair(size)) = zero;
		*pairs_at(at + third_pair(size)) = zero;
		*pairs_at(at + size - sizeof(pair)) = zero;
	} else {
		store_word(at, 0);
	}
}

/* Larger slots have no run behind the first chunk, unless it may be long. */
#define RUN_SIZE_MIN	(ZERO_MAX > 1024 ? CHUNKS_MAX : (size_t)1024)

/* Bytes of a block that are cleared: with what of its pad is no trailer. */
static __always_inline size_t cleared_size(size_t slot, size_t slack)
{
	return max(slot - TRAILER_BYTES - slack + min(slack, sizeof(uint64_t)),
		   CHUNK);
}

/* Of them, those that are cleared in turn, the first chunk included. */
static __always_inline size_t zero_run(size_t size)
{
	return size > RUN_SIZE_MIN ? min(size - CHUNK, ZERO_MAX) : 0;
}

/* @size: as cleared_size() gives it, of a slot that is not small */
static __always_inline bool block_is_zero(const void *obj, size_t size)
{
	const char *at = obj;
	pair seen;
	size_t i;

	seen = chunk_bits(at) | chunk_bits(at + middle_of(size)) |
	       chunk_bits(at + size - CHUNK);
	for (i = CHUNK; i < zero_run(size); i += CHUNK)
		seen |= chunk_bits(at + i);
	return !(seen[0] | seen[1]);
}

static __always_inline void block_clear(void *obj, size_t size)
{
	char *at = obj;
	size_t i;

	clear_chunk(at);
	clear_chunk(at + middle_of(size));
	clear_chunk(at + size - CHUNK);
	for (i = CHUNK; i < zero_run(size); i += CHUNK)
		clear_chunk(at + i);
}

/* Is all of a freed slot zero, whatever the block in it was? */
static __always_inline bool zeroes_all(size_t slot)
{
	return zeroes() && (is_small(slot) ||
			    (slot > RUN_SIZE_MIN + TRAILER_BYTES &&
			     slot <= ZERO_MAX + TRAILER_BYTES));
}

/* The pad's bytes stand at the end of their word, if some are the trailer's. */
static __always_inline unsigned int pad_half_shift(size_t slack)
{
	return (unsigned int)(4 * (8 - min(slack, (size_t)8)));
}

static __always_inline char *pad_word(const uint64_t *trailer, size_t slack)
{
	return (char *)(uintptr_t)trailer - max(slack, sizeof(uint64_t));
}

/* Nothing is written to the trailer: others look at it at any time. */
static __always_inline void pad_store(uint64_t *trailer, size_t slack)
{
	unsigned int half = pad_half_shift(slack);

	store_word(pad_word(trailer, slack), secrets.pad << half << half);
}

/* Looks at the word that was stored, which the processor may still hold. */
static __always_inline bool pad_is_whole(const uint64_t *trailer,
					 size_t slack)
{
	unsigned int half = pad_half_shift(slack);
	uint64_t word = load_word(pad_word(trailer, slack));

	return !((word ^ secrets.pad << half << half) >> half >> half);
}

#endif /* HAKMEM_MM_HARDEN_TRAILER_H */
