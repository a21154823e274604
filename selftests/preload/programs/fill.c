// SPDX-License-Identifier: MIT
/*
 * Under a limit that leaves 128 MiB more, each size in turn gets most of it,
 * and again after the others; then there is memory as before.
 *
 *	fill as|data|threads
 */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "program.h"

#define HEADROOM	(128 * MIB)
#define LEAST		(90 * MIB)

static const size_t sizes[] = { 48, 1000, 20000, 300000, 5000000 };

struct link {
	struct link *next;
};

/* Return: bytes that were asked for and got. */
static size_t fill(size_t size)
{
	struct link *all = NULL, *p;
	size_t bytes = 0;

	errno = 0;
	while ((p = malloc(size))) {
		p->next = all;
		all = p;
		((char *)p)[size - 1] = 1;
		bytes += size;
	}
	CHECK(errno == ENOMEM);
	while ((p = all)) {
		all = p->next;
		free(p);
	}
	return bytes;
}

static void limit(int resource, const char *field)
{
	size_t now = (size_t)status_kib(field) * KIB + HEADROOM;
	const struct rlimit rlimit = { now, now };

	CHECK(!setrlimit(resource, &rlimit));
}

static void *fill_twice(void *arg)
{
	size_t i;

	for (i = 0; i < 2 * ARRAY_LENGTH(sizes); i++)
		fill(sizes[i % ARRAY_LENGTH(sizes)]);
	return arg;
}

static void fill_in_threads(void)
{
	pthread_t threads[4];
	pthread_attr_t attr;
	size_t i;

	/* The limit is one of their stacks as well. */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * KIB);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		CHECK(!pthread_create(&threads[i], &attr, fill_twice, NULL));
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		CHECK(!pthread_join(threads[i], NULL));
}

static void fill_with_each(void)
{
	size_t i, got, least = HEADROOM, index = 0;

	for (i = 0; i < 2 * ARRAY_LENGTH(sizes); i++) {
		got = fill(sizes[i % ARRAY_LENGTH(sizes)]);
		CHECK(got <= HEADROOM + MIB);
		if (got < least) {
			least = got;
			index = i % ARRAY_LENGTH(sizes);
		}
		CHECK(malloc(100));
	}
	printf("# the least was got by %zu bytes\n", sizes[index]);
	at_least("MiB of 128 that each size could have",
		 (double)least / MIB, (double)LEAST / MIB);
}

int main(int argc, char **argv)
{
	need_hakmem();
	CHECK(argc == 2);
	/* What stdio needs, it has before there is nothing left. */
	printf("# %s\n", argv[1]);
	if (!strcmp(argv[1], "data"))
		limit(RLIMIT_DATA, "VmData:");
	else
		limit(RLIMIT_AS, "VmSize:");
	if (!strcmp(argv[1], "threads"))
		fill_in_threads();
	fill_with_each();
	return finish();
}
