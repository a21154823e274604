/* SPDX-License-Identifier: MIT */
/*
 * Trailers: the last word of each slot, and what lies in front of it.
 *
 *	| the block | pad | zeros | trailer |
 *
 * The trailer is one of three: 0 in a slot that was never used since its
 * memory came from the kernel; the word of its address while the block rests
 * in quarantine or waits for reuse; and while the program has it, another,
 * with the block's kind and the bytes between the block's end and the trailer
 * in its middle. Both ends of that are secret, so that a byte too far from
 * either side is noticed. The pad is 8 bytes, of which the trailer may cover
 * some: a block is known to the byte.
 *
 * A freed slot is zero up to the trailer, or as far as ZERO_MAX.
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
 * @freed: bit 0 clear, bit 63 set: no word of an address is 0
 * @pad: no byte of it is 0
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

static __always_inline uint64_t trailer_freed(const uint64_t *trailer)
{
	return secrets.freed ^ (uintptr_t)trailer;
}

static __always_inline uint64_t trailer_live(const uint64_t *trailer,
					     size_t slack,
					     enum block_kind kind)
{
	uint64_t payload = (uint64_t)kind << SLACK_BITS | slack;

	return secrets.live ^ (uintptr_t)trailer ^ payload << PAYLOAD_SHIFT;
}

/* Return: all of it that is not payload is 0 if the block is in use. */
static __always_inline uint64_t trailer_decode(const uint64_t *trailer)
{
	return READ_ONCE(*trailer) ^ secrets.live ^ (uintptr_t)trailer;
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

/* Where the zeros of a freed slot end. */
static __always_inline void *zero_end(const void *obj, size_t slot)
{
	return (void *)((uintptr_t)obj + min(slot - TRAILER_BYTES, ZERO_MAX));
}

static __always_inline bool zeroes_all(size_t slot)
{
	return zeroes() && slot - TRAILER_BYTES <= ZERO_MAX;
}

/* Is it one of the three, whatever the payload? */
static __always_inline bool trailer_is_whole(const uint64_t *trailer)
{
	uint64_t word = READ_ONCE(*trailer);

	return !((word ^ secrets.live ^ (uintptr_t)trailer) & ~PAYLOAD_MASK) ||
	       !word || word == trailer_freed(trailer);
}

/* Does all up to a multiple of 8 bytes read as zero? */
static __always_inline bool is_zero(const void *start, const void *end)
{
	const char *at = start;
	pair seen = { 0, 0 };
	uint64_t last = 0;

	for (; at + 16 <= (const char *)end; at += 16)
		seen |= *(const pair *)(const void *)at;
	if (at < (const char *)end)
		last = load_word(at);
	return !(seen[0] | seen[1] | last);
}

static __always_inline void set_zero(void *start, void *end)
{
	const pair zero = { 0, 0 };
	char *at = start;

	for (; at + 16 <= (char *)end; at += 16)
		*(pair *)(void *)at = zero;
	if (at < (char *)end)
		store_word(at, 0);
}

/* Of the pad, what the trailer does not cover. */
static __always_inline bool pad_is_whole(const void *end, size_t slack)
{
	uint64_t difference = load_word(end) ^ secrets.pad;

	if (slack < sizeof(uint64_t))
		difference &= ((uint64_t)1 << slack * 8) - 1;
	return !difference;
}

#endif /* HAKMEM_MM_HARDEN_TRAILER_H */
