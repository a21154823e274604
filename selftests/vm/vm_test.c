// SPDX-License-Identifier: MIT
/*
 * The contracts of include/mm/vm.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kunit.h"
#include "memory.h"
#include "mm/vm.h"
#include "report.h"

#define VM_SIZE	(256 * KIB)

static void *map(struct kunit *test)
{
	void *p = vm_map(NULL, VM_SIZE, vm_page_size());

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static void read_byte(void *p)
{
	opaque_size(*(volatile unsigned char *)p);
}

static void write_byte(void *p)
{
	*(volatile unsigned char *)p = 1;
}

/* Many times more than the process has memory for, if there are addresses. */
#define RESERVED	(sizeof(size_t) > 4 ? 8 * GIB : GIB)

static void limit_memory(struct kunit *test, size_t headroom)
{
	limit_process(test, RLIMIT_AS, process_status("VmSize:") + headroom);
}

static void page_size_is_the_systems(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vm_page_size(), sysconf(_SC_PAGESIZE));
}

static void map_gives_zeroed_aligned_memory(struct kunit *test)
{
	size_t align;

	for (align = vm_page_size(); align <= RESERVED / 8; align *= 2) {
		unsigned char *p = vm_map(NULL, VM_SIZE, align);
		unsigned char *q = vm_map(NULL, VM_SIZE, align);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_TRUE(test, is_aligned(p, align));
		KUNIT_EXPECT_TRUE(test, is_aligned(q, align));
		KUNIT_EXPECT_TRUE(test, bytes_are(p, VM_SIZE, 0));
		memset(p, 1, VM_SIZE);
		memset(q, 2, VM_SIZE);
		KUNIT_EXPECT_TRUE(test, bytes_are(p, VM_SIZE, 1));
		KUNIT_EXPECT_TRUE(test, vm_unmap(p, VM_SIZE));
		KUNIT_EXPECT_TRUE(test, vm_unmap(q, VM_SIZE));
	}
}

/* Aligning maps more than is wanted; none of that may stay. */
static void map_leaves_nothing_behind(struct kunit *test)
{
	size_t before = process_status("VmSize:");
	size_t i;
	void *p;

	for (i = 0; i < 1000; i++) {
		p = vm_map(NULL, VM_SIZE, 64 * MIB);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_TRUE(test, vm_unmap(p, VM_SIZE));
	}
	KUNIT_EXPECT_EQ(test, process_status("VmSize:"), before);
}

static void map_takes_a_free_hint(struct kunit *test)
{
	char *p = map(test), *q;

	KUNIT_ASSERT_TRUE(test, vm_unmap(p, VM_SIZE));
	q = vm_map(p, VM_SIZE, vm_page_size());
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	/* One that is taken must neither be overwritten nor be an error. */
	memset(q, 1, VM_SIZE);
	p = vm_map(q, VM_SIZE, vm_page_size());
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	KUNIT_EXPECT_TRUE(test, bytes_are(q, VM_SIZE, 1));
}

static void map_says_no(struct kunit *test)
{
	size_t page = vm_page_size();

	KUNIT_EXPECT_NULL(test, vm_map(NULL, NO_ROOM_SIZE, page));
	KUNIT_EXPECT_NULL(test, vm_map(NULL, SIZE_MAX - page + 1, page));
	KUNIT_EXPECT_NULL(test, vm_map(NULL, SIZE_MAX - 2 * page + 1,
				       64 * MIB));
	limit_memory(test, MIB);
	KUNIT_EXPECT_NULL(test, vm_map(NULL, 4 * MIB, page));
	KUNIT_EXPECT_NOT_NULL(test, vm_map(NULL, VM_SIZE, page));
}

static void unmapped_memory_is_gone(struct kunit *test)
{
	char *p = map(test);

	KUNIT_ASSERT_TRUE(test, vm_unmap(p + VM_SIZE / 2, VM_SIZE / 2));
	KUNIT_EXPECT_SURVIVAL(test, write_byte, p + VM_SIZE / 2 - 1);
	KUNIT_EXPECT_DEATH(test, read_byte, p + VM_SIZE / 2, SIGSEGV, "^$");
}

/* Each hole makes a mapping more, until the kernel has enough of them. */
static void unmap_says_when_it_cannot(struct kunit *test)
{
	size_t page = vm_page_size(), i, count = 70000;
	char *p = vm_map(NULL, 2 * count * page, page);
	bool done = true;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < count && done; i++)
		done = vm_unmap(p + 2 * i * page, page);
	if (done)
		kunit_skip(test, "vm.max_map_count is over %zu", count);
	i--;
	p[2 * i * page] = 1;
	KUNIT_EXPECT_EQ(test, p[2 * i * page], 1);
}

static void resident_memory_is_counted(struct kunit *test)
{
	size_t page = vm_page_size(), pages = 2000, i;
	unsigned char *p = vm_map(NULL, pages * page, page);

	need_mincore(test);
	KUNIT_ASSERT_NOT_NULL(test, p);
	/* A page of 2 MiB would come whole. */
	madvise(p, pages * page, MADV_NOHUGEPAGE);
	KUNIT_EXPECT_EQ(test, vm_resident(p, pages * page), 0);
	for (i = 0; i < pages; i += 4)
		p[i * page] = 1;
	KUNIT_EXPECT_EQ(test, vm_resident(p, pages * page), pages / 4 * page);
	KUNIT_EXPECT_EQ(test, vm_resident(p, page), page);
	KUNIT_EXPECT_EQ(test, vm_resident(p + page, 3 * page), 0);
	KUNIT_EXPECT_TRUE(test, vm_purge(p, pages / 2 * page));
	KUNIT_EXPECT_EQ(test, vm_resident(p, pages * page), pages / 8 * page);
}

static void unmapped_memory_is_not_resident(struct kunit *test)
{
	unsigned char *p = map(test);

	memset(p, 1, VM_SIZE);
	KUNIT_ASSERT_TRUE(test, vm_unmap(p, VM_SIZE));
	errno = 0;
	KUNIT_EXPECT_EQ(test, vm_resident(p, VM_SIZE), 0);
	KUNIT_EXPECT_EQ(test, errno, 0);
}

static void purged_memory_reads_as_zero(struct kunit *test)
{
	unsigned char *p = map(test);

	memset(p, 1, VM_SIZE);
	KUNIT_EXPECT_TRUE(test, vm_purge(p, VM_SIZE / 2));
	KUNIT_EXPECT_TRUE(test, bytes_are(p, VM_SIZE / 2, 0));
	KUNIT_EXPECT_TRUE(test, bytes_are(p + VM_SIZE / 2, VM_SIZE / 2, 1));
	memset(p, 2, VM_SIZE);
	KUNIT_EXPECT_TRUE(test, bytes_are(p, VM_SIZE, 2));
}

static void purge_gives_memory_back(struct kunit *test)
{
	unsigned char *p = vm_map(NULL, 64 * MIB, vm_page_size());
	size_t full;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 1, 64 * MIB);
	full = process_status("VmRSS:");
	KUNIT_EXPECT_TRUE(test, vm_purge(p, 64 * MIB));
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), full - 60 * MIB);
}

static void purge_says_when_it_cannot(struct kunit *test)
{
	unsigned char *p = map(test);
	size_t page = vm_page_size();

	kunit_need_plain(test);
	if (mlock(p, page))
		kunit_skip(test, "no memory may be locked");
	KUNIT_EXPECT_FALSE(test, vm_purge(p, page));
	KUNIT_EXPECT_TRUE(test, vm_purge(p + page, page));
}

static void remap_keeps_content(struct kunit *test)
{
	unsigned char *p = map(test);

	pattern_fill(p, VM_SIZE, 1);
	p = vm_remap(p, VM_SIZE, 64 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, VM_SIZE, 1));
	KUNIT_EXPECT_TRUE(test, bytes_are(p + VM_SIZE, 64 * MIB - VM_SIZE, 0));
	p = vm_remap(p, 64 * MIB, VM_SIZE / 2);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, VM_SIZE / 2, 1));
	KUNIT_EXPECT_DEATH(test, read_byte, p + VM_SIZE / 2, SIGSEGV, "^$");
}

static void failed_remap_changes_nothing(struct kunit *test)
{
	unsigned char *p = map(test);

	pattern_fill(p, VM_SIZE, 1);
	limit_memory(test, MIB);
	KUNIT_EXPECT_NULL(test, vm_remap(p, VM_SIZE, 64 * MIB));
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, VM_SIZE, 1));
}

static void reservation_costs_addresses_only(struct kunit *test)
{
	size_t data = process_status("VmData:");
	size_t rss = process_status("VmRSS:");
	unsigned char *p = vm_reserve(RESERVED);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, is_aligned(p, vm_page_size()));
	KUNIT_EXPECT_EQ(test, process_status("VmData:"), data);
	for (i = 0; i < RESERVED; i += RESERVED / 16)
		KUNIT_EXPECT_EQ(test, p[i], 0);
	KUNIT_EXPECT_LT(test, process_status("VmRSS:"), rss + MIB);
	KUNIT_EXPECT_DEATH(test, write_byte, p + RESERVED / 8, SIGSEGV, "^$");
}

static void committed_part_is_writable(struct kunit *test)
{
	size_t page = vm_page_size();
	unsigned char *p = vm_reserve(RESERVED / 8);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, vm_commit(p + page, 2 * page));
	memset(p + page, 1, 2 * page);
	KUNIT_EXPECT_TRUE(test, vm_commit(p + page, page));
	KUNIT_EXPECT_TRUE(test, bytes_are(p + page, 2 * page, 1));
	KUNIT_EXPECT_DEATH(test, write_byte, p, SIGSEGV, "^$");
	KUNIT_EXPECT_DEATH(test, write_byte, p + 3 * page, SIGSEGV, "^$");
}

/* No two of a kind beside one another, so that none are joined. */
static void use_up_mappings(struct kunit *test)
{
	size_t page = vm_page_size();
	size_t i;

	for (i = 0; i < 160000; i++)
		if (mmap(NULL, page, i & 1 ? PROT_READ : PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			return;
	kunit_skip(test, "vm.max_map_count is very large");
}

static void need_addresses_to_spare(struct kunit *test)
{
	need_limits(test);
	if (sizeof(void *) == 4)
		kunit_skip(test, "32 bits leave no addresses to spare");
}

static void spare_serves_when_mappings_are_used_up(struct kunit *test)
{
	unsigned char *spare, *p, *q, *again;
	size_t size;

	need_addresses_to_spare(test);
	spare = vm_keep_spare(&size);
	KUNIT_ASSERT_NOT_NULL(test, spare);
	KUNIT_EXPECT_GE(test, size, GIB);
	use_up_mappings(test);
	p = vm_map(NULL, VM_SIZE, vm_page_size());
	q = vm_map(NULL, 2 * MIB, 2 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_TRUE(test, p > spare && q + 2 * MIB <= spare + size);
	KUNIT_EXPECT_TRUE(test, is_aligned(q, 2 * MIB));
	memset(p, 1, VM_SIZE);
	memset(q, 2, 2 * MIB);
	KUNIT_EXPECT_NULL(test, vm_remap(p, VM_SIZE, 2 * VM_SIZE));
	KUNIT_EXPECT_FALSE(test, vm_unmap(p, VM_SIZE));
	KUNIT_EXPECT_TRUE(test, bytes_are(p, VM_SIZE, 1));
	KUNIT_EXPECT_TRUE(test, vm_unmap(q, 2 * MIB));
	again = vm_map(NULL, 2 * MIB, 2 * MIB);
	KUNIT_EXPECT_PTR_EQ(test, again, q);
	KUNIT_EXPECT_TRUE(test, bytes_are(again, 2 * MIB, 0));
	KUNIT_EXPECT_NULL(test, vm_map(NULL, size, vm_page_size()));
}

/* Whoever may not have more addresses has none to spare. */
static void spare_is_not_kept_under_a_limit(struct kunit *test)
{
	size_t size;

	limit_memory(test, 100 * MIB);
	KUNIT_EXPECT_NULL(test, vm_keep_spare(&size));
	KUNIT_EXPECT_EQ(test, size, 0);
}

/* Set later, it is meant for what is taken from then on. */
static void spare_is_no_way_round_a_limit(struct kunit *test)
{
	size_t size;

	need_addresses_to_spare(test);
	KUNIT_ASSERT_NOT_NULL(test, vm_keep_spare(&size));
	limit_memory(test, 100 * MIB);
	KUNIT_EXPECT_NULL(test, vm_map(NULL, 200 * MIB, vm_page_size()));
}

/* The program may think that it uses little, and limit itself to that. */
static void spare_goes_where_a_limit_is_less(struct kunit *test)
{
	const struct rlimit limit = { 256 * MIB, 256 * MIB };
	size_t size;

	need_addresses_to_spare(test);
	KUNIT_ASSERT_NOT_NULL(test, vm_keep_spare(&size));
	KUNIT_ASSERT_EQ(test, setrlimit(RLIMIT_AS, &limit), 0);
	KUNIT_EXPECT_NOT_NULL(test, vm_map(NULL, 100 * MIB, 2 * MIB));
	KUNIT_EXPECT_NOT_NULL(test, vm_map(NULL, 2 * MIB, 2 * MIB));
	KUNIT_EXPECT_NULL(test, vm_map(NULL, 200 * MIB, 2 * MIB));
}

static void address_limit_follows_the_process(struct kunit *test)
{
	uint64_t free_limit = vm_address_limit(), limit;

	KUNIT_EXPECT_EQ(test, free_limit & (free_limit - 1), 0);
	KUNIT_EXPECT_GE(test, free_limit, GIB);
	limit_memory(test, 100 * MIB);
	limit = vm_address_limit();
	KUNIT_EXPECT_EQ(test, limit & (limit - 1), 0);
	KUNIT_EXPECT_LE(test, limit, free_limit);
	KUNIT_EXPECT_GE(test, limit, 100 * MIB);
}

static void all_keep_errno(struct kunit *test)
{
	size_t page = vm_page_size();
	unsigned char *p, *reserved;

	errno = 4711;
	p = map(test);
	reserved = vm_reserve(MIB);
	vm_commit(reserved, page);
	vm_purge(p, page);
	p = vm_remap(p, VM_SIZE, 2 * VM_SIZE);
	vm_unmap(p, 2 * VM_SIZE);
	vm_address_limit();
	KUNIT_EXPECT_EQ(test, errno, 4711);

	vm_map(NULL, NO_ROOM_SIZE, page);
	vm_reserve(NO_ROOM_SIZE);
	vm_unmap((void *)(uintptr_t)1, page);
	vm_purge((void *)(uintptr_t)1, page);
	vm_commit((void *)(uintptr_t)1, page);
	vm_remap((void *)(uintptr_t)1, page, 2 * page);
	KUNIT_EXPECT_EQ(test, errno, 4711);
}

static const struct kunit_case vm_cases[] = {
	KUNIT_CASE(page_size_is_the_systems),
	KUNIT_CASE(map_gives_zeroed_aligned_memory),
	KUNIT_CASE(map_leaves_nothing_behind),
	KUNIT_CASE(map_takes_a_free_hint),
	KUNIT_CASE(map_says_no),
	KUNIT_CASE(unmapped_memory_is_gone),
	KUNIT_CASE(unmap_says_when_it_cannot),
	KUNIT_CASE(resident_memory_is_counted),
	KUNIT_CASE(unmapped_memory_is_not_resident),
	KUNIT_CASE(purged_memory_reads_as_zero),
	KUNIT_CASE(purge_gives_memory_back),
	KUNIT_CASE(purge_says_when_it_cannot),
	KUNIT_CASE(remap_keeps_content),
	KUNIT_CASE(failed_remap_changes_nothing),
	KUNIT_CASE(reservation_costs_addresses_only),
	KUNIT_CASE(committed_part_is_writable),
	KUNIT_CASE(spare_serves_when_mappings_are_used_up),
	KUNIT_CASE(spare_is_not_kept_under_a_limit),
	KUNIT_CASE(spare_is_no_way_round_a_limit),
	KUNIT_CASE(spare_goes_where_a_limit_is_less),
	KUNIT_CASE(address_limit_follows_the_process),
	KUNIT_CASE(all_keep_errno),
	{}
};

static const struct kunit_suite vm_suite = {
	.name = "vm",
	.test_cases = vm_cases,
};
kunit_test_suite(vm_suite);
