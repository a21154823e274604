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

/**
 * struct secrets - drawn at the start
 * @live: bit 0 set
 * @freed: bit 0 clear, so that none is the other; neither is ever 0
 * @pad: behind a block
 */
struct secrets {
	uint64_t live;
	uint64_t freed;
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
	return live ^ secrets.live ^ secrets.freed;
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
	return word ^ secrets.freed ^ place_of(trailer);
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
	int live = !(decode_live(trailer, word) & ~PAYLOAD_MASK);
	int freed = !(decode_freed(trailer, word) & ~PAYLOAD_MASK);

	return live | freed | (int)!word;
}

/*
 * The zeros of a freed block: a chunk each at its start, in the middle and at
 * its end with the pad, and of large ones ZERO_MAX bytes from the start on.
 * Slots come in any order, so the processor would guess a loop's end wrong: the
 * chunks overlap instead, and of small slots cover all.
 */
#define CHUNK		((size_t)64)
#define CHUNK_WORDS	(CHUNK / sizeof(uint64_t))
#define CHUNKS_MAX	(3 * CHUNK - 8)	/* so much they cover, whole or not */

static __always_inline pair chunk_bits(const char *at)
{
	const pair *pairs = (const pair *)(const void *)at;

	return (pairs[0] | pairs[1]) | (pairs[2] | pairs[3]);
}

static __always_inline void clear_chunk(char *at)
{
	const pair zero = { 0, 0 };
	pair *pairs = (pair *)(void *)at;

	pairs[0] = zero;
	pairs[1] = zero;
	pairs[2] = zero;
	pairs[3] = zero;
}

/* Bytes of a block that are cleared: with what of its pad is no trailer. */
static __always_inline size_t cleared_size(size_t slot, size_t slack)
{
	return slot - TRAILER_BYTES - slack + min(slack, sizeof(uint64_t));
}

/* Small slots have no run behind the first chunk, unless it may be long. */
#define RUN_SIZE_MIN	(ZERO_MAX > 1024 ? CHUNKS_MAX : (size_t)1024)

/* Bytes of a slot that are cleared in turn, the first chunk included. */
static __always_inline size_t zero_run(size_t size)
{
	return size > RUN_SIZE_MIN ? min(size - CHUNK, ZERO_MAX) : 0;
}

static __always_inline size_t middle_of(size_t size)
{
	return ALIGN_DOWN(size / 2, (size_t)8) - CHUNK / 2;
}

/* @size: as cleared_size() gives it */
static __always_inline bool block_is_zero(const void *obj, size_t size)
{
	const char *at = obj;
	uint64_t words = 0;
	pair seen;
	size_t i;

	if (size < CHUNK) {
#pragma GCC unroll 8
		for (i = 0; i < CHUNK_WORDS; i++)
			words |= load_word(at + min(i * 8, size - 8));
		return !words;
	}
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

	if (size < CHUNK) {
#pragma GCC unroll 8
		for (i = 0; i < CHUNK_WORDS; i++)
			store_word(at + min(i * 8, size - 8), 0);
		return;
	}
	clear_chunk(at);
	clear_chunk(at + middle_of(size));
	clear_chunk(at + size - CHUNK);
	for (i = CHUNK; i < zero_run(size); i += CHUNK)
		clear_chunk(at + i);
}

/* Is all of a freed slot zero, whatever the block in it was? */
static __always_inline bool zeroes_all(size_t slot)
{
	size_t size = slot - TRAILER_BYTES;

	return zeroes() && (size <= CHUNKS_MAX ||
			    (size > RUN_SIZE_MIN && size <= ZERO_MAX));
}

/* Nothing is written to the trailer: others look at it at any time. */
static __always_inline void pad_store(uint64_t *trailer, size_t slack)
{
	unsigned int half = (unsigned int)(4 * (8 - min(slack, (size_t)8)));

	store_word((char *)trailer - max(slack, (size_t)8),
		   secrets.pad << half << half);
}

extern const uint64_t pad_masks[sizeof(uint64_t) + 1] __hidden;

/* Of the pad, what the trailer does not cover. */
static __always_inline bool pad_is_whole(const void *end, size_t slack)
{
	return !((load_word(end) ^ secrets.pad) &
		 pad_masks[min(slack, sizeof(uint64_t))]);
}

#endif /* HAKMEM_MM_HARDEN_TRAILER_H */
