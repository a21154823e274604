// SPDX-License-Identifier: MIT
/*
 * Many threads that allocate until there is no memory, as LTP's mallocstress:
 * again and again, with sizes that grow and sizes that do not.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"

#define THREADS		60
#define HEADROOM	(512 * MIB)
#define ROUNDS		4

/* The first words of a block, and the last of those that have more. */
struct link {
	struct link *next;
	size_t size;
};

static pthread_barrier_t barrier;

static size_t *tag_of(struct link *p)
{
	return (size_t *)(void *)((char *)p + p->size) - 1;
}

static struct link *push(struct link *head, struct link *p, size_t size)
{
	p->next = head;
	p->size = size;
	if (size >= sizeof(*p) + sizeof(size_t))
		*tag_of(p) = size;
	return p;
}

static void free_all(struct kunit *test, struct link *p)
{
	struct link *next;

	for (; p; p = next) {
		next = p->next;
		if (p->size >= sizeof(*p) + sizeof(size_t))
			KUNIT_EXPECT_EQ(test, *tag_of(p), p->size);
		hak_free(p);
	}
}

/* Sizes that are the sum of the last two, or with 0 always the first. */
static void grow_until_null(struct kunit *test, size_t size, size_t more)
{
	struct link *head = NULL, *p;
	size_t last;

	errno = 0;
	while ((p = hak_malloc(size * 16))) {
		head = push(head, p, size * 16);
		last = size;
		size += more;
		more = more ? last : 0;
	}
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	free_all(test, head);
}

static void *exhaust(void *arg)
{
	static const size_t sizes[] = { 3, 60, 1250, 20000 };
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		grow_until_null(arg, 1, 1);
		pthread_barrier_wait(&barrier);
		grow_until_null(arg, sizes[round], 0);
	}
	return NULL;
}

static void limit_memory(struct kunit *test)
{
	struct rlimit limit;

	limit.rlim_cur = process_status("VmSize:") + HEADROOM;
	limit.rlim_max = limit.rlim_cur;
	KUNIT_ASSERT_EQ(test, setrlimit(RLIMIT_AS, &limit), 0);
}

static void sixty_threads_find_the_end(struct kunit *test)
{
	double begun = seconds_now(), took;
	pthread_t threads[THREADS];
	struct hak_mallinfo2 info;
	unsigned int i;

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL,
						     exhaust, test), 0);
	/* Their stacks are there by now. */
	limit_memory(test);
	for (i = 0; i < 2 * ROUNDS; i++)
		pthread_barrier_wait(&barrier);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	took = seconds_now() - begun;
	kunit_info(test, "%u threads, %u times to the end of %zu MiB: %.1f s",
		   THREADS, 2 * ROUNDS, HEADROOM / MIB, took);
	KUNIT_EXPECT_MSG(test, took <= 10, "%.1f s", took);
	KUNIT_EXPECT_TRUE(test, hak_realloc(NULL, 100));
	info = hak_mallinfo2();
	KUNIT_EXPECT_LE(test, info.uordblks, 200);
	KUNIT_EXPECT_EQ(test, info.hblkhd, 0);
}

static const struct kunit_case exhaust_cases[] = {
	KUNIT_CASE_SLOW(sixty_threads_find_the_end),
	{}
};

static const struct kunit_suite exhaust_suite = {
	.name = "exhaust",
	.test_cases = exhaust_cases,
};
kunit_test_suite(exhaust_suite);
