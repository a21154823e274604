// SPDX-License-Identifier: MIT
/*
 * Does what the argument says and prints a number in which a knob shows.
 */
#include <malloc.h>

#include "program.h"

#define SMALL		200000
#define SMALL_SIZE	100
#define REQUESTS	6000
#define LARGE		195
#define LARGE_SIZE	300000

static size_t resident(void)
{
	return (size_t)status_kib("VmRSS:");
}

/* Bytes that a small object has room for: whose object it is. */
static size_t room_of_small_object(void)
{
	size_t i, room = 0;

	for (i = 0; i < 3000; i++) {
		char *p = calloc(1, SMALL_SIZE);

		CHECK(p && !p[0] && !p[SMALL_SIZE - 1]);
		p = realloc(p, SMALL_SIZE + 20);
		CHECK(p && !p[0] && !p[SMALL_SIZE - 1]);
		room = malloc_usable_size(p);
		memset(p, 1, room);
		if (i % 2)
			free(p);
	}
	return room;
}

/* KiB that stay with the allocator when all small objects are freed. */
static size_t kept_of_small_objects(void)
{
	static void *p[SMALL];
	size_t i, before;

	free(malloc(SMALL_SIZE));
	resident();
	memset(p, 1, sizeof(p));
	before = resident();
	for (i = 0; i < SMALL; i++) {
		p[i] = malloc(SMALL_SIZE);
		CHECK(p[i]);
		memset(p[i], 1, SMALL_SIZE);
	}
	for (i = 0; i < SMALL; i++)
		free(p[i]);
	return resident() - before;
}

/* Objects that came at once when the last of many requests was served. */
static size_t objects_per_refill(void)
{
	size_t i, before, after, batch = 0;

	for (i = 0; i < REQUESTS; i++) {
		before = mallinfo2().smblks;
		CHECK(malloc(SMALL_SIZE));
		after = mallinfo2().smblks;
		if (after >= before)
			batch = after - before + 1;
	}
	return batch;
}

/* KiB that stay when a third of what is in use is freed, again and again. */
static size_t kept_of_large_objects(void)
{
	static void *p[LARGE];
	size_t i, round, before = 0;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < LARGE; i++) {
			if (round && i % 3)
				continue;
			p[i] = malloc(LARGE_SIZE);
			CHECK(p[i]);
			memset(p[i], 1, LARGE_SIZE);
		}
		before = resident();
		for (i = 0; i < LARGE; i += 3)
			free(p[i]);
	}
	/* Before, all was resident: how much of a third still is? */
	return LARGE / 3 * LARGE_SIZE / 1024 + resident() - before;
}

int main(int argc, char **argv)
{
	size_t number;

	need_hakmem();
	CHECK(argc == 2);
	if (!strcmp(argv[1], "room"))
		number = room_of_small_object();
	else if (!strcmp(argv[1], "kept_small"))
		number = kept_of_small_objects();
	else if (!strcmp(argv[1], "refill"))
		number = objects_per_refill();
	else if (!strcmp(argv[1], "kept_large"))
		number = kept_of_large_objects();
	else
		return 1;
	printf("%zu\n", number);
	return 0;
}
