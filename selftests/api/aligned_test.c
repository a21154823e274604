// SPDX-License-Identifier: MIT
/*
 * aligned_alloc, posix_memalign, memalign, valloc, pvalloc.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"

static void *by_aligned_alloc(size_t align, size_t size)
{
	return hak_aligned_alloc(align, size);
}

static void *by_posix_memalign(size_t align, size_t size)
{
	void *p = NULL;
	int err = hak_posix_memalign(&p, align, size);

	return err ? NULL : p;
}

static void *by_memalign(size_t align, size_t size)
{
	return hak_memalign(align, size);
}

/* The three ways to ask for an alignment. */
struct aligner {
	const char *name;
	void *(*alloc)(size_t align, size_t size);
};

static const struct aligner aligners[] = {
	{ "aligned_alloc", by_aligned_alloc },
	{ "posix_memalign", by_posix_memalign },
	{ "memalign", by_memalign },
};

static void describe_aligner(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct aligner *)param)->name);
}

static const size_t sizes[] = {
	0, 1, 16, 100, 1000, 1024, 4096, 5000, 65536, 100000, 3000000,
};

static void aligns_from_16_to_64_mib(struct kunit *test)
{
	const struct aligner *aligner = test->param_value;
	size_t align, i;
	void *p[ARRAY_LENGTH(sizes)];

	for (align = 16; align <= 64 * MIB; align *= 2) {
		for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
			p[i] = aligner->alloc(align, sizes[i]);
			KUNIT_ASSERT_MSG(test, p[i], "align %zu size %zu",
					 align, sizes[i]);
			KUNIT_EXPECT_MSG(test, is_aligned(p[i], align),
					 "align %zu size %zu at %p", align,
					 sizes[i], p[i]);
			KUNIT_EXPECT_MSG(test, hak_malloc_usable_size(p[i]) >=
					 sizes[i], "align %zu size %zu", align,
					 sizes[i]);
			pattern_fill(p[i], hak_malloc_usable_size(p[i]), i);
		}
		for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
			KUNIT_EXPECT_MSG(test,
					 pattern_intact(p[i],
						hak_malloc_usable_size(p[i]),
						i),
					 "align %zu size %zu", align,
					 sizes[i]);
			hak_free(p[i]);
		}
	}
}

/* A thousand at once: alignment must not come from luck. */
static void many_of_each_alignment(struct kunit *test)
{
	const struct aligner *aligner = test->param_value;
	static void *p[1000];
	size_t align, i;

	for (align = 16; align <= 8192; align *= 2) {
		for (i = 0; i < ARRAY_LENGTH(p); i++) {
			size_t size = i * 7 % 500;

			p[i] = aligner->alloc(align, size);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			KUNIT_ASSERT_MSG(test, is_aligned(p[i], align),
					 "align %zu size %zu at %p", align,
					 size, p[i]);
			pattern_fill(p[i], size, i);
		}
		for (i = 0; i < ARRAY_LENGTH(p); i++) {
			KUNIT_ASSERT_TRUE(test, pattern_intact(p[i],
							i * 7 % 500, i));
			hak_free(p[i]);
		}
	}
}

static void overflow_is_enomem(struct kunit *test)
{
	static const size_t big[] = {
		SIZE_MAX, SIZE_MAX - 64, (size_t)PTRDIFF_MAX + 1,
		HOPELESS_SIZE, HOPELESS_SIZE - 4096,
	};
	size_t align, i;

	for (align = 16; align <= 64 * MIB; align *= 4)
		for (i = 0; i < ARRAY_LENGTH(big); i++) {
			void *p = &align;

			errno = 0;
			KUNIT_EXPECT_NULL(test, hak_aligned_alloc(align,
						opaque_size(big[i])));
			KUNIT_EXPECT_EQ(test, errno, ENOMEM);
			errno = 0;
			KUNIT_EXPECT_NULL(test, hak_memalign(align,
						opaque_size(big[i])));
			KUNIT_EXPECT_EQ(test, errno, ENOMEM);
			KUNIT_EXPECT_EQ(test, hak_posix_memalign(&p, align,
						opaque_size(big[i])), ENOMEM);
			KUNIT_EXPECT_PTR_EQ(test, p, &align);
		}
}

static void huge_alignment_is_enomem(struct kunit *test)
{
	size_t align = opaque_size(SIZE_MAX / 4 + 1);
	void *p = &align;

	if (sizeof(size_t) == 4)
		kunit_skip(test, "any multiple may be free in 32 bits");
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_aligned_alloc(align, 16));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_EQ(test, hak_posix_memalign(&p, align, 16), ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, p, &align);
}

static void bad_alignment_is_einval(struct kunit *test)
{
	static const size_t bad[] = {
		0, 3, 5, 6, 7, 9, 12, 15, 24, 100, 4095, SIZE_MAX,
		(size_t)PTRDIFF_MAX,
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(bad); i++) {
		size_t align = opaque_size(bad[i]);
		void *p = &i;

		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_aligned_alloc(align, 64));
		KUNIT_EXPECT_MSG(test, errno == EINVAL,
				 "aligned_alloc(%zu): %d", align, errno);
		errno = 4711;
		KUNIT_EXPECT_MSG(test, hak_posix_memalign(&p, align, 64) ==
				 EINVAL, "posix_memalign(%zu)", align);
		KUNIT_EXPECT_PTR_EQ(test, p, &i);
		KUNIT_EXPECT_EQ(test, errno, 4711);
	}
}

static void memalign_rounds_the_alignment_up(struct kunit *test)
{
	size_t align, power = 1;
	void *p;

	for (align = 0; align < 5000; align++) {
		while (power < align)
			power *= 2;
		p = hak_memalign(opaque_size(align), 100);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_MSG(test, is_aligned(p, power), "align %zu at %p",
				 align, p);
		hak_free(p);
	}
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_memalign(opaque_size(SIZE_MAX / 2 + 2),
					     100));
	KUNIT_EXPECT_EQ(test, errno, EINVAL);
}

/* POSIX wants a multiple of sizeof(void *), ISO C any power of two. */
static void small_powers_of_two(struct kunit *test)
{
	size_t align;

	for (align = 1; align <= 8; align *= 2) {
		void *p = &align, *q = hak_aligned_alloc(align, 24);
		int err = hak_posix_memalign(&p, opaque_size(align), 24);

		KUNIT_EXPECT_NOT_NULL(test, q);
		hak_free(q);
		if (align % sizeof(void *)) {
			KUNIT_EXPECT_EQ(test, err, EINVAL);
			KUNIT_EXPECT_PTR_EQ(test, p, &align);
			continue;
		}
		KUNIT_ASSERT_EQ(test, err, 0);
		KUNIT_EXPECT_TRUE(test, is_aligned(p, 16));
		hak_free(p);
	}
}

static void size_need_not_be_a_multiple(struct kunit *test)
{
	void *p = hak_aligned_alloc(256, 100);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, is_aligned(p, 256));
	hak_free(p);
}

static void posix_memalign_keeps_errno(struct kunit *test)
{
	void *p;

	errno = 4711;
	KUNIT_ASSERT_EQ(test, hak_posix_memalign(&p, 64, 100), 0);
	KUNIT_EXPECT_EQ(test, errno, 4711);
	hak_free(p);
	KUNIT_EXPECT_EQ(test, hak_posix_memalign(&p, 64,
				opaque_size(SIZE_MAX)), ENOMEM);
	KUNIT_EXPECT_EQ(test, errno, 4711);
}

static void page_functions_align_to_pages(struct kunit *test)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		void *v = hak_valloc(sizes[i]);
		void *p = hak_pvalloc(sizes[i]);
		size_t rounded = (sizes[i] + page - 1) & ~(page - 1);

		KUNIT_ASSERT_NOT_NULL(test, v);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, is_aligned(v, page));
		KUNIT_EXPECT_TRUE(test, is_aligned(p, page));
		KUNIT_EXPECT_GE(test, hak_malloc_usable_size(v), sizes[i]);
		KUNIT_EXPECT_GE(test, hak_malloc_usable_size(p), rounded);
		hak_free(v);
		hak_free(p);
	}
}

static void page_functions_overflow(struct kunit *test)
{
	static const size_t big[] = {
		SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX - 4094, HOPELESS_SIZE,
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(big); i++) {
		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_valloc(opaque_size(big[i])));
		KUNIT_EXPECT_EQ(test, errno, ENOMEM);
		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_pvalloc(opaque_size(big[i])));
		KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	}
}

static const struct kunit_case aligned_cases[] = {
	KUNIT_CASE_PARAM(aligns_from_16_to_64_mib, aligners, describe_aligner),
	KUNIT_CASE_PARAM(many_of_each_alignment, aligners, describe_aligner),
	KUNIT_CASE(overflow_is_enomem),
	KUNIT_CASE(huge_alignment_is_enomem),
	KUNIT_CASE(bad_alignment_is_einval),
	KUNIT_CASE(memalign_rounds_the_alignment_up),
	KUNIT_CASE(small_powers_of_two),
	KUNIT_CASE(size_need_not_be_a_multiple),
	KUNIT_CASE(posix_memalign_keeps_errno),
	KUNIT_CASE(page_functions_align_to_pages),
	KUNIT_CASE(page_functions_overflow),
	{}
};

static const struct kunit_suite aligned_suite = {
	.name = "aligned",
	.test_cases = aligned_cases,
};
kunit_test_suite(aligned_suite);
