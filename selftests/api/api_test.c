// SPDX-License-Identifier: MIT
/*
 * malloc, calloc, free and their sized forms: what ISO C promises of every
 * single object.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"

/* Sizes around every kind of boundary, for tests that do not sweep. */
static const size_t some_sizes[] = {
	0, 1, 7, 8, 15, 16, 17, 24, 31, 32, 33, 64, 100, 127, 128, 129, 160,
	161, 255, 256, 257, 1000, 1023, 1024, 1025, 2048, 4095, 4096, 4097,
	8191, 8192, 32768, 32769, 65535, 65536, 65537, 100000, 262144, 524289,
	1048576, 2097151, 2097152, 2097153, 5242880,
};

static void describe_size(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%zu bytes", *(const size_t *)param);
}

static void is_writable_and_16_aligned(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	unsigned char *p = hak_malloc(size);
	size_t usable;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, is_aligned(p, 16));
	usable = hak_malloc_usable_size(p);
	KUNIT_ASSERT_MSG(test, usable >= size, "%zu usable of %zu", usable,
			 size);
	pattern_fill(p, usable, size);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, usable, size));
	hak_free(p);
}

/* 64 small objects or 4 big ones at once must all keep their content. */
static void neighbours_keep_content(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	unsigned char *p[64];
	size_t count = size <= 64 * KIB ? 64 : 4;
	size_t i;

	for (i = 0; i < count; i++) {
		p[i] = hak_malloc(size);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		pattern_fill(p[i], hak_malloc_usable_size(p[i]), i);
	}
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_MSG(test,
				 pattern_intact(p[i],
						hak_malloc_usable_size(p[i]),
						i),
				 "object %zu of %zu bytes", i, size);
	for (i = 0; i < count; i++)
		hak_free(p[i]);
}

static void calloc_clears_reused_memory(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	unsigned char *p[32];
	size_t count = size <= 64 * KIB ? 32 : 3;
	size_t round, i;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < count; i++) {
			p[i] = round & 1 ? hak_malloc(size) :
					   hak_calloc(1, size);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			if (!(round & 1))
				KUNIT_EXPECT_MSG(test,
						 bytes_are(p[i], size, 0),
						 "round %zu object %zu", round,
						 i);
			memset(p[i], 0xff, hak_malloc_usable_size(p[i]));
		}
		for (i = 0; i < count; i++)
			hak_free(p[i]);
	}
}

static void sized_frees_take_objects_back(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	size_t aligned = (size + 63) & ~(size_t)63;
	void *p = hak_malloc(size);
	void *q = hak_aligned_alloc(64, aligned);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	hak_free_sized(p, size);
	hak_free_aligned_sized(q, 64, aligned);
	hak_free_sized(NULL, size);
	hak_free_aligned_sized(NULL, 64, aligned);
}

static void every_size_to_4200(struct kunit *test)
{
	static unsigned char *p[4201];
	size_t size;

	for (size = 0; size < ARRAY_LENGTH(p); size++) {
		p[size] = hak_malloc(size);
		KUNIT_ASSERT_NOT_NULL(test, p[size]);
		KUNIT_EXPECT_MSG(test, is_aligned(p[size], 16),
				 "size %zu at %p", size, (void *)p[size]);
		KUNIT_EXPECT_MSG(test, hak_malloc_usable_size(p[size]) >= size,
				 "size %zu", size);
		pattern_fill(p[size], size, size);
	}
	for (size = 0; size < ARRAY_LENGTH(p); size++) {
		KUNIT_EXPECT_MSG(test, pattern_intact(p[size], size, size),
				 "size %zu", size);
		hak_free(p[size]);
	}
}

/* Eight live objects slide over the sizes, three sizes at each step. */
static void sizes_to_5_mib_in_steps(struct kunit *test)
{
	static struct { unsigned char *p; size_t size; } live[8];
	size_t step = 0, base, size;
	int delta;

	for (base = 4096; base <= 5 * MIB; base += base / 64) {
		for (delta = -1; delta <= 1; delta++) {
			size_t slot = step++ % ARRAY_LENGTH(live);

			KUNIT_EXPECT_MSG(test,
					 pattern_intact(live[slot].p,
							live[slot].size,
							live[slot].size),
					 "size %zu", live[slot].size);
			hak_free(live[slot].p);
			size = base + (size_t)delta;
			live[slot].p = hak_malloc(size);
			KUNIT_ASSERT_NOT_NULL(test, live[slot].p);
			live[slot].size = size;
			pattern_fill(live[slot].p, size, size);
		}
	}
}

static void zero_size_is_unique(struct kunit *test)
{
	static void *p[3000];
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(p); i += 3) {
		p[i] = hak_malloc(0);
		p[i + 1] = hak_calloc(0, 8);
		p[i + 2] = hak_calloc(8, 0);
	}
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		for (j = 0; j < i; j++)
			KUNIT_ASSERT_MSG(test, p[i] != p[j], "%zu and %zu", i,
					 j);
	}
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		hak_free(p[i]);
}

static void null_is_nothing(struct kunit *test)
{
	hak_free(NULL);
	KUNIT_EXPECT_EQ(test, hak_malloc_usable_size(NULL), 0);
}

/* A freed and a fresh object of each size, with errno as it was before. */
static void success_keeps_errno(struct kunit *test)
{
	size_t i;

	need_mremap(test);
	for (i = 0; i < ARRAY_LENGTH(some_sizes); i++) {
		size_t size = some_sizes[i];
		void *p, *q;

		errno = 4711;
		p = hak_malloc(size);
		q = hak_calloc(1, size);
		KUNIT_EXPECT_MSG(test, errno == 4711, "allocating %zu: %d",
				 size, errno);
		p = hak_realloc(p, size + size / 2 + 1);
		q = hak_reallocarray(q, size + 1, 2);
		KUNIT_EXPECT_MSG(test, errno == 4711, "growing %zu: %d", size,
				 errno);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NOT_NULL(test, q);
		hak_free(p);
		hak_free_sized(q, 2 * (size + 1));
		KUNIT_EXPECT_MSG(test, errno == 4711, "freeing %zu: %d", size,
				 errno);
	}
}

static const struct kunit_case object_cases[] = {
	KUNIT_CASE_PARAM(is_writable_and_16_aligned, some_sizes,
			 describe_size),
	KUNIT_CASE_PARAM(neighbours_keep_content, some_sizes, describe_size),
	KUNIT_CASE_PARAM(calloc_clears_reused_memory, some_sizes,
			 describe_size),
	KUNIT_CASE_PARAM(sized_frees_take_objects_back, some_sizes,
			 describe_size),
	KUNIT_CASE(every_size_to_4200),
	KUNIT_CASE(sizes_to_5_mib_in_steps),
	KUNIT_CASE(zero_size_is_unique),
	KUNIT_CASE(null_is_nothing),
	KUNIT_CASE(success_keeps_errno),
	{}
};

static const struct kunit_suite object_suite = {
	.name = "object",
	.test_cases = object_cases,
};
kunit_test_suite(object_suite);
