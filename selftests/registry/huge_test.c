// SPDX-License-Identifier: MIT
/*
 * Huge pages: who gets one, and that what was given back does not come again.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kunit.h"
#include "memory.h"
#include "mm/huge.h"
#include "mm/vm.h"
#include "units.h"

#ifdef CONFIG_HAKMEM_HUGE_PAGES
#define FROM_MB		((size_t)CONFIG_HAKMEM_HUGE_PAGES_FROM_MB)
#else
#define FROM_MB		((size_t)0)
#endif
#define FROM_MB_MAX	64	/* that are mapped to see the next */

#define MUCH		((size_t)-1)

/* @unasked: it holds as well where the kernel gives them to all. */
static void need_huge_pages(struct kunit *test, bool unasked)
{
	char mode[64] = "";
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");

	kunit_need_plain(test);
	if (file) {
		if (!fgets(mode, sizeof(mode), file))
			mode[0] = '\0';
		fclose(file);
	}
	if (!FROM_MB)
		kunit_skip(test, "not configured");
	if (!strstr(mode, "[madvise]") &&
	    !(unasked && strstr(mode, "[always]")))
		kunit_skip(test, "the kernel has none for who asks");
}

static unsigned char *map(struct kunit *test)
{
	void *p = vm_map(NULL, SUPERSLAB_SIZE, SUPERSLAB_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static size_t resident(const void *p)
{
	return vm_resident(p, SUPERSLAB_SIZE);
}

static void dense_range_is_there_at_once(struct kunit *test)
{
	const size_t half = SUPERSLAB_SIZE / 2;
	unsigned char *p;

	need_huge_pages(test, true);
	p = map(test);
	KUNIT_EXPECT_TRUE(test, huge_offer(p, SUPERSLAB_SIZE, MUCH, true));
	KUNIT_EXPECT_EQ(test, p[0] | p[half] | p[SUPERSLAB_SIZE - 1], 0);
	if (resident(p) < SUPERSLAB_SIZE)
		kunit_skip(test, "the kernel had none left");
	KUNIT_EXPECT_TRUE(test, vm_purge(p, half));
	*p = 1;
	KUNIT_EXPECT_EQ(test, resident(p), half + vm_page_size());
	vm_unmap(p, SUPERSLAB_SIZE);
}

static void others_come_page_by_page(struct kunit *test)
{
	unsigned char *sparse, *early;

	need_huge_pages(test, true);
	sparse = map(test);
	KUNIT_EXPECT_FALSE(test, huge_offer(sparse, SUPERSLAB_SIZE, MUCH,
					    false));
	early = map(test);
	KUNIT_EXPECT_FALSE(test, huge_offer(early, SUPERSLAB_SIZE, 0,
					    true));
	KUNIT_EXPECT_EQ(test, resident(sparse) + resident(early), 0);
	*sparse = 1;
	*early = 1;
	KUNIT_EXPECT_EQ(test, resident(sparse) + resident(early),
			2 * vm_page_size());
	vm_unmap(sparse, SUPERSLAB_SIZE);
	vm_unmap(early, SUPERSLAB_SIZE);
}

/* Return: bytes of memory behind it, once its first byte was touched. */
static size_t touch_advised(struct kunit *test, size_t mapped, bool *advised)
{
	unsigned char *p = map(test);
	size_t bytes;

	*advised = huge_advise(p, SUPERSLAB_SIZE, mapped);
	KUNIT_EXPECT_EQ(test, resident(p), 0);
	*p = 1;
	bytes = resident(p);
	vm_unmap(p, SUPERSLAB_SIZE);
	return bytes;
}

static void learn(struct kunit *test, size_t touched)
{
	unsigned char *p = map(test);

	memset(p, 1, touched);
	huge_learn(p, SUPERSLAB_SIZE);
	vm_unmap(p, SUPERSLAB_SIZE);
}

static unsigned int count_advised(struct kunit *test, size_t mapped)
{
	unsigned int i, n = 0;
	bool advised;

	for (i = 0; i < 100; i++) {
		if (touch_advised(test, mapped, &advised) == SUPERSLAB_SIZE)
			KUNIT_EXPECT_TRUE(test, advised);
		n += advised;
	}
	return n;
}

/* Some go without at any time, to learn from. */
static void large_objects_get_them_while_dense(struct kunit *test)
{
	need_huge_pages(test, false);
	KUNIT_EXPECT_EQ(test, count_advised(test, MUCH), 0);
	learn(test, SUPERSLAB_SIZE);
	learn(test, SUPERSLAB_SIZE);
	KUNIT_EXPECT_EQ(test, count_advised(test, 0), 0);
	KUNIT_EXPECT_GT(test, count_advised(test, MUCH), 50);
	KUNIT_EXPECT_LT(test, count_advised(test, MUCH), 100);
	learn(test, SUPERSLAB_SIZE / 2);
	KUNIT_EXPECT_EQ(test, count_advised(test, MUCH), 0);
	learn(test, SUPERSLAB_SIZE);
	KUNIT_EXPECT_EQ(test, count_advised(test, MUCH), 0);
}

/* Of several of them: what was touched of one says that it was sparse. */
static void untouched_huge_pages_show(struct kunit *test)
{
	const size_t size = 4 * SUPERSLAB_SIZE;
	unsigned char *p;

	need_huge_pages(test, false);
	learn(test, SUPERSLAB_SIZE);
	learn(test, SUPERSLAB_SIZE);
	p = vm_map(NULL, size, SUPERSLAB_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, huge_advise(p, size, MUCH));
	*p = 1;
	huge_learn(p, size);
	KUNIT_EXPECT_EQ(test, count_advised(test, MUCH), 0);
	vm_unmap(p, size);
}

/* Of an object that grows to twice as much, in a process however small. */
static bool follows(struct kunit *test, size_t filled, size_t touched)
{
	unsigned char *p = vm_map(NULL, 2 * filled, SUPERSLAB_SIZE);
	bool advised;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p + filled - touched, 1, touched);
	advised = huge_follow(p, filled, 2 * filled);
	p[filled] = 1;
	KUNIT_EXPECT_LE(test, resident(p + filled),
			advised ? SUPERSLAB_SIZE : SUPERSLAB_SIZE / 2);
	vm_unmap(p, 2 * filled);
	return advised;
}

static void growing_object_gets_them_if_it_was_filled(struct kunit *test)
{
	const size_t filled = SUPERSLAB_SIZE;

	need_huge_pages(test, false);
	KUNIT_EXPECT_TRUE(test, follows(test, filled, filled));
	KUNIT_EXPECT_FALSE(test, follows(test, filled, filled / 2));
	KUNIT_EXPECT_FALSE(test, follows(test, filled / 2, filled / 2));
}

static void one_of_many_pages_gets_them_in_any_process(struct kunit *test)
{
	const size_t size = 2 * SUPERSLAB_SIZE;
	unsigned int i, n = 0;
	void *p;

	need_huge_pages(test, false);
	learn(test, SUPERSLAB_SIZE);
	learn(test, SUPERSLAB_SIZE);
	for (i = 0; i < 20; i++) {
		p = vm_map(NULL, size, SUPERSLAB_SIZE);
		KUNIT_ASSERT_NOT_NULL(test, p);
		n += huge_advise(p, size, 0);
		vm_unmap(p, size);
	}
	KUNIT_EXPECT_GT(test, n, 10);
}

/* They count as touched from the start, so that they are given back, too. */
static void grown_process_has_them(struct kunit *test)
{
	size_t units = (FROM_MB + 4) * MIB / SLAB_SIZE;
	struct superslab *superslab;
	unsigned int first = 0;
	uint32_t dirty = 0;
	size_t i;

	need_huge_pages(test, true);
	if (FROM_MB > FROM_MB_MAX)
		kunit_skip(test, "only beyond %u MiB", FROM_MB_MAX);
	for (i = 0; i < units; i++) {
		superslab = superslab_take_units(1, true, &first, &dirty);
		KUNIT_ASSERT_NOT_NULL(test, superslab);
		superslab_let_go();
	}
	KUNIT_EXPECT_EQ(test, dirty, unit_mask(first, 1));
}

static const struct kunit_case huge_cases[] = {
	KUNIT_CASE(dense_range_is_there_at_once),
	KUNIT_CASE(others_come_page_by_page),
	KUNIT_CASE(large_objects_get_them_while_dense),
	KUNIT_CASE(untouched_huge_pages_show),
	KUNIT_CASE(growing_object_gets_them_if_it_was_filled),
	KUNIT_CASE(one_of_many_pages_gets_them_in_any_process),
	KUNIT_CASE(grown_process_has_them),
	{}
};

static const struct kunit_suite huge_suite = {
	.name = "huge",
	.init = start_allocator,
	.test_cases = huge_cases,
};
kunit_test_suite(huge_suite);
