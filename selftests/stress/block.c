// SPDX-License-Identifier: MIT
/*
 * Content of blocks: see block.h.
 */
#include "block.h"

#include <string.h>

#include "lib/align.h"
#include "lib/compiler.h"
#include "memory.h"

#define WORD		sizeof(uint64_t)
#define WHOLE_MAX	((size_t)512)
#define STRETCH		((size_t)64)
#define STRETCHES	4

/* Of stretch @i: where it begins. Return: where it ends. */
static size_t stretch(const struct block *block, unsigned int i, size_t *from)
{
	size_t usable = ALIGN_DOWN(block->usable, WORD);
	struct prng prng = { block->seed + i };

	*from = 0;
	if (usable <= WHOLE_MAX)
		return i ? 0 : usable;
	if (i == 1)
		*from = usable - STRETCH;
	else if (i)
		*from = ALIGN_DOWN(prng_below(&prng, usable - STRETCH), WORD);
	return *from + STRETCH;
}

/* Stretches may overlap: what a word holds depends on where it is alone. */
static uint64_t word_at(const struct block *block, size_t at)
{
	return (block->seed + at) * 0x9e3779b97f4a7c15u;
}

void block_fill(const struct block *block)
{
	size_t at, end;
	unsigned int i;
	uint64_t word;

	for (i = 0; i < STRETCHES; i++) {
		end = stretch(block, i, &at);
		for (; at < end; at += WORD) {
			word = word_at(block, at);
			memcpy(block->ptr + at, &word, WORD);
		}
	}
}

bool block_intact(const struct block *block, size_t size)
{
	size_t at, end;
	unsigned int i;
	uint64_t word, found;

	for (i = 0; i < STRETCHES; i++) {
		end = min(stretch(block, i, &at), size);
		for (; at + WORD <= end; at += WORD) {
			memcpy(&found, block->ptr + at, WORD);
			if (found != word_at(block, at))
				return false;
		}
		word = word_at(block, at);
		if (at < end && memcmp(block->ptr + at, &word, end - at))
			return false;
	}
	return true;
}

bool block_zero(const struct block *block, size_t size)
{
	size_t at, end;
	unsigned int i;

	for (i = 0; i < STRETCHES; i++) {
		end = min(stretch(block, i, &at), size);
		if (at < end && !bytes_are(block->ptr + at, end - at, 0))
			return false;
	}
	return true;
}
