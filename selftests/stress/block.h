/* SPDX-License-Identifier: MIT */
/*
 * A live block and the content that it must still have.
 */
#ifndef SELFTESTS_BLOCK_H
#define SELFTESTS_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct block - a block, or none while @ptr is NULL
 * @ptr: where
 * @size: bytes asked for
 * @usable: bytes that hold the pattern
 * @seed: of the pattern
 * @thread: who had it last
 */
struct block {
	unsigned char *ptr;
	size_t size;
	size_t usable;
	uint64_t seed;
	unsigned int thread;
};

/* Of short ones every byte, of others the ends and some in between. */
void block_fill(const struct block *block);

/* Is what lies in the first @size bytes still there? */
bool block_intact(const struct block *block, size_t size);

/* Do the same stretches read as zero? */
bool block_zero(const struct block *block, size_t size);

#endif /* SELFTESTS_BLOCK_H */
