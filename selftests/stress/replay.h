/* SPDX-License-Identifier: MIT */
/*
 * Replay: a stream of operations on the allocator, checked against a shadow of
 * what it must have done.
 *
 * An operation is 64 bits, from a random sequence or from a fuzzer. A world
 * executes one stream: it has slots with blocks in them, and lanes, threads
 * that take turns in executing it, so that it is the same stream of the same
 * threads each time. Several worlds run at once and may exchange blocks.
 *
 * Checked with each operation: content to the end of the usable size, overlap
 * with any other live block, alignment, usable size, zeroed memory, errno.
 * What is wrong ends the process with a line that names the operation.
 */
#ifndef SELFTESTS_REPLAY_H
#define SELFTESTS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_WORLDS_MAX	16
#define REPLAY_LANES_MAX	8

/**
 * struct replay_plan - what to run
 * @seed: of the random sequence
 * @operations: of each world
 * @worlds: streams that are executed at once
 * @lanes: threads of each
 * @size_log2: requests are below 2 to this power, each magnitude as likely
 * @live_bytes: that a world may have; more makes it free some first
 * @refusals: requests may find no memory
 * @input: the operations, instead of the random sequence
 */
struct replay_plan {
	uint64_t seed;
	uint64_t operations;
	unsigned int worlds;
	unsigned int lanes;
	unsigned int size_log2;
	size_t live_bytes;
	bool refusals;
	const uint64_t *input;
};

/**
 * struct replay_result - what was run
 * @operations: executed
 * @allocations: blocks that were had
 * @resizes: by realloc
 * @refusals: requests that found no memory
 * @strangers: blocks freed or resized by another thread than the last
 * @exits: threads that ended in the middle
 * @largest: block, in bytes
 * @stream: hash of all operations and what came of them
 */
struct replay_result {
	uint64_t operations;
	uint64_t allocations;
	uint64_t resizes;
	uint64_t refusals;
	uint64_t strangers;
	uint64_t exits;
	size_t largest;
	uint64_t stream;
};

/* Nothing is live afterwards. */
void replay_run(const struct replay_plan *plan, struct replay_result *result);

#endif /* SELFTESTS_REPLAY_H */
