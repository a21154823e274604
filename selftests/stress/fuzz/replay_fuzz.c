// SPDX-License-Identifier: MIT
/*
 * The operations of replay.h from libFuzzer: make fuzz SECONDS=60.
 */
#include <string.h>

#include "memory.h"
#include "replay.h"

#define OPERATIONS_MAX	4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t input[OPERATIONS_MAX];
	struct replay_plan plan = {
		.worlds = 1, .lanes = 2, .size_log2 = 30,
		.live_bytes = GIB, .input = input,
	};
	struct replay_result result;

	if (size > sizeof(input))
		size = sizeof(input);
	memcpy(input, data, size);
	plan.operations = size / sizeof(*input);
	replay_run(&plan, &result);
	return 0;
}
