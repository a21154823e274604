// SPDX-License-Identifier: MIT
/*
 * Requests that cannot be served: too large to name, or more than there is.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "report.h"

static void huge_malloc_is_enomem(struct kunit *test)
{
	static const size_t big[] = {
		SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16,
		SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX - 2 * 1024 * 1024,
		(size_t)PTRDIFF_MAX + 1, HOPELESS_SIZE,
		HOPELESS_SIZE - 4096, HOPELESS_SIZE / 8 * 7,
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(big); i++) {
		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_malloc(opaque_size(big[i])));
		KUNIT_EXPECT_MSG(test, errno == ENOMEM, "malloc(%#zx): %d",
				 big[i], errno);
		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_calloc(1, opaque_size(big[i])));
		KUNIT_EXPECT_EQ(test, errno, ENOMEM);
		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_realloc(NULL,
						    opaque_size(big[i])));
		KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	}
}

/* Its square is the first number that is too large. */
#define ROOT	((size_t)1 << 4 * sizeof(size_t))

/* Products that overflow, most of them to something small. */
static void product_overflow_is_enomem(struct kunit *test)
{
	static const size_t factors[][2] = {
		{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX, SIZE_MAX },
		{ SIZE_MAX / 2 + 1, 2 }, { ROOT, ROOT }, { ROOT + 1, ROOT },
		{ SIZE_MAX / 16 + 1, 16 }, { SIZE_MAX / 3 + 1, 3 },
		{ ROOT / 2, ROOT },
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(factors); i++) {
		size_t n = opaque_size(factors[i][0]);
		size_t size = opaque_size(factors[i][1]);

		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_calloc(n, size));
		KUNIT_EXPECT_MSG(test, errno == ENOMEM, "calloc(%zu, %zu): %d",
				 n, size, errno);
		errno = 0;
		KUNIT_EXPECT_NULL(test, hak_reallocarray(NULL, n, size));
		KUNIT_EXPECT_MSG(test, errno == ENOMEM,
				 "reallocarray(%zu, %zu): %d", n, size, errno);
	}
}

/**
 * struct resource - what a process can be short of
 * @name: in the output
 * @id: for setrlimit()
 * @field: of /proc/self/status that says how much of it there is now
 */
struct resource {
	const char *name;
	int id;
	const char *field;
};

static const struct resource resources[] = {
	{ "RLIMIT_AS", RLIMIT_AS, "VmSize:" },
	{ "RLIMIT_DATA", RLIMIT_DATA, "VmData:" },
};

static void describe_resource(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct resource *)param)->name);
}

/* Let the process have @headroom more of a resource than it has now. */
static void limit_resource(struct kunit *test, const struct resource *resource,
			   size_t headroom)
{
	limit_process(test, resource->id,
		      process_status(resource->field) + headroom);
}

static void limit_memory(struct kunit *test, size_t headroom)
{
	limit_resource(test, &resources[0], headroom);
}

/* Objects that are chained through their first word; the last is tagged. */
struct link {
	struct link *next;
};

/* Where the tag of an object of @size bytes is: 16 at least. */
static struct link **tag_of(struct link *p, size_t size)
{
	char *end = (char *)p + size / sizeof(p) * sizeof(p);

	return (struct link **)(void *)end - 1;
}

static struct link *allocate_all(size_t size, size_t *count)
{
	struct link *head = NULL, *p;

	*count = 0;
	while ((p = hak_malloc(size))) {
		p->next = head;
		*tag_of(p, size) = p;
		head = p;
		++*count;
	}
	return head;
}

static bool free_all(struct link *head, size_t size)
{
	bool intact = true;
	struct link *next;

	for (; head; head = next) {
		next = head->next;
		intact &= *tag_of(head, size) == head;
		hak_free(head);
	}
	return intact;
}

static const size_t exhausting_sizes[] = {
	16, 100, 1000, 2000, 5000, 20000, 100000, 1000000, 3000000, 20000000,
};

/* What an object of @size bytes really takes. */
static size_t bytes_of(size_t size)
{
	void *p = hak_malloc(size);
	size_t bytes = hak_malloc_usable_size(p);

	hak_free(p);
	return bytes;
}

/*
 * Each size may use most of what there is, again and again, and what one size
 * gave back serves the next.
 */
static void exhausted_memory_comes_back(struct kunit *test)
{
	const size_t headroom = 128 * MIB;
	/*
	 * Each block has a word of its own there, and says that what was asked
	 * for is all it takes; it may have a page.
	 */
	const size_t part = IS_ENABLED(CONFIG_HAKMEM_HARDEN) ? 5 : 2;
	/* How many of them have guard pages is a matter of time there. */
	const size_t tenths = IS_ENABLED(CONFIG_HAKMEM_HARDEN) ? 7 : 9;
	size_t bytes[ARRAY_LENGTH(exhausting_sizes)];
	size_t i, round, count, first = 0;

	kunit_need_plain(test);
	for (i = 0; i < ARRAY_LENGTH(exhausting_sizes); i++)
		bytes[i] = bytes_of(exhausting_sizes[i]);
	hak_malloc_trim(0);
	limit_resource(test, test->param_value, headroom);
	for (i = 0; i < ARRAY_LENGTH(exhausting_sizes); i++) {
		size_t size = exhausting_sizes[i];

		for (round = 0; round < 3; round++) {
			struct link *all;

			errno = 0;
			all = allocate_all(size, &count);
			KUNIT_EXPECT_EQ(test, errno, ENOMEM);
			if (!round)
				first = count;
			KUNIT_EXPECT_TRUE(test, free_all(all, size));
			KUNIT_EXPECT_MSG(test,
					 count * bytes[i] > headroom / part,
					 "size %zu round %zu: %zu objects",
					 size, round, count);
			KUNIT_EXPECT_MSG(test, count >= first * tenths / 10,
					 "size %zu round %zu: %zu of %zu",
					 size, round, count, first);
		}
	}
}

static void exhausted_functions_fail_cleanly(struct kunit *test)
{
	const size_t size = 100000;
	char *kept = hak_malloc(size);
	struct link *all;
	size_t count;
	void *p = kept;

	KUNIT_ASSERT_NOT_NULL(test, kept);
	pattern_fill(kept, size, 1);
	limit_memory(test, 64 * MIB);
	all = allocate_all(size, &count);
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_calloc(10, 10 * MIB));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_realloc(kept, 10 * MIB));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_TRUE(test, pattern_intact(kept, size, 1));
	errno = 0;
	KUNIT_EXPECT_NULL(test, hak_aligned_alloc(4 * MIB, 4 * MIB));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_EQ(test, hak_posix_memalign(&p, 4 * MIB, 4 * MIB),
			ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, p, kept);
	KUNIT_EXPECT_TRUE(test, free_all(all, size));
	p = hak_realloc(kept, 10 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, pattern_intact(p, size, 1));
	hak_free(p);
}

static pthread_barrier_t start;

static void *exhaust_in_thread(void *arg)
{
	struct kunit *test = arg;
	size_t i, count, round;

	pthread_barrier_wait(&start);
	for (round = 0; round < 2; round++)
		for (i = 0; i < ARRAY_LENGTH(exhausting_sizes); i++) {
			size_t size = exhausting_sizes[i];

			KUNIT_EXPECT_TRUE(test, free_all(allocate_all(size,
								&count), size));
		}
	return NULL;
}

static void threads_share_exhausted_memory(struct kunit *test)
{
	pthread_t threads[4];
	size_t i, count;
	struct link *all;

	need_limits(test);
	kunit_need_plain(test);
	pthread_barrier_init(&start, NULL, ARRAY_LENGTH(threads) + 1);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     exhaust_in_thread, test),
				0);
	limit_memory(test, 64 * MIB);
	pthread_barrier_wait(&start);
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	all = allocate_all(5000, &count);
	KUNIT_EXPECT_GT(test, count * 5000, 32 * MIB);
	KUNIT_EXPECT_TRUE(test, free_all(all, 5000));
}

static void run_out_of_memory(void *arg)
{
	size_t count, i;

	limit_memory(arg, 16 * MIB);
	for (i = 0; i < 5; i++)
		free_all(allocate_all(5000, &count), 5000);
}

/* Three lines at most, which name the size: a full log helps nobody. */
static void exhaustion_is_reported_three_times(struct kunit *test)
{
	struct report report;

	need_limits(test);
	report_call(&report, run_out_of_memory, test);
	KUNIT_EXPECT_EQ(test, report.status, 0);
	KUNIT_EXPECT_MSG(test, strstr(report.line,
				      IS_ENABLED(CONFIG_HAKMEM_HARDEN) ?
				      "hakmem: out of memory: 5008 bytes" :
				      "hakmem: out of memory: 5000 bytes"),
			 "first line: %s", report.line);
	KUNIT_EXPECT_EQ(test, report.lines, 3);
}

/* vm.max_map_count is 65530: objects must not cost a mapping each. */
static void live_objects_need_few_mappings(struct kunit *test)
{
	static const struct { size_t size, count; } many[] = {
		{ 4 * KIB, 100000 }, { 20 * KIB, 20000 }, { 100 * KIB, 4000 },
	};
	static void *p[124000];
	size_t most = process_mappings() + 2000 + GUARD_MAPPINGS;
	size_t i, j, n = 0;

	for (i = 0; i < ARRAY_LENGTH(many); i++)
		for (j = 0; j < many[i].count; j++) {
			p[n] = hak_malloc(many[i].size);
			KUNIT_ASSERT_NOT_NULL(test, p[n]);
			n++;
		}
	KUNIT_EXPECT_LT(test, process_mappings(), most);
	for (i = 0; i < n; i += 2)
		hak_free(p[i]);
	KUNIT_EXPECT_LT(test, process_mappings(), most);
	for (i = 1; i < n; i += 2)
		hak_free(p[i]);
}

static const struct kunit_case limit_cases[] = {
	KUNIT_CASE(huge_malloc_is_enomem),
	KUNIT_CASE(product_overflow_is_enomem),
	KUNIT_CASE_PARAM(exhausted_memory_comes_back, resources,
			 describe_resource),
	KUNIT_CASE(exhausted_functions_fail_cleanly),
	KUNIT_CASE(threads_share_exhausted_memory),
	KUNIT_CASE(exhaustion_is_reported_three_times),
	KUNIT_CASE(live_objects_need_few_mappings),
	{}
};

static const struct kunit_suite limit_suite = {
	.name = "limit",
	.test_cases = limit_cases,
};
kunit_test_suite(limit_suite);
