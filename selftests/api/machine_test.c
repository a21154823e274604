// SPDX-License-Identifier: MIT
/*
 * Kernels with other pages and other address spaces than this one's, made up
 * in mm/vm.c: what the allocator learns at run time, and what it says of what
 * it cannot serve.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/fault.h"
#include "mm/vm.h"
#include "report.h"

static const struct fault_machine machines[] = {
	{ 16 * 1024, 0 }, { 64 * 1024, 0 }, { 0, 36 }, { 0, 39 }, { 0, 47 },
	{ 64 * 1024, 39 }, { 64 * 1024, 47 },
};

/* Which this kernel may not have; bits of arm64 and of x86-64 with la57 */
static const struct fault_machine larger_machines[] = {
	{ 0, 48 }, { 64 * 1024, 48 }, { 0, 52 }, { 64 * 1024, 52 }, { 0, 57 },
};

static void describe_machine(const void *param, char *text, size_t size)
{
	const struct fault_machine *machine = param;

	snprintf(text, size, "%zu KiB, %u bits", machine->page_size / KIB,
		 machine->address_bits);
}

static void be_machine(struct kunit *test, const struct fault_machine *machine)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	if (sizeof(void *) == 4)
		kunit_skip(test, "32 bits are too few to choose from");
	fault_set_machine(machine);
}

static const size_t sizes[] = {
	1, 16, 100, 1000, 1024, 1500, 5000, 8192, 20000, 40000, 100000,
	600000, 2000000, 3000000, 20000000,
};

#define OBJECTS	8

static void allocate(struct kunit *test, unsigned char *p[][OBJECTS],
		     const struct fault_machine *machine)
{
	unsigned int bits = machine->address_bits;
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < OBJECTS; j++) {
			p[i][j] = hak_malloc(sizes[i]);
			KUNIT_ASSERT_NOT_NULL(test, p[i][j]);
			pattern_fill(p[i][j], sizes[i], i * OBJECTS + j);
			if (!bits)
				continue;
			KUNIT_EXPECT_EQ(test, (uint64_t)(uintptr_t)p[i][j] >>
					bits, 0);
		}
}

static void release(struct kunit *test, unsigned char *p[][OBJECTS])
{
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < OBJECTS; j++) {
			KUNIT_EXPECT_TRUE(test, pattern_intact(p[i][j],
						sizes[i], i * OBJECTS + j));
			p[i][j] = hak_realloc(p[i][j], sizes[i] * 2);
			KUNIT_ASSERT_NOT_NULL(test, p[i][j]);
			KUNIT_EXPECT_TRUE(test, pattern_intact(p[i][j],
						sizes[i], i * OBJECTS + j));
			hak_free(p[i][j]);
		}
}

static void all_sizes_are_served(struct kunit *test)
{
	const struct fault_machine *machine = test->param_value;
	static unsigned char *p[ARRAY_LENGTH(sizes)][OBJECTS];
	int round;

	be_machine(test, machine);
	for (round = 0; round < 5; round++) {
		allocate(test, p, machine);
		release(test, p);
		hak_malloc_trim(0);
	}
}

static void pages_are_the_machines(struct kunit *test)
{
	const struct fault_machine *machine = test->param_value;
	size_t page, i;

	be_machine(test, machine);
	page = vm_page_size();
	KUNIT_EXPECT_TRUE(test, !machine->page_size ||
			  page == machine->page_size);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		void *v = hak_valloc(sizes[i]), *p = hak_pvalloc(sizes[i]);

		KUNIT_EXPECT_TRUE(test, is_aligned(v, page));
		KUNIT_EXPECT_TRUE(test, is_aligned(p, page));
		KUNIT_EXPECT_GE(test, hak_malloc_usable_size(p),
				(sizes[i] + page - 1) / page * page);
		hak_free(v);
		hak_free(p);
	}
}

static void free_pointer(void *ptr)
{
	hak_free(ptr);
}

/* Of any number of bits, an address that is not ours is known. */
static void addresses_beyond_are_foreign(struct kunit *test)
{
	const struct fault_machine *machine = test->param_value;
	unsigned int bits;

	be_machine(test, machine);
	hak_free(hak_malloc(100));
	for (bits = 30; bits < 8 * sizeof(void *); bits++)
		KUNIT_EXPECT_DEATH(test, free_pointer, (uintptr_t)1 << bits,
				   SIGABRT, "free\\(\\): not allocated");
}

/* All it has lies where this kernel may have nothing: then it says so. */
static void more_bits_than_there_are(struct kunit *test)
{
	const struct fault_machine *machine = test->param_value;
	unsigned char *p;

	be_machine(test, machine);
	errno = 0;
	p = hak_malloc(100);
	if (!p) {
		KUNIT_EXPECT_EQ(test, errno, ENOMEM);
		return;
	}
	KUNIT_EXPECT_NE(test, (uint64_t)(uintptr_t)p >>
			(machine->address_bits - 1), 0);
	hak_free(p);
}

static void start(void *ptr)
{
	(void)ptr;
	hak_free(hak_malloc(1));
}

static void pages_of_a_slab_at_most(struct kunit *test)
{
	const struct fault_machine machine = { 128 * 1024, 0 };

	be_machine(test, &machine);
	KUNIT_EXPECT_DEATH(test, start, NULL, SIGABRT,
			   "^hakmem: the kernel's pages are larger than 64");
}

static const struct kunit_case machine_cases[] = {
	KUNIT_CASE_PARAM(all_sizes_are_served, machines, describe_machine),
	KUNIT_CASE_PARAM(pages_are_the_machines, machines, describe_machine),
	KUNIT_CASE_PARAM(addresses_beyond_are_foreign, machines,
			 describe_machine),
	KUNIT_CASE_PARAM(more_bits_than_there_are, larger_machines,
			 describe_machine),
	KUNIT_CASE(pages_of_a_slab_at_most),
	{}
};

static const struct kunit_suite machine_suite = {
	.name = "machine",
	.test_cases = machine_cases,
};
kunit_test_suite(machine_suite);
