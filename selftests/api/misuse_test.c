// SPDX-License-Identifier: MIT
/*
 * Pointers that no program should pass: the process must end with a line that
 * names the function, the pointer and what is wrong with it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "report.h"

#define FOREIGN		"not allocated"
#define INTERIOR	"not the start"
#define FREED		"double free"
/* Once its memory went back, a freed object is as foreign as any address. */
#define GONE		"(double free|not allocated)"

/*
 * What the hot path lets pass is found when the object is drained; trimming
 * drains everything.
 */
static void free_and_drain(void *ptr)
{
	hak_free(opaque(ptr));
	hak_malloc_trim(0);
}

static void free_sized_and_drain(void *ptr)
{
	hak_free_sized(opaque(ptr), 24);
	hak_malloc_trim(0);
}

static void reallocate(void *ptr)
{
	opaque(hak_realloc(opaque(ptr), 50));
}

static void ask_usable_size(void *ptr)
{
	opaque_size(hak_malloc_usable_size(opaque(ptr)));
}

/* The functions that must notice. */
struct misuse {
	const char *name;
	void (*call)(void *ptr);
};

static const struct misuse misuses[] = {
	{ "free", free_and_drain },
	{ "realloc", reallocate },
	{ "malloc_usable_size", ask_usable_size },
};

static void describe_misuse(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct misuse *)param)->name);
}

#define EXPECT_REPORT(test, fn, ptr, function, what)			\
	KUNIT_EXPECT_DEATH(test, fn, ptr, SIGABRT,			\
			   "^hakmem: .*%s\\(\\): (.*%s.*%p|.*%p.*%s)",	\
			   (function), (what), (void *)(ptr),		\
			   (void *)(ptr), (what))

/* Where a program's half of 48 bits ends; any address if there are 32. */
#define HALF_END	(UINTPTR_MAX / 0x20000 + 1)

static void foreign_pointer(struct kunit *test)
{
	const struct misuse *misuse = test->param_value;
	static char in_data[256] __attribute__((aligned(64)));
	char on_stack[256] __attribute__((aligned(64)));
	char *in_libc_heap = malloc(256);
	char *in_libc_mapping = malloc(4 * MIB);
	char *mapped = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *foreign[] = {
		in_data, on_stack, in_libc_heap, in_libc_mapping, mapped,
		mapped + 2 * MIB, (void *)(uintptr_t)foreign_pointer,
		(void *)8, (void *)16, (void *)4096,
		(void *)(HALF_END - 0x1000), (void *)HALF_END,
		(void *)(HALF_END << 12), (void *)-HALF_END,
		(void *)~(uintptr_t)15,
	};
	size_t i;

	hak_free(hak_malloc(24));
	for (i = 0; i < ARRAY_LENGTH(foreign); i++)
		EXPECT_REPORT(test, misuse->call, foreign[i], misuse->name,
			      FOREIGN);
	munmap(mapped, 4 * MIB);
	free(in_libc_mapping);
	free(in_libc_heap);
}

/* Before anything was allocated as well. */
static void foreign_pointer_first(struct kunit *test)
{
	const struct misuse *misuse = test->param_value;
	char on_stack[64];

	EXPECT_REPORT(test, misuse->call, on_stack, misuse->name, FOREIGN);
}

static const size_t sizes[] = { 24, 100, 1000, 1024, 5000, 100000, 3000000 };

static void interior_pointer(struct kunit *test)
{
	const struct misuse *misuse = test->param_value;
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		const size_t offsets[] = {
			1, 8, 16, sizes[i] / 2, sizes[i] - 1,
		};
		char *p = hak_malloc(sizes[i]);

		KUNIT_ASSERT_NOT_NULL(test, p);
		for (j = 0; j < ARRAY_LENGTH(offsets); j++)
			EXPECT_REPORT(test, misuse->call, p + offsets[j],
				      misuse->name, INTERIOR);
		hak_free(p);
	}
}

static void interior_of_an_aligned_object(struct kunit *test)
{
	const struct misuse *misuse = test->param_value;
	size_t align;

	for (align = 64; align <= 4 * MIB; align *= 16) {
		char *p = hak_aligned_alloc(align, 3 * align);

		KUNIT_ASSERT_NOT_NULL(test, p);
		EXPECT_REPORT(test, misuse->call, p + align, misuse->name,
			      INTERIOR);
		EXPECT_REPORT(test, misuse->call, p + 16, misuse->name,
			      INTERIOR);
		hak_free(p);
	}
}

static void sized_free_of_a_bad_pointer(struct kunit *test)
{
	char on_stack[64];
	char *p = hak_malloc(24);

	EXPECT_REPORT(test, free_sized_and_drain, on_stack,
		      "(free|free_sized)", FOREIGN);
	EXPECT_REPORT(test, free_sized_and_drain, p + 16, "(free|free_sized)",
		      INTERIOR);
	hak_free(p);
}

static void free_twice(void *ptr)
{
	hak_free(opaque(ptr));
	free_and_drain(ptr);
}

static void double_free(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		char *p = hak_malloc(sizes[i]), *q = hak_malloc(sizes[i]);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NOT_NULL(test, q);
		EXPECT_REPORT(test, free_twice, p, "free",
			      sizes[i] <= CONFIG_HAKMEM_TINY_MAX_SIZE ?
			      FREED : GONE);
		hak_free(p);
		hak_free(q);
	}
}

/* The bad cases in which the two frees do not follow one another. */
static void free_others_between(void *ptr)
{
	void *p[1000];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++)
		p[i] = hak_malloc(hak_malloc_usable_size(ptr));
	hak_free(opaque(ptr));
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		hak_free(p[i]);
	free_and_drain(ptr);
}

static void trim_between(void *ptr)
{
	free_and_drain(ptr);
	free_and_drain(ptr);
}

static void *free_in_thread(void *ptr)
{
	hak_free(opaque(ptr));
	return NULL;
}

static void free_in_another_thread(void *ptr)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, free_in_thread, ptr))
		abort();
	pthread_join(thread, NULL);
	free_and_drain(ptr);
}

static void double_free_with_a_gap(struct kunit *test)
{
	static void (*const gaps[])(void *ptr) = {
		free_others_between, trim_between, free_in_another_thread,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(gaps); i++)
		for (j = 0; j < ARRAY_LENGTH(sizes); j++) {
			void *p = hak_malloc(sizes[j]);

			KUNIT_ASSERT_NOT_NULL(test, p);
			EXPECT_REPORT(test, gaps[i], p, "free", GONE);
			hak_free(p);
		}
}

static void realloc_and_free_the_old_one(void *ptr)
{
	/* An object that gets a mapping of its own cannot stay. */
	opaque(hak_realloc(opaque(ptr), 5000000));
	free_and_drain(ptr);
}

static void free_after_realloc_moved(struct kunit *test)
{
	void *p = hak_malloc(100);

	KUNIT_ASSERT_NOT_NULL(test, p);
	EXPECT_REPORT(test, realloc_and_free_the_old_one, p, "free", GONE);
	hak_free(p);
}

#define MANY	2000

static void *many[MANY];

/* More than this thread has at hand. */
static void want_memory(int signal)
{
	size_t i;

	(void)signal;
	for (i = 0; i < 2 * MANY; i++)
		opaque(hak_malloc(48));
}

static void free_one_of_many_twice(void *ptr)
{
	size_t i;

	signal(SIGABRT, want_memory);
	for (i = 0; i < MANY; i++)
		hak_free(many[i]);
	hak_free(opaque(ptr));
	exit(0);
}

/* What nobody noticed before is found at the end, and handlers work then. */
static void double_free_till_the_end(struct kunit *test)
{
	size_t i;

	if (!IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK) ||
	    !IS_ENABLED(CONFIG_HAKMEM_TINY) || IS_ENABLED(CONFIG_HAKMEM_LIBC))
		kunit_skip(test, "nobody looks at the end");
	for (i = 0; i < MANY; i++)
		many[i] = hak_malloc(48);
	EXPECT_REPORT(test, free_one_of_many_twice, many[MANY / 4 * 3], "free",
		      FREED);
}

/* The same calls with good pointers must not die. */
static void good_pointers_are_no_misuse(struct kunit *test)
{
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(misuses); i++)
		for (j = 0; j < ARRAY_LENGTH(sizes); j++) {
			void *p = hak_malloc(sizes[j]);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_SURVIVAL(test, misuses[i].call, p);
			hak_free(p);
		}
}

static const struct kunit_case misuse_cases[] = {
	KUNIT_CASE_PARAM(foreign_pointer, misuses, describe_misuse),
	KUNIT_CASE_PARAM(foreign_pointer_first, misuses, describe_misuse),
	KUNIT_CASE_PARAM(interior_pointer, misuses, describe_misuse),
	KUNIT_CASE_PARAM(interior_of_an_aligned_object, misuses,
			 describe_misuse),
	KUNIT_CASE(sized_free_of_a_bad_pointer),
	KUNIT_CASE(double_free),
	KUNIT_CASE(double_free_with_a_gap),
	KUNIT_CASE(free_after_realloc_moved),
	KUNIT_CASE(double_free_till_the_end),
	KUNIT_CASE(good_pointers_are_no_misuse),
	{}
};

static const struct kunit_suite misuse_suite = {
	.name = "misuse",
	.test_cases = misuse_cases,
};
kunit_test_suite(misuse_suite);
