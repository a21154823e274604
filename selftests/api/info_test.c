// SPDX-License-Identifier: MIT
/*
 * malloc_trim, malloc_stats, malloc_info, mallinfo2, mallopt, version.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "report.h"

static void version_is_the_headers(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, hak_version(), HAKMEM_VERSION);
}

static const size_t sizes[] = { 100, 1000, 5000, 100000, 3000000 };

static size_t usable(size_t size)
{
	void *p = hak_malloc(size);
	size_t bytes = hak_malloc_usable_size(p);

	hak_free(p);
	return bytes;
}

/* 48 MiB of each size, touched and freed, must leave the process. */
static void trim_gives_memory_back(struct kunit *test)
{
	static void *p[48 * MIB / 100];
	size_t i, j, count, before;

	kunit_need_plain(test);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		count = 48 * MIB / usable(sizes[i]);
		memset(p, 0, sizeof(p));
		before = process_status("VmRSS:");
		for (j = 0; j < count; j++) {
			p[j] = hak_malloc(sizes[i]);
			KUNIT_ASSERT_NOT_NULL(test, p[j]);
			memset(p[j], 1, sizes[i]);
		}
		for (j = 0; j < count; j++)
			hak_free(p[j]);
		hak_malloc_trim(0);
		KUNIT_EXPECT_MSG(test, process_status("VmRSS:") <
				 before + 4 * MIB,
				 "size %zu: %zu bytes resident, %zu before",
				 sizes[i], process_status("VmRSS:"), before);
	}
}

static void trim_says_whether_it_did(struct kunit *test)
{
	void *p = hak_malloc(100000);
	int kept;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 1, 100000);
	hak_free(p);
	/* What may not be kept went back when it was freed, or had guards. */
	kept = CONFIG_HAKMEM_RETAIN_KB >= 128 &&
	       !IS_ENABLED(CONFIG_HAKMEM_HARDEN);
	KUNIT_EXPECT_GE(test, hak_malloc_trim(0), kept);
	KUNIT_EXPECT_EQ(test, hak_malloc_trim(0), 0);
}

static void trim_spares_live_objects(struct kunit *test)
{
	static unsigned char *p[2000];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		p[i] = hak_malloc(i * 3);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		pattern_fill(p[i], i * 3, i);
	}
	for (i = 0; i < ARRAY_LENGTH(p); i += 3) {
		hak_free(p[i]);
		p[i] = NULL;
	}
	hak_malloc_trim(0);
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		KUNIT_EXPECT_MSG(test, !p[i] || pattern_intact(p[i], i * 3, i),
				 "object %zu", i);
		hak_free(p[i]);
	}
}

static void print_stats(void *arg)
{
	hak_free(hak_malloc(*(size_t *)arg));
	hak_malloc_stats();
}

static void stats_go_to_stderr(struct kunit *test)
{
	struct report report;
	size_t size = 100;

	report_call(&report, print_stats, &size);
	KUNIT_EXPECT_EQ(test, report.status, 0);
	if (IS_ENABLED(CONFIG_HAKMEM_STATS))
		KUNIT_EXPECT_GT(test, report.lines, 2);
	else
		KUNIT_EXPECT_EQ(test, report.lines, 0);
}

/* As many closing tags as opening ones, and glibc's root element. */
static void info_is_xml(struct kunit *test)
{
	char *text = NULL, *c;
	size_t size;
	int depth = 0;
	void *p = hak_malloc(100);
	FILE *file = open_memstream(&text, &size);

	KUNIT_ASSERT_NOT_NULL(test, file);
	KUNIT_EXPECT_EQ(test, hak_malloc_info(0, file), 0);
	KUNIT_ASSERT_EQ(test, fclose(file), 0);
	KUNIT_EXPECT_MSG(test, strstr(text, "<malloc version="), "%s", text);
	KUNIT_EXPECT_MSG(test, strstr(text, "</malloc>"), "%s", text);
	for (c = strchr(text, '<'); c; c = strchr(c + 1, '<')) {
		char *end = strchr(c, '>');

		KUNIT_ASSERT_MSG(test, end, "%s", c);
		if (c[1] == '/')
			depth--;
		else if (c[1] != '?' && end[-1] != '/')
			depth++;
		KUNIT_EXPECT_GE(test, depth, 0);
	}
	KUNIT_EXPECT_EQ(test, depth, 0);
	free(text);
	hak_free(p);
}

static void info_takes_no_options(struct kunit *test)
{
	errno = 0;
	KUNIT_EXPECT_EQ(test, hak_malloc_info(1, stderr), -1);
	KUNIT_EXPECT_EQ(test, errno, EINVAL);
}

static void mallinfo2_follows_objects(struct kunit *test)
{
	/* Hardened blocks do not tell that they may have a page each. */
	const size_t most = IS_ENABLED(CONFIG_HAKMEM_HARDEN) ? 5 : 2;
	struct hak_mallinfo2 before, after;
	void *p[1000], *mapping;
	size_t i, bytes = ARRAY_LENGTH(p) * usable(1000);

	before = hak_mallinfo2();
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		p[i] = hak_malloc(1000);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	mapping = hak_malloc(5 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, mapping);
	after = hak_mallinfo2();
	if (IS_ENABLED(CONFIG_HAKMEM_STATS)) {
		KUNIT_EXPECT_GE(test, after.uordblks, before.uordblks + bytes);
		KUNIT_EXPECT_LT(test, after.uordblks,
				before.uordblks + most * bytes);
	}
	KUNIT_EXPECT_EQ(test, after.arena, after.uordblks + after.fordblks);
	KUNIT_EXPECT_EQ(test, after.hblks, before.hblks + 1);
	KUNIT_EXPECT_GE(test, after.hblkhd, before.hblkhd + 5 * MIB);
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		hak_free(p[i]);
	hak_free(mapping);
	hak_malloc_trim(0);
	after = hak_mallinfo2();
	KUNIT_EXPECT_LE(test, after.uordblks, before.uordblks);
	KUNIT_EXPECT_EQ(test, after.hblks, before.hblks);
	KUNIT_EXPECT_EQ(test, after.hblkhd, before.hblkhd);
}

#ifndef M_PERTURB	/* glibc's numbers, where <malloc.h> has none */
#define M_MXFAST		1
#define M_TRIM_THRESHOLD	-1
#define M_TOP_PAD		-2
#define M_MMAP_THRESHOLD	-3
#define M_MMAP_MAX		-4
#define M_CHECK_ACTION		-5
#define M_PERTURB		-6
#define M_ARENA_TEST		-7
#define M_ARENA_MAX		-8
#endif

static void mallopt_accepts_hints(struct kunit *test)
{
	static const int accepted[] = {
		M_MXFAST, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD,
		M_MMAP_MAX, M_CHECK_ACTION, M_ARENA_TEST, M_ARENA_MAX,
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(accepted); i++)
		KUNIT_EXPECT_MSG(test, hak_mallopt(accepted[i], 64) == 1,
				 "parameter %d", accepted[i]);
	KUNIT_EXPECT_EQ(test, hak_mallopt(M_PERTURB, 1), 0);
	KUNIT_EXPECT_EQ(test, hak_mallopt(12345, 1), 0);
}

static const struct kunit_case info_cases[] = {
	KUNIT_CASE(version_is_the_headers),
	KUNIT_CASE(trim_gives_memory_back),
	KUNIT_CASE(trim_says_whether_it_did),
	KUNIT_CASE(trim_spares_live_objects),
	KUNIT_CASE(stats_go_to_stderr),
	KUNIT_CASE(info_is_xml),
	KUNIT_CASE(info_takes_no_options),
	KUNIT_CASE(mallinfo2_follows_objects),
	KUNIT_CASE(mallopt_accepts_hints),
	{}
};

static const struct kunit_suite info_suite = {
	.name = "info",
	.test_cases = info_cases,
};
kunit_test_suite(info_suite);
