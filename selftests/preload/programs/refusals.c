// SPDX-License-Identifier: MIT
/*
 * Impossible requests are refused with the errno they should have, and leave
 * what there was as it was; the largest possible ones are served.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>

#include "program.h"

/* Its square is the first number that is too large. */
#define ROOT	((size_t)1 << 4 * sizeof(size_t))

/* With 32 bits, some of these can be had. */
static const size_t impossible[] = {
	SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 4095, SIZE_MAX - 4096,
	SIZE_MAX - 2 * 1024 * 1024, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX,
	(size_t)PTRDIFF_MAX - 4096, SIZE_MAX / 4 + 1, SIZE_MAX / 65536 + 1,
};

static const size_t overflows[][2] = {
	{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX / 2 + 1, 2 },
	{ SIZE_MAX / 16 + 1, 16 }, { ROOT, ROOT },
	{ ROOT + 1, ROOT }, { SIZE_MAX, SIZE_MAX },
};

#define REFUSED(error, call)						\
	do {								\
		errno = 0;						\
		CHECK(!(call));						\
		CHECK(errno == (error));				\
	} while (0)

static void refuse_sizes(char *old)
{
	size_t i;
	void *p;

	for (i = 0; i < ARRAY_LENGTH(impossible); i++) {
		size_t size = impossible[i];

		p = old;
		REFUSED(ENOMEM, malloc(size));
		REFUSED(ENOMEM, calloc(1, size));
		REFUSED(ENOMEM, calloc(size, 1));
		REFUSED(ENOMEM, realloc(old, size));
		REFUSED(ENOMEM, reallocarray(old, 1, size));
		REFUSED(ENOMEM, aligned_alloc(64, size));
		REFUSED(ENOMEM, memalign(4096, size));
		REFUSED(ENOMEM, valloc(size));
		REFUSED(ENOMEM, pvalloc(size));
		CHECK(posix_memalign(&p, 64, size) == ENOMEM && p == old);
	}
	for (i = 0; i < ARRAY_LENGTH(overflows); i++) {
		REFUSED(ENOMEM, calloc(overflows[i][0], overflows[i][1]));
		REFUSED(ENOMEM, reallocarray(old, overflows[i][0],
					     overflows[i][1]));
	}
}

static void refuse_alignments(void *old)
{
	void *p = old;

	REFUSED(EINVAL, aligned_alloc(0, 64));
	REFUSED(EINVAL, aligned_alloc(48, 96));
	REFUSED(EINVAL, memalign(SIZE_MAX, 64));
	REFUSED(ENOMEM, memalign(SIZE_MAX / 2 + 1, 64));
	REFUSED(ENOMEM, memalign(SIZE_MAX / 4 + 1, 1));
	CHECK(posix_memalign(&p, 48, 64) == EINVAL && p == old);
	CHECK(posix_memalign(&p, 4, 64) == EINVAL && p == old);
	CHECK(posix_memalign(&p, 0, 64) == EINVAL && p == old);
	CHECK(posix_memalign(&p, SIZE_MAX / 4 + 1, 64) == ENOMEM && p == old);
}

static void serve_alignments(void)
{
	static const size_t sizes[] = { 1, 100, 5000, 3000000 };
	size_t align, i;

	for (align = 16; align <= GIB; align *= 2)
		for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
			char *p = aligned_alloc(align, sizes[i]);

			CHECK(p && !((uintptr_t)p & (align - 1)));
			p[0] = p[sizes[i] - 1] = 1;
			CHECK(malloc_usable_size(p) >= sizes[i]);
			errno = 4711;
			free(p);
			CHECK(errno == 4711);
		}
	for (i = 0; i < 5000; i++) {
		char *p = malloc(i);

		CHECK(p && !((uintptr_t)p & 15));
		free(p);
	}
}

static void serve_beyond_4_gib(void)
{
	volatile size_t size = 5 * GIB;
	char *p = malloc(size);

	CHECK(p && malloc_usable_size(p) >= size);
	p[0] = 1;
	p[4 * GIB + 1] = 2;
	p[size - 1] = 3;
	p = realloc(p, size + GIB);
	CHECK(p && p[0] == 1 && p[4 * GIB + 1] == 2 && p[size - 1] == 3);
	free(p);
}

static void realloc_moves_no_bytes(void)
{
	char *p = malloc(GIB), *behind = malloc(4 * MIB), *moved;
	double start;
	size_t i;

	CHECK(p && behind);
	for (i = 0; i < GIB; i += 4096)
		p[i] = (char)(i >> 12);
	/* What others do meanwhile is not its doing. */
	start = clock_milliseconds(CLOCK_PROCESS_CPUTIME_ID);
	moved = realloc(p, GIB + GIB / 4);
	at_most("realloc from 1 to 1.25 GiB, ms of CPU time",
		clock_milliseconds(CLOCK_PROCESS_CPUTIME_ID) - start, 10);
	CHECK(moved);
	for (i = 0; i < GIB; i += 4096)
		CHECK(moved[i] == (char)(i >> 12));
	free(moved);
	free(behind);
}

static void calloc_touches_nothing(void)
{
	double before = status_kib("VmRSS:");
	char *p = calloc(1, GIB);

	CHECK(p);
	at_most("calloc of 1 GiB, MiB it made resident",
		(status_kib("VmRSS:") - before) / 1024, 1);
	CHECK(!p[0] && !p[GIB / 2] && !p[GIB - 1]);
	free(p);
}

int main(void)
{
	char *old = malloc(100);

	need_hakmem();
	CHECK(old);
	memset(old, 0x5a, 100);
	refuse_sizes(old);
	refuse_alignments(old);
	CHECK(old[0] == 0x5a && old[99] == 0x5a);
	free(old);
	serve_alignments();
	calloc_touches_nothing();
	serve_beyond_4_gib();
	realloc_moves_no_bytes();
	calloc_touches_nothing();
	return finish();
}
