// SPDX-License-Identifier: MIT
/*
 * realloc and reallocarray.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"

static void null_is_malloc(struct kunit *test)
{
	char *p = hak_realloc(NULL, 100);
	char *q = hak_reallocarray(NULL, 10, 10);
	char *r = hak_realloc(NULL, 0);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	memset(p, 1, 100);
	memset(q, 2, 100);
	KUNIT_EXPECT_TRUE(test, bytes_are(p, 100, 1));
	hak_free(p);
	hak_free(q);
	hak_free(r);
}

/* As glibc: it frees. A leak shows as memory that only grows. */
static void zero_frees(struct kunit *test)
{
	size_t before = 0, round;
	void *p;

	for (round = 0; round < 40000; round++) {
		if (round == 10000)
			before = process_status("VmRSS:");
		p = hak_malloc(round & 1 ? 100 : 20000);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 1, 100);
		KUNIT_ASSERT_NULL(test, hak_realloc(p, opaque_size(0)));
		p = hak_malloc(50);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NULL(test, hak_reallocarray(p, 8,
							 opaque_size(0)));
	}
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), before + 2 * MIB);
}

/* From each size to each other, the common part kept. */
static void content_moves_along(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 16, 24, 100, 128, 129, 1000, 1024, 1025, 5000, 8192, 40000,
		65536, 200000, 1048576, 2097152, 3000000, 5242880, 9000000,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < ARRAY_LENGTH(sizes); j++) {
			size_t common = sizes[i] < sizes[j] ? sizes[i] :
							      sizes[j];
			char *p = hak_malloc(sizes[i]);

			KUNIT_ASSERT_NOT_NULL(test, p);
			pattern_fill(p, common, i);
			p = hak_realloc(p, sizes[j]);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_MSG(test, pattern_intact(p, common, i),
					 "from %zu to %zu", sizes[i], sizes[j]);
			KUNIT_EXPECT_TRUE(test, is_aligned(p, 16));
			KUNIT_EXPECT_GE(test, hak_malloc_usable_size(p),
					sizes[j]);
			memset(p, 0xa5, hak_malloc_usable_size(p));
			hak_free(p);
		}
}

static void grows_byte_by_byte(struct kunit *test)
{
	unsigned char *p = NULL;
	size_t size;

	for (size = 1; size <= 20000; size++) {
		p = hak_realloc(p, size);
		KUNIT_ASSERT_NOT_NULL(test, p);
		p[size - 1] = (unsigned char)(size * 7);
	}
	for (size = 1; size <= 20000; size++)
		KUNIT_ASSERT_EQ(test, p[size - 1], (unsigned char)(size * 7));
	for (size = 20000; size > 0; size -= size / 50 + 1) {
		p = hak_realloc(p, size);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_EQ(test, p[size - 1], (unsigned char)(size * 7));
	}
	hak_free(p);
}

/* Growing by doubling far beyond the mappings' limit, beside neighbours. */
static void grows_to_64_mib(struct kunit *test)
{
	char *p = NULL, *beside[32];
	size_t size, used = 0, i = 0;

	for (size = 1000; size <= 64 * MIB; size *= 2) {
		p = hak_realloc(p, size);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_MSG(test, pattern_intact(p, used, used),
				 "growing to %zu", size);
		beside[i] = hak_malloc(size / 2);
		KUNIT_ASSERT_NOT_NULL(test, beside[i]);
		memset(beside[i++], 0xee, 1000 / 2);
		used = size;
		pattern_fill(p, used, used);
	}
	while (i)
		hak_free(beside[--i]);
	hak_free(p);
}

static void failure_keeps_the_object(struct kunit *test)
{
	static const size_t sizes[] = { 1, 100, 5000, 100000, 3000000 };
	static const size_t huge[] = {
		SIZE_MAX, (size_t)PTRDIFF_MAX + 1, HOPELESS_SIZE - 4096,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		char *p = hak_malloc(sizes[i]);

		KUNIT_ASSERT_NOT_NULL(test, p);
		pattern_fill(p, sizes[i], i);
		for (j = 0; j < ARRAY_LENGTH(huge); j++) {
			errno = 0;
			KUNIT_EXPECT_NULL(test, hak_realloc(opaque(p),
							    huge[j]));
			KUNIT_EXPECT_EQ(test, errno, ENOMEM);
		}
		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_reallocarray(opaque(p),
						opaque_size(SIZE_MAX / 2), 4));
		KUNIT_EXPECT_EQ(test, errno, ENOMEM);
		KUNIT_EXPECT_TRUE(test, pattern_intact(p, sizes[i], i));
		hak_free(p);
	}
}

static void reallocarray_multiplies(struct kunit *test)
{
	char *p = hak_reallocarray(NULL, 1000, 33);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_GE(test, hak_malloc_usable_size(p), 33000);
	pattern_fill(p, 33000, 1);
	p = hak_reallocarray(p, 3, 100);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_GE(test, hak_malloc_usable_size(p), 300);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, 296, 1));
	hak_free(p);
}

/* realloc of an over-aligned object promises content, not its alignment. */
static void takes_aligned_objects(struct kunit *test)
{
	static const size_t aligns[] = { 32, 256, 4096, 65536, 4194304 };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(aligns); i++) {
		char *p = hak_aligned_alloc(aligns[i], aligns[i]);

		KUNIT_ASSERT_NOT_NULL(test, p);
		pattern_fill(p, aligns[i], i);
		p = hak_realloc(p, 2 * aligns[i]);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, pattern_intact(p, aligns[i], i));
		hak_free(p);
	}
}

/* What a block of many GiB leaves unused is much as well. */
static void huge_block_shrinks(struct kunit *test)
{
	const size_t size = (size_t)5 << 15 << 15, less = size / 5 * 3;
	char *other, *p;

	if (sizeof(void *) == 4)
		kunit_skip(test, "not so many addresses");
	other = hak_malloc(size);
	p = hak_malloc(size);
	if (!other || !p)
		kunit_skip(test, "not so much memory");
	p[less - 1] = 1;
	p = hak_realloc(p, less);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p[less - 1], 1);
	KUNIT_EXPECT_GE(test, hak_malloc_usable_size(p), less);
	hak_free_sized(p, less);
	hak_free(other);
}

static const struct kunit_case realloc_cases[] = {
	KUNIT_CASE(null_is_malloc),
	KUNIT_CASE(zero_frees),
	KUNIT_CASE(content_moves_along),
	KUNIT_CASE(grows_byte_by_byte),
	KUNIT_CASE(grows_to_64_mib),
	KUNIT_CASE(failure_keeps_the_object),
	KUNIT_CASE(reallocarray_multiplies),
	KUNIT_CASE(takes_aligned_objects),
	KUNIT_CASE(huge_block_shrinks),
	{}
};

static const struct kunit_suite realloc_suite = {
	.name = "realloc",
	.test_cases = realloc_cases,
};
kunit_test_suite(realloc_suite);
