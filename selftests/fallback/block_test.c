// SPDX-License-Identifier: MIT
/*
 * Blocks from libc in every function of the interface, and pointers that are
 * none. Taken from fallback_alloc() itself, so that no tier has to fail.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/fallback.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/vm.h"
#include "report.h"

static const size_t sizes[] = {
	0, 1, 16, 100, 1024, 5000, 100000, 3000000,
};

static int open_the_way(struct kunit *test)
{
	(void)test;
	setenv("HAKMEM_ALLOW_MALLOC_FALLBACK", "1", 1);
	hak_free(hak_malloc(1));
	return 0;
}

static size_t live_blocks(void)
{
	struct fallback_stats stats;

	fallback_stats(&stats);
	return stats.blocks;
}

static size_t live_bytes(void)
{
	struct fallback_stats stats;

	fallback_stats(&stats);
	return stats.bytes;
}

static bool is_from_libc(const void *p)
{
	const char *fault = FAULT_FOREIGN;

	if (registry_class(p) != CLASS_NONE)
		return false;
	fallback_usable(p, &fault);
	return !fault;
}

static const struct fallback_header *header_of(const void *p)
{
	return (const struct fallback_header *)p - 1;
}

static void header_says_what_it_is(struct kunit *test)
{
	const struct fallback_header *header;
	char *p = fallback_alloc(100, 1, false);
	char *q = fallback_alloc(200, 256, true);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	header = header_of(p);
	KUNIT_EXPECT_EQ(test, header->size, 100);
	KUNIT_EXPECT_EQ(test, header->method, FALLBACK_MALLOC);
	KUNIT_EXPECT_LE(test, (char *)header->raw, (char *)header);
	KUNIT_EXPECT_EQ(test, header_of(q)->size, 200);
	KUNIT_EXPECT_EQ(test, header_of(q)->method, FALLBACK_CALLOC);
	KUNIT_EXPECT_NE(test, header->magic, header_of(q)->magic);
	KUNIT_EXPECT_EQ(test, live_blocks(), 2);
	KUNIT_EXPECT_EQ(test, live_bytes(), 300);
	KUNIT_EXPECT_TRUE(test, is_from_libc(p) && is_from_libc(q));
	hak_free(p);
	hak_free(q);
	KUNIT_EXPECT_EQ(test, live_blocks(), 0);
	KUNIT_EXPECT_EQ(test, live_bytes(), 0);
}

static void every_alignment_is_kept(struct kunit *test)
{
	size_t align, i;

	for (align = 1; align <= 8 * MIB; align *= 2)
		for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
			char *p = fallback_alloc(sizes[i], align, i % 2);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_TRUE(test, is_aligned(p, align));
			KUNIT_EXPECT_TRUE(test, is_aligned(p, OBJECT_ALIGN));
			KUNIT_EXPECT_EQ(test, hak_malloc_usable_size(p),
					sizes[i]);
			pattern_fill(p, sizes[i], align);
			KUNIT_EXPECT_TRUE(test, pattern_intact(p, sizes[i],
							       align));
			hak_free(p);
		}
	KUNIT_EXPECT_EQ(test, live_blocks(), 0);
}

/* libc gives back what was written to a moment ago. */
static void zero_is_zero(struct kunit *test)
{
	size_t i, round;

	for (round = 0; round < 20; round++)
		for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
			size_t align = (size_t)1 << round;
			char *p = fallback_alloc(sizes[i], align, false);

			KUNIT_ASSERT_NOT_NULL(test, p);
			memset(p, 0xff, sizes[i]);
			hak_free(p);
			p = fallback_alloc(sizes[i], align, true);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_TRUE(test, bytes_are(p, sizes[i], 0));
			hak_free(p);
		}
}

#define TOP_BIT	(SIZE_MAX / 2 + 1)

static void absurd_sizes_are_refused(struct kunit *test)
{
	size_t huge = opaque_size(PTRDIFF_MAX);

	KUNIT_EXPECT_NULL(test, fallback_alloc(huge, 1, false));
	KUNIT_EXPECT_NULL(test, fallback_alloc(huge, TOP_BIT, true));
	KUNIT_EXPECT_NULL(test, fallback_alloc(1, TOP_BIT, false));
	KUNIT_EXPECT_FALSE(test, fallback_stats(&(struct fallback_stats){}));
}

static void errno_is_kept(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		char *p;

		errno = 4711;
		p = fallback_alloc(sizes[i], 4096, false);
		hak_malloc_usable_size(p);
		hak_free(p);
		KUNIT_EXPECT_EQ(test, errno, 4711);
	}
}

/* Memory is there again: what has to move comes back to the tiers. */
static void realloc_moves_home(struct kunit *test)
{
	size_t i, j;

	for (i = 1; i < ARRAY_LENGTH(sizes); i++)
		for (j = 1; j < ARRAY_LENGTH(sizes); j++) {
			size_t common = sizes[i] < sizes[j] ? sizes[i] :
							      sizes[j];
			char *p = fallback_alloc(sizes[i], 1, false), *q;

			KUNIT_ASSERT_NOT_NULL(test, p);
			pattern_fill(p, common, i);
			errno = 4711;
			q = hak_realloc(p, sizes[j]);
			KUNIT_ASSERT_NOT_NULL(test, q);
			KUNIT_EXPECT_EQ(test, errno, 4711);
			KUNIT_EXPECT_TRUE(test, pattern_intact(q, common, i));
			KUNIT_EXPECT_EQ(test, is_from_libc(q), i == j);
			KUNIT_EXPECT_EQ(test, live_blocks(), i == j);
			hak_free(q);
		}
	KUNIT_EXPECT_EQ(test, live_blocks(), 0);
}

static void realloc_stays_or_ends(struct kunit *test)
{
	char *p = fallback_alloc(3000, 1, false);

	KUNIT_ASSERT_NOT_NULL(test, p);
	pattern_fill(p, 3000, 1);
	KUNIT_EXPECT_PTR_EQ(test, hak_realloc(p, 2000), p);
	KUNIT_EXPECT_PTR_EQ(test, hak_realloc(p, 3000), p);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, 3000, 1));
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_realloc(p, opaque_size(PTRDIFF_MAX)));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, 3000, 1));
	KUNIT_EXPECT_NULL(test, hak_realloc(p, 0));
	KUNIT_EXPECT_EQ(test, live_blocks(), 0);
}

static void sized_frees_take_blocks(struct kunit *test)
{
	char *p = fallback_alloc(100, 1, false);
	char *q = fallback_alloc(100, 4096, false);

	hak_free_sized(p, 100);
	hak_free_aligned_sized(q, 4096, 100);
	KUNIT_EXPECT_EQ(test, live_blocks(), 0);
}

static void free_it(void *ptr)
{
	hak_free(opaque(ptr));
	hak_malloc_trim(0);
}

static void free_twice(void *ptr)
{
	hak_free(opaque(ptr));
	free_it(ptr);
}

static void resize_it(void *ptr)
{
	opaque(hak_realloc(opaque(ptr), 50));
}

static void measure_it(void *ptr)
{
	opaque_size(hak_malloc_usable_size(opaque(ptr)));
}

#define EXPECT_REPORT(test, fn, ptr, function, what)			\
	KUNIT_EXPECT_DEATH(test, fn, ptr, SIGABRT,			\
			   "^hakmem: %s\\(\\): (%s): %p( in .*)?$",	\
			   (function), (what), (void *)(ptr))

static void expect_foreign(struct kunit *test, void *ptr)
{
	EXPECT_REPORT(test, free_it, ptr, "free", FAULT_FOREIGN_TEXT);
	EXPECT_REPORT(test, resize_it, ptr, "realloc", FAULT_FOREIGN_TEXT);
	EXPECT_REPORT(test, measure_it, ptr, "malloc_usable_size",
		      FAULT_FOREIGN_TEXT);
}

static void foreign_pointers_are_noticed(struct kunit *test)
{
	static char in_data[256] __attribute__((aligned(64)));
	char on_stack[256] __attribute__((aligned(64)));
	size_t page = vm_page_size(), i;
	char *block = fallback_alloc(100, 1, false);
	char *mapped = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *foreign[] = {
		in_data + 64, on_stack + 64, malloc(100), block + 1,
		block + 8, block + 16, block + 96,
		/* The header would begin where nothing can be read. */
		mapped + page, mapped + page + 16, mapped + 3 * page,
		mapped + 3 * page + 16, mapped + 2 * page,
		(void *)((uintptr_t)foreign_pointers_are_noticed &
			 ~(uintptr_t)15),
		(void *)8, (void *)16, (void *)32, (void *)4096,
		(void *)0x00007ffffffff000, (void *)0x0000800000000000,
		(void *)0x0800000000000000, (void *)0xffff800000000000,
		(void *)~(uintptr_t)15,
	};

	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_ASSERT_TRUE(test, mapped != MAP_FAILED);
	munmap(mapped, page);
	mprotect(mapped + 2 * page, page, PROT_NONE);
	for (i = 0; i < ARRAY_LENGTH(foreign); i++)
		expect_foreign(test, foreign[i]);
	hak_free(block);
}

/* As a block that another program part has copied, header and all. */
static void copy_of_a_block_is_none(struct kunit *test)
{
	static struct {
		struct fallback_header header;
		char content[112];
	} copy __attribute__((aligned(16)));
	char *p = fallback_alloc(100, 1, false);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 1, 100);
	memcpy(&copy, header_of(p), sizeof(copy.header) + 100);
	expect_foreign(test, copy.content);
	hak_free(p);
}

static void overwritten_header_is_noticed(struct kunit *test)
{
	char *p = fallback_alloc(100, 1, false);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 1; i <= sizeof(struct fallback_header); i++) {
		p[-(ptrdiff_t)i] ^= 1;
		expect_foreign(test, p);
		p[-(ptrdiff_t)i] ^= 1;
	}
	KUNIT_EXPECT_SURVIVAL(test, free_it, p);
	hak_free(p);
}

/*
 * libc's free lists of large blocks have a word where the magic is, and of what
 * went back to the kernel nothing is left.
 */
static void double_free_is_noticed(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		char *p = fallback_alloc(sizes[i], 1, false);

		KUNIT_ASSERT_NOT_NULL(test, p);
		EXPECT_REPORT(test, free_twice, p, "free", sizes[i] < 1000 ?
			      FAULT_FREE : FAULT_FREE "|" FAULT_FOREIGN_TEXT);
		hak_free(p);
	}
}

/* Return: what malloc_stats() writes. */
static const char *stats_text(struct kunit *test)
{
	static char text[16384];
	int fd = memfd_create("stats", 0), saved = dup(STDERR_FILENO);
	ssize_t got;

	KUNIT_ASSERT_TRUE(test, fd >= 0 && saved >= 0);
	dup2(fd, STDERR_FILENO);
	hak_malloc_stats();
	dup2(saved, STDERR_FILENO);
	got = pread(fd, text, sizeof(text) - 1, 0);
	KUNIT_ASSERT_TRUE(test, got > 0);
	text[got] = '\0';
	close(fd);
	close(saved);
	return text;
}

static void stats_tell_when_it_was_used(struct kunit *test)
{
	char *p, *q;

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_STATS is not set");
	KUNIT_EXPECT_NULL(test, strstr(stats_text(test), "fallback"));
	p = fallback_alloc(2048, 1, false);
	q = fallback_alloc(100, 1, false);
	hak_free(q);
	KUNIT_EXPECT_NOT_NULL(test, strstr(stats_text(test), "\nfallback to "
		"libc's malloc: 1 blocks, 2 KiB in use; 2 handed out\n"));
	hak_free(p);
}

static const struct kunit_case block_cases[] = {
	KUNIT_CASE(header_says_what_it_is),
	KUNIT_CASE(every_alignment_is_kept),
	KUNIT_CASE(zero_is_zero),
	KUNIT_CASE(absurd_sizes_are_refused),
	KUNIT_CASE(errno_is_kept),
	KUNIT_CASE(realloc_moves_home),
	KUNIT_CASE(realloc_stays_or_ends),
	KUNIT_CASE(sized_frees_take_blocks),
	KUNIT_CASE(foreign_pointers_are_noticed),
	KUNIT_CASE(copy_of_a_block_is_none),
	KUNIT_CASE(overwritten_header_is_noticed),
	KUNIT_CASE(double_free_is_noticed),
	KUNIT_CASE(stats_tell_when_it_was_used),
	{}
};

static const struct kunit_suite block_suite = {
	.name = "block",
	.init = open_the_way,
	.test_cases = block_cases,
};
kunit_test_suite(block_suite);
