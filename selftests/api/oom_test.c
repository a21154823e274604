// SPDX-License-Identifier: MIT
/*
 * The whole interface while memory calls fail: each request is granted or is
 * NULL with ENOMEM, what is live keeps its content, and nothing is lost.
 */
#include <pthread.h>
#include <unistd.h>

#include "kunit.h"
#include "oom.h"

static const size_t sizes[] = {
	1, 100, 1000, 1500, 5000, 20000, 50000, 200000, 1000000, 3 * MIB,
};

static __thread unsigned int refused;

static void exercise_malloc(void)
{
	unsigned char *p[2 * ARRAY_LENGTH(sizes)];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		size_t size = sizes[i / 2];

		p[i] = i % 2 ? hak_calloc(1, size) : hak_malloc(size);
		if (oom_refused(p[i], &refused))
			continue;
		OOM_CHECK(i % 2 == 0 || oom_zero(p[i], size));
		oom_fill(p[i], size, i);
	}
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		OOM_CHECK(!p[i] || oom_intact(p[i], sizes[i / 2], i));
		hak_free(p[i]);
	}
}

/* A block that cannot be resized is still there. */
static void exercise_realloc(void)
{
	size_t i, n = ARRAY_LENGTH(sizes), have = 0, want, common;
	unsigned char *p = NULL, *q;

	for (i = 0; i < 2 * n; i++) {
		want = sizes[i < n ? i : 2 * n - 1 - i];
		common = have < want ? have : want;
		if (p)
			oom_fill(p, common, i);
		q = hak_realloc(p, want);
		if (!oom_refused(q, &refused)) {
			p = q;
			have = want;
		}
		OOM_CHECK(!p || oom_intact(p, common, i));
	}
	hak_free(p);
}

static void exercise_aligned(void)
{
	static const size_t aligns[] = { 64, 4096, 65536, MIB, 8 * MIB };
	void *p[ARRAY_LENGTH(aligns)], *q[ARRAY_LENGTH(aligns)];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(aligns); i++) {
		p[i] = hak_aligned_alloc(aligns[i], 100);
		if (!oom_refused(p[i], &refused)) {
			OOM_CHECK(is_aligned(p[i], aligns[i]));
			oom_fill(p[i], 100, i);
		}
		q[i] = NULL;
		if (hak_posix_memalign(&q[i], aligns[i], 3000)) {
			OOM_CHECK(!q[i]);
			refused++;
			continue;
		}
		OOM_CHECK(is_aligned(q[i], aligns[i]));
		oom_fill(q[i], 3000, i);
	}
	for (i = 0; i < ARRAY_LENGTH(aligns); i++) {
		OOM_CHECK(!p[i] || oom_intact(p[i], 100, i));
		OOM_CHECK(!q[i] || oom_intact(q[i], 3000, i));
		hak_free(p[i]);
		hak_free(q[i]);
	}
}

static void *exercise_in_thread(void *arg)
{
	(void)arg;
	exercise_malloc();
	exercise_realloc();
	return (void *)(uintptr_t)refused;
}

/* A thread's magazines are memory too, and stay for the next threads. */
static void exercise_threads(unsigned int n)
{
	pthread_t threads[4];
	void *refused_there;
	unsigned int i;

	for (i = 0; i < n; i++)
		OOM_CHECK(!pthread_create(&threads[i], NULL,
					  exercise_in_thread, NULL));
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], &refused_there);
		refused += (unsigned int)(uintptr_t)refused_there;
	}
}

/* Many of one size: slabs, superslabs and magazines come and go. */
static void exercise_many(void)
{
	static size_t *p[6000];
	size_t i, bytes = 0;

	/* Where each takes a page, few need as many superslabs. */
	for (i = 0; i < ARRAY_LENGTH(p) && bytes < OOM_BYTES; i++) {
		p[i] = hak_malloc(500);
		if (oom_refused(p[i], &refused))
			continue;
		*p[i] = i;
		bytes += hak_malloc_usable_size(p[i]);
	}
	while (i--) {
		OOM_CHECK(!p[i] || *p[i] == i);
		hak_free(p[i]);
	}
}

static unsigned int exercise_all(void)
{
	refused = 0;
	errno = 0;
	exercise_malloc();
	exercise_realloc();
	exercise_aligned();
	exercise_threads(1);
	exercise_threads(1);
	exercise_many();
	hak_malloc_trim(0);
	exercise_malloc();
	return refused;
}

static unsigned int exercise_together(void)
{
	refused = 0;
	exercise_threads(4);
	exercise_threads(4);
	return refused;
}

static void everything_under_failure(struct kunit *test)
{
	oom_fail_each_call(test, exercise_all);
}

/* Some calls fail by chance, for ever: there is no order to get used to. */
static void everything_under_chance(struct kunit *test)
{
	oom_fail_by_chance(test, exercise_all);
}

static void threads_under_chance(struct kunit *test)
{
	oom_fail_by_chance(test, exercise_together);
}

static const struct kunit_case oom_cases[] = {
	OOM_CASE(everything_under_failure),
	KUNIT_CASE(everything_under_chance),
	KUNIT_CASE(threads_under_chance),
	{}
};

static const struct kunit_suite oom_suite = {
	.name = "oom",
	.test_cases = oom_cases,
};
kunit_test_suite(oom_suite);
