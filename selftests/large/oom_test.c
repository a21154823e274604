// SPDX-License-Identifier: MIT
/*
 * The large tier while memory calls fail.
 */
#include "kunit.h"
#include "mm/large.h"
#include "mm/sizes.h"
#include "oom.h"

static const size_t sizes[] = {
	1, 5000, 20000, 100000, 500000, 1000000, 3 * MIB, 5 * MIB,
};

/* Two that fill a superslab, so many of them that it shows. */
#define KEPT_SIZE	((size_t)700000)
#define FREED_SIZE	((size_t)1200000)
#define PAIRS		30

static unsigned int refused;

static void *allocate(size_t size, size_t align, bool zero)
{
	unsigned char *p = large_alloc(size, align, zero);

	refused += !p;
	OOM_CHECK(!p || is_aligned(p, align));
	OOM_CHECK(!p || !zero || oom_zero(p, size));
	if (p)
		p[0] = p[size - 1] = 1;
	return p;
}

static void free_object(void *p)
{
	const char *fault = p ? large_free(p) : NULL;

	OOM_CHECK(!fault);
}

/* To each size from each other. */
static void resize(size_t from, size_t to)
{
	size_t common = min(from, to);
	void *p = allocate(from, 1, false), *q;

	if (!p)
		return;
	oom_fill(p, common, to);
	q = large_resize(p, to);
	if (q)
		p = q;
	OOM_CHECK(oom_intact(p, common, to));
	free_object(p);
}

static unsigned int exercise_tier(void)
{
	void *p[2 * ARRAY_LENGTH(sizes)];
	size_t i, j;

	init_ensure();
	refused = 0;
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		p[i] = allocate(sizes[i], 1, true);
		p[ARRAY_LENGTH(sizes) + i] = allocate(sizes[i], 4 * MIB,
						      false);
		if (p[i])
			oom_fill(p[i], sizes[i], i);
	}
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		OOM_CHECK(!p[i] || oom_intact(p[i], sizes[i], i));
		free_object(p[i]);
		free_object(p[ARRAY_LENGTH(sizes) + i]);
	}
	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < ARRAY_LENGTH(sizes); j++)
			resize(sizes[i], sizes[j]);
	large_reclaim();
	return refused;
}

/*
 * Of each superslab a part stays in use while the rest is freed, more of it
 * than may wait for its time to be given back.
 */
static unsigned int exercise_purging(void)
{
	void *kept[PAIRS], *freed[PAIRS];
	size_t i, round;

	init_ensure();
	refused = 0;
	for (i = 0; i < PAIRS; i++) {
		freed[i] = allocate(FREED_SIZE, 1, i % 4 == 2);
		kept[i] = allocate(KEPT_SIZE, 1, i % 4 == 3);
		if (kept[i])
			oom_fill(kept[i], KEPT_SIZE, i);
	}
	for (round = 0; round < 2; round++) {
		for (i = 0; i < PAIRS; i++)
			free_object(freed[i]);
		/* To clear what was not purged takes time: not always. */
		for (i = 0; i < PAIRS; i++)
			freed[i] = allocate(FREED_SIZE, 1, i % 4 == round);
	}
	for (i = 0; i < PAIRS; i++) {
		OOM_CHECK(!kept[i] || oom_intact(kept[i], KEPT_SIZE, i));
		free_object(kept[i]);
		free_object(freed[i]);
	}
	superslab_reclaim();
	return refused;
}

static void requests_under_failure(struct kunit *test)
{
	oom_fail_each_call(test, exercise_tier);
}

static void purging_under_failure(struct kunit *test)
{
	oom_fail_each_call(test, exercise_purging);
}

static const struct kunit_case oom_cases[] = {
	OOM_CASE(requests_under_failure),
	OOM_CASE(purging_under_failure),
	{}
};

static const struct kunit_suite oom_suite = {
	.name = "oom",
	.test_cases = oom_cases,
};
kunit_test_suite(oom_suite);
