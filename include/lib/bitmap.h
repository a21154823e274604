/* SPDX-License-Identifier: MIT */
/*
 * Bit arrays of 64-bit words. Ranges are [start, start + n). Not atomic: the
 * owner of the array says which lock guards it.
 */
#ifndef HAKMEM_LIB_BITMAP_H
#define HAKMEM_LIB_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"

#define BITMAP_WORD_BITS	64
#define BITMAP_WORDS(bits)	(((bits) + 63) / 64)

/* One bit may be looked at without the lock. */
static inline bool bitmap_test(const uint64_t *map, unsigned int bit)
{
	return UNSEEN(map[bit / 64]) >> (bit % 64) & 1;
}

/*
 * Set bits of a word. Without an instruction for it the compiler's builtin is a
 * call, which takes longer than adding up pairs, nibbles and bytes.
 */
static inline unsigned int bit_count(uint64_t bits)
{
	const uint64_t ones = ~(uint64_t)0;

	bits -= bits >> 1 & ones / 3;
	bits = (bits & ones / 5) + (bits >> 2 & ones / 5);
	bits = (bits + (bits >> 4)) & ones / 17;
	return (unsigned int)(bits * (ones / 255) >> 56);
}

/* Bits that begin @n set ones in a row. */
static inline uint64_t bits_run_starts(uint64_t bits, unsigned int n)
{
	unsigned int have, more;

	for (have = 1; have < n; have += more) {
		more = have < n - have ? have : n - have;
		bits &= bits >> more;
	}
	return bits;
}

/* Length of the longest row of set bits. */
static inline unsigned int bits_longest_run(uint64_t bits)
{
	unsigned int longest = 0;
	unsigned int n;

	/* There are few, and some are long. */
	for (; bits; bits = bits >> (n - 1) >> 1) {
		bits >>= __builtin_ctzll(bits);
		n = ~bits ? (unsigned int)__builtin_ctzll(~bits) : 64;
		longest = longest > n ? longest : n;
	}
	return longest;
}

static inline void bitmap_set(uint64_t *map, unsigned int bit)
{
	map[bit / 64] |= (uint64_t)1 << (bit % 64);
}

/* The bits of word @word that lie in [start, end). */
static inline uint64_t bitmap_word_mask(unsigned int word, unsigned int start,
					unsigned int end)
{
	unsigned int first = word * 64;
	uint64_t mask = ~(uint64_t)0;

	if (start > first)
		mask &= ~(uint64_t)0 << (start - first);
	if (end < first + 64)
		mask &= ~(uint64_t)0 >> (first + 64 - end);
	return mask;
}

/* Take the first of @n bits from @start off: those that lie in one word. */
static inline uint64_t bitmap_first_word(unsigned int *start, unsigned int *n)
{
	unsigned int bit = *start % 64;
	unsigned int part = *n < 64 - bit ? *n : 64 - bit;

	*start += part;
	*n -= part;
	return ~(uint64_t)0 >> (64 - part) << bit;
}

static inline void bitmap_set_range(uint64_t *map, unsigned int start,
				    unsigned int n)
{
	unsigned int word;

	while (n) {
		word = start / 64;
		map[word] |= bitmap_first_word(&start, &n);
	}
}

static inline void bitmap_clear_range(uint64_t *map, unsigned int start,
				      unsigned int n)
{
	unsigned int word;

	while (n) {
		word = start / 64;
		map[word] &= ~bitmap_first_word(&start, &n);
	}
}

static inline unsigned int bitmap_count_range(const uint64_t *map,
					      unsigned int start,
					      unsigned int n)
{
	unsigned int end = start + n;
	unsigned int count = 0;
	unsigned int word;

	for (word = start / 64; word * 64 < end; word++)
		count += bit_count(map[word] &
				   bitmap_word_mask(word, start, end));
	return count;
}

/**
 * bitmap_next() - First bit of the given value at or after @start.
 * @map: the array
 * @start: where to begin
 * @end: bits in the array
 * @value: look for set (true) or clear (false) bits
 *
 * Return: the bit, or @end if there is none.
 */
static inline unsigned int bitmap_next(const uint64_t *map, unsigned int start,
				       unsigned int end, bool value)
{
	uint64_t flip = value ? 0 : ~(uint64_t)0;
	unsigned int word = start / 64, bit;
	uint64_t bits;

	if (start >= end)
		return end;
	bits = (map[word] ^ flip) & ~(uint64_t)0 << (start % 64);
	while (!bits) {
		if (++word * 64 >= end)
			return end;
		bits = map[word] ^ flip;
	}
	bit = word * 64 + (unsigned int)__builtin_ctzll(bits);
	return bit < end ? bit : end;
}

/* Return: the last set bit before @end, plus one; 0 if there is none. */
static inline unsigned int bitmap_prev_end(const uint64_t *map,
					   unsigned int end)
{
	unsigned int word = end / 64;
	uint64_t bits;

	if (end % 64) {
		bits = map[word] << (64 - end % 64);
		if (bits)
			return end - (unsigned int)__builtin_clzll(bits);
	}
	while (word--) {
		if (map[word])
			return word * 64 + 64 -
			       (unsigned int)__builtin_clzll(map[word]);
	}
	return 0;
}

#endif /* HAKMEM_LIB_BITMAP_H */
