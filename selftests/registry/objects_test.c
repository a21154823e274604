// SPDX-License-Identifier: MIT
/*
 * Objects of paged classes: what is known to be touched, and what goes back.
 */
#include <stdlib.h>
#include <string.h>

#include "kunit.h"
#include "memory.h"
#include "mm/fault.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "retained.h"
#include "mm/vm.h"
#include "units.h"

/* Three units with four objects, so that two share a unit: 48 KiB. */
#define SHARED		((unsigned int)CLASS_OF(48 * KIB))
#define SHARED_SIZE	(48 * KIB)

/* The objects of a slab, in order; all are taken. */
static void take_slab(struct kunit *test, void **objs)
{
	unsigned int i, n;

	for (n = 0; n < 4; n++)
		KUNIT_ASSERT_EQ(test, slab_pool_refill(SHARED, &objs[n], 1), 1);
	for (i = 1; i < 4; i++)
		KUNIT_ASSERT_PTR_EQ(test, objs[i], (char *)objs[i - 1] +
				    SHARED_SIZE);
}

static uint64_t dirty_map(const void *obj)
{
	return slab_of(registry_superslab(obj), obj)->dirty_map;
}

static void put(void *obj)
{
	slab_pool_drain(SHARED, &obj, 1);
}

static void *get(struct kunit *test)
{
	void *obj;

	KUNIT_ASSERT_EQ(test, slab_pool_refill(SHARED, &obj, 1), 1);
	return obj;
}

/* Through taking, putting, purging and the slab's own end. */
static void dirty_objects_are_known(struct kunit *test)
{
	struct superslab_usage usage;
	size_t bytes = 0;
	void *objs[4];

	need_retained(test, 1);
	take_slab(test, objs);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 0);
	memset(objs[1], 1, SHARED_SIZE);
	memset(objs[2], 1, SHARED_SIZE);
	put(objs[1]);
	put(objs[2]);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 6);
	KUNIT_EXPECT_FALSE(test, slab_pool_is_clean(SHARED, get(test)));
	put(objs[1]);
	KUNIT_EXPECT_EQ(test, slab_pool_reclaim(&bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, 2 * SHARED_SIZE);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 0);
	KUNIT_EXPECT_PTR_EQ(test, get(test), objs[1]);
	KUNIT_EXPECT_TRUE(test, slab_pool_is_clean(SHARED, objs[1]));
	KUNIT_EXPECT_TRUE(test, bytes_are(objs[1], 2 * SHARED_SIZE, 0));
	/* Of the first unit object 1 has the end, and it is back by now. */
	put(objs[1]);
	put(objs[0]);
	bytes = 0;
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, 2 * SHARED_SIZE);
	put(objs[3]);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, usage.mapped);
	KUNIT_EXPECT_EQ(test, usage.dirty, SLAB_SIZE);
}

/* They are paid for, wherever in the slab they are. */
static void dirty_objects_go_first(struct kunit *test)
{
	size_t bytes = 0;
	void *objs[4];

	take_slab(test, objs);
	put(objs[0]);
	slab_pool_reclaim(&bytes);
	put(objs[2]);
	KUNIT_EXPECT_PTR_EQ(test, get(test), objs[2]);
	KUNIT_EXPECT_PTR_EQ(test, get(test), objs[0]);
}

/* A unit of another class is dirt in each object that lies in it. */
static void dirty_units_are_dirty_objects(struct kunit *test)
{
	unsigned int i;
	void *objs[4];
	struct slab *slab = slab_get(1, 1);

	need_retained(test, 1);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	memset((void *)slab->base, 1, SLAB_SIZE);
	slab_put(slab);
	take_slab(test, objs);
	KUNIT_ASSERT_PTR_EQ(test, objs[0], (void *)slab->base);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 3);
	for (i = 2; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, bytes_are(objs[i], SHARED_SIZE, 0));
}

#define PURGED_SLABS	8000

/* Free one object of each slab and purge it. Return: seconds for that. */
static double time_purges(struct kunit *test, void *(*slabs)[4],
			  unsigned int index)
{
	size_t bytes = 0;
	double start;
	unsigned int i;

	for (i = 0; i < PURGED_SLABS; i++)
		put(slabs[i][index]);
	start = cpu_seconds();
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, PURGED_SLABS * SHARED_SIZE);
	return cpu_seconds() - start;
}

/* A search through slabs that were purged before would show. */
static void purged_slabs_do_not_slow_down(struct kunit *test)
{
	void *(*slabs)[4] = malloc(PURGED_SLABS * sizeof(*slabs));
	double first, second;
	unsigned int i;

	need_retained(test, 1);
	KUNIT_ASSERT_NOT_NULL(test, slabs);
	for (i = 0; i < PURGED_SLABS; i++)
		take_slab(test, slabs[i]);
	first = time_purges(test, slabs, 0);
	second = time_purges(test, slabs, 2);
	kunit_info(test, "%.0f ns each, then %.0f", first / PURGED_SLABS * 1e9,
		   second / PURGED_SLABS * 1e9);
	KUNIT_EXPECT_LT(test, second, 4 * first + 2e-3);
	free(slabs);
}

/* The first class whose slabs end in the midst of a unit. */
static void tail_of_a_slab_is_purged_too(struct kunit *test)
{
	unsigned int class = PAGED_CLASS_FIRST, i, units;
	size_t bytes = 0, size;
	struct slab *slab;
	char *tail;
	void *objs[64];

	while (class_units(class) * SLAB_SIZE % class_size(class) == 0)
		class++;
	units = class_units(class);
	size = class_size(class);
	slab = slab_get(1, units);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	tail = (char *)slab->base + units * SLAB_SIZE - 1;
	memset((void *)slab->base, 1, units * SLAB_SIZE);
	slab_put(slab);
	for (i = 0; i < units * SLAB_SIZE / size; i++)
		KUNIT_ASSERT_EQ(test, slab_pool_refill(class, &objs[i], 1), 1);
	KUNIT_ASSERT_PTR_EQ(test, slab_of(registry_superslab(tail), tail),
			    slab);
	/* All but one are purged, the last with what is behind it. */
	slab_pool_drain(class, objs + 1, i - 1);
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, (i - 1) * size);
	KUNIT_EXPECT_EQ(test, *tail, 0);
}

/* More units than an object of 16 bytes has bits for. */
static void records_stay_apart(struct kunit *test)
{
	struct slab *slab = slab_get(1, 32), *next = slab + 1;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_EXPECT_EQ(test, slab->nr_objects, SLAB_MAX_OBJECTS);
	slab_put(slab);
	memset(next, 0, sizeof(*next));
	KUNIT_EXPECT_PTR_EQ(test, slab_get(1, 32), slab);
	KUNIT_EXPECT_TRUE(test, bytes_are(next, sizeof(*next), 0));
}

static void refuse_purges(struct kunit *test)
{
	static const struct fault_plan plan = {
		.calls = VM_CALL_BIT(VM_CALL_PURGE), .first = 1, .interval = 1,
	};

	if (!IS_ENABLED(CONFIG_HAKMEM_FAULT_INJECTION))
		kunit_skip(test, "CONFIG_HAKMEM_FAULT_INJECTION is not set");
	fault_set(&plan);
}

/* What the kernel will not take stays, as dirty as it was. */
static void refused_purges_lose_nothing(struct kunit *test)
{
	struct superslab_usage usage;
	void *objs[4], *again[4];
	size_t bytes = 0;

	refuse_purges(test);
	take_slab(test, objs);
	memset(objs[0], 1, 4 * SHARED_SIZE);
	put(objs[2]);
	put(objs[1]);
	slab_pool_expire();
	slab_pool_expire();
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_GE(test, fault_strikes_so_far(), 2);
	KUNIT_EXPECT_EQ(test, bytes, 0);
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 6);
	again[1] = get(test);
	again[2] = get(test);
	KUNIT_EXPECT_PTR_EQ(test, again[1], objs[1]);
	KUNIT_EXPECT_PTR_EQ(test, again[2], objs[2]);
	KUNIT_EXPECT_FALSE(test, slab_pool_is_clean(SHARED, again[1]));
	KUNIT_EXPECT_TRUE(test, bytes_are(objs[0], 4 * SHARED_SIZE, 1));
	/* And once the kernel is willing: */
	put(objs[1]);
	put(objs[2]);
	fault_set(NULL);
	slab_pool_reclaim(&bytes);
	KUNIT_EXPECT_EQ(test, bytes, 2 * SHARED_SIZE);
	KUNIT_EXPECT_TRUE(test, bytes_are(objs[1], 2 * SHARED_SIZE, 0));
	put(objs[0]);
	put(objs[3]);
	superslab_reclaim();
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.mapped, 0);
}

static void refused_purges_of_units(struct kunit *test)
{
	struct superslab *superslab = take_all(test);
	struct superslab_usage usage;
	unsigned int first;
	uint32_t dirty;

	need_retained(test, 3);
	superslab_put_units(superslab, unit_mask(1, 9), unit_mask(2, 3));
	refuse_purges(test);
	KUNIT_EXPECT_EQ(test, superslab_reclaim(), 0);
	KUNIT_EXPECT_GE(test, fault_strikes_so_far(), 1);
	superslab_usage(&usage);
	KUNIT_EXPECT_EQ(test, usage.free, 9 * SLAB_SIZE);
	KUNIT_EXPECT_EQ(test, usage.dirty, 3 * SLAB_SIZE);
	take(test, 9, &first, &dirty);
	KUNIT_EXPECT_EQ(test, first, 1);
	KUNIT_EXPECT_EQ(test, dirty, unit_mask(2, 3));
}

/* Objects that were used since the last call stay. */
static void busy_objects_do_not_expire(struct kunit *test)
{
	void *objs[4];

	take_slab(test, objs);
	put(objs[2]);
	put(objs[3]);
	slab_pool_expire();
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 12);
	get(test);
	get(test);
	put(objs[2]);
	put(objs[3]);
	slab_pool_expire();
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 12);
	slab_pool_expire();
	KUNIT_EXPECT_EQ(test, dirty_map(objs[0]), 0);
}

static const struct kunit_case objects_cases[] = {
	KUNIT_CASE(dirty_objects_are_known),
	KUNIT_CASE(dirty_objects_go_first),
	KUNIT_CASE(purged_slabs_do_not_slow_down),
	KUNIT_CASE(dirty_units_are_dirty_objects),
	KUNIT_CASE(tail_of_a_slab_is_purged_too),
	KUNIT_CASE(records_stay_apart),
	KUNIT_CASE(refused_purges_lose_nothing),
	KUNIT_CASE(refused_purges_of_units),
	KUNIT_CASE(busy_objects_do_not_expire),
	{}
};

/* Of objects that are no multiple of a page none could be purged. */
static int start_with_small_pages(struct kunit *test)
{
	if (vm_page_size() > 4 * KIB)
		kunit_skip(test, "pages of %zu bytes", vm_page_size());
	return start_allocator(test);
}

static const struct kunit_suite objects_suite = {
	.name = "objects",
	.init = start_with_small_pages,
	.test_cases = objects_cases,
};
kunit_test_suite(objects_suite);
