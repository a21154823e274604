// SPDX-License-Identifier: MIT
/*
 * Memory for the allocator's own records.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kunit.h"
#include "memory.h"
#include "mm/meta.h"

struct record {
	void *link;
	char rest[184];
};

#define RECORD_ALIGN	64
#define RECORDS		5000

static struct meta_pool pool = META_POOL_INIT(struct record, RECORD_ALIGN);
static struct record *records[RECORDS];

static void allocate_records(struct kunit *test)
{
	size_t i;

	for (i = 0; i < RECORDS; i++) {
		records[i] = meta_alloc(&pool);
		KUNIT_ASSERT_NOT_NULL(test, records[i]);
	}
}

static void fresh_records_are_zeroed_and_apart(struct kunit *test)
{
	size_t i;

	allocate_records(test);
	for (i = 0; i < RECORDS; i++) {
		KUNIT_EXPECT_TRUE(test, is_aligned(records[i], RECORD_ALIGN));
		KUNIT_EXPECT_TRUE(test, bytes_are(records[i],
						  sizeof(*records[i]), 0));
		pattern_fill(records[i], sizeof(*records[i]), i);
	}
	for (i = 0; i < RECORDS; i++)
		KUNIT_EXPECT_TRUE(test, pattern_intact(records[i],
						sizeof(*records[i]), i));
	KUNIT_EXPECT_GE(test, meta_mapped(), RECORDS * sizeof(*records[0]));
}

static void freed_records_are_reused(struct kunit *test)
{
	size_t mapped, i;

	allocate_records(test);
	mapped = meta_mapped();
	for (i = 0; i < RECORDS; i++)
		meta_free(&pool, records[i]);
	allocate_records(test);
	KUNIT_EXPECT_EQ(test, meta_mapped(), mapped);
}

/* Readers may look at a record that was freed: all but the link stays. */
static void freed_record_keeps_its_content(struct kunit *test)
{
	struct record *record = meta_alloc(&pool);

	KUNIT_ASSERT_NOT_NULL(test, record);
	pattern_fill(record->rest, sizeof(record->rest), 1);
	meta_free(&pool, record);
	KUNIT_EXPECT_TRUE(test, pattern_intact(record->rest,
					       sizeof(record->rest), 1));
}

static atomic_bool held;

static void *hold_the_lock(void *arg)
{
	lock_acquire(&pool.lock);
	atomic_store(&held, true);
	for (;;)
		pause();
	return arg;
}

/* In the child, where the holder of the pool's lock does not exist. */
static void child_can_allocate(struct kunit *test)
{
	pthread_t thread;
	int status;
	pid_t pid;

	allocate_records(test);
	meta_free(&pool, records[0]);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, hold_the_lock,
					     NULL), 0);
	while (!atomic_load(&held))
		usleep(100);
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid) {
		meta_fork_child();
		meta_pool_fork_child(&pool);
		_exit(meta_alloc(&pool) && meta_alloc(&pool) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	KUNIT_EXPECT_EQ(test, status, 0);
}

static const struct kunit_case meta_cases[] = {
	KUNIT_CASE(fresh_records_are_zeroed_and_apart),
	KUNIT_CASE(freed_records_are_reused),
	KUNIT_CASE(freed_record_keeps_its_content),
	KUNIT_CASE(child_can_allocate),
	{}
};

static const struct kunit_suite meta_suite = {
	.name = "meta",
	.test_cases = meta_cases,
};
kunit_test_suite(meta_suite);
