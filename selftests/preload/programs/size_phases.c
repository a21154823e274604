// SPDX-License-Identifier: MIT
/*
 * A live set of 32 MiB whose objects change their size twelve times, and of
 * each size one in a hundred stays for ever: what the others left must serve
 * the next size, though nearly every slab and most pages have a survivor.
 *
 *	size_phases FIRST
 *
 * from that size on, each twice the one before.
 */
#include <stdint.h>

#include "program.h"

#define LIVE		(32 * MIB)
#define PHASES		12
#define PEAK_MIB	110

static uint64_t state = 88172645463325252;

static size_t random_below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* Free all but some; these stay allocated, and hold what they were given. */
static void let_go(char **objs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (random_below(100))
			free(objs[i]);
}

static char **fill(size_t size, size_t count)
{
	char **objs = malloc(count * sizeof(*objs));
	size_t i;

	CHECK(objs);
	for (i = 0; i < count; i++) {
		objs[i] = malloc(size);
		CHECK(objs[i]);
		memset(objs[i], 1, size);
	}
	return objs;
}

int main(int argc, char **argv)
{
	size_t size, count = 0, phase;
	char **objs = NULL;

	need_hakmem();
	CHECK(argc == 2);
	size = strtoul(argv[1], NULL, 10);
	for (phase = 0; phase < PHASES; phase++) {
		let_go(objs, count);
		free(objs);
		count = LIVE / size;
		objs = fill(size, count);
		size *= 2;
	}
	printf("# sizes from %s bytes on\n", argv[1]);
	at_most("peak with 32 MiB live, MiB", status_kib("VmHWM:") / 1024,
		PEAK_MIB);
	return finish();
}
