// SPDX-License-Identifier: MIT
/*
 * Two and three threads with up to three operations each, in every order:
 * magazine exchange, depot, thread exit, slab drain, reclaim, page runs and
 * mappings. In each order no block is handed out twice or loses its content,
 * nobody waits for ever, and at the end all memory is free.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../mm/cache/depot.h"
#include "explore.h"
#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/cache.h"
#include "mm/init.h"
#include "mm/route.h"
#include "mm/superslab.h"

#define CELLS		12
/* What bounds a case is how many orders there are, not what else runs. */
#define ORDERS_MAX	20000
#define SECONDS_MAX	600

/* Blocks; each is one thread's at a time. */
static struct {
	unsigned char *ptr;
	size_t size;
} cells[CELLS];

static struct cache *caches[EXPLORE_THREADS_MAX];

/* --- Operations ----------------------------------------------------------- */

static void fill(unsigned int i)
{
	size_t size = cells[i].size;

	pattern_fill(cells[i].ptr, min(size, (size_t)64), i);
	pattern_fill(cells[i].ptr + size - 16, 16, i);
}

static void expect_intact(unsigned int i)
{
	size_t size = cells[i].size;

	if (!pattern_intact(cells[i].ptr + size - 16, 16, i) ||
	    (size >= 80 && !pattern_intact(cells[i].ptr, 64, i)))
		explore_fail("block %u has lost its content", i);
}

static void take(unsigned int i, size_t size)
{
	unsigned char *p = hak_malloc(size);
	unsigned int j;

	if (!p)
		explore_fail("no memory");
	for (j = 0; j < CELLS; j++) {
		if (cells[j].ptr && p < cells[j].ptr + cells[j].size &&
		    cells[j].ptr < p + size)
			explore_fail("block %u is also block %u", i, j);
	}
	cells[i].ptr = p;
	cells[i].size = size;
	fill(i);
}

static void give(unsigned int i)
{
	void *p = cells[i].ptr;

	expect_intact(i);
	cells[i].ptr = NULL;
	hak_free(p);
}

static void resize(unsigned int i, size_t size)
{
	unsigned char *p = cells[i].ptr;

	expect_intact(i);
	cells[i].ptr = NULL;
	p = hak_realloc(p, size);
	if (!p)
		explore_fail("no memory to resize");
	cells[i].ptr = p;
	if (size > 64 && !pattern_intact(p, 64, i))
		explore_fail("block %u has lost its content", i);
	cells[i].size = size;
	fill(i);
}

static void reclaim(void)
{
	size_t bytes = 0;

	route_reclaim(&bytes);
}

/* As thread.c does, for threads that share one thread-local memory. */
static void use_cache(struct cache *cache)
{
	thread_cache_distance = (uintptr_t)cache - (uintptr_t)&cache_tables;
}

static void attach(void)
{
	struct cache *cache = cache_acquire();

	if (!cache)
		explore_fail("no cache");
	caches[explore_thread()] = cache;
	use_cache(cache);
}

static void leave(void)
{
	struct cache *cache = caches[explore_thread()];

	caches[explore_thread()] = NULL;
	use_cache(&cache_detached);
	cache_release(cache);
}

static void begin(void)
{
	use_cache(caches[explore_thread()]);
}

/* --- Before and behind ---------------------------------------------------- */

/* Magazines so small that a few operations run through them. */
static void prepare(unsigned int magazine, unsigned int depot)
{
	unsigned int class;

	setenv("HAKMEM_ACE_ENABLED", "0", 1);
	setenv("HAKMEM_DECAY_MS", "60000", 1);
	init_ensure();
	for (class = 1; class < NR_CLASSES; class++)
		class_limits[class] = (struct class_limits){
			.magazine = magazine, .refill = magazine,
			.depot = depot,
		};
}

static void prepare_caches(unsigned int n)
{
	while (n--)
		caches[n] = cache_acquire();
}

static void look(void)
{
	unsigned int i;

	for (i = 0; i < CELLS; i++) {
		if (cells[i].ptr)
			expect_intact(i);
	}
}

static void finish(void)
{
	struct superslab_usage usage;
	struct hak_mallinfo2 info;
	unsigned int i;

	for (i = 0; i < EXPLORE_THREADS_MAX; i++) {
		if (caches[i])
			cache_release(caches[i]);
	}
	for (i = 0; i < CELLS; i++) {
		if (cells[i].ptr)
			give(i);
	}
	hak_malloc_trim(0);
	info = hak_mallinfo2();
	superslab_usage(&usage);
	if (info.uordblks || info.hblkhd || usage.free != usage.mapped)
		explore_fail("%zu and %zu bytes are used, %zu of %zu free",
			     info.uordblks, info.hblkhd, usage.free,
			     usage.mapped);
}

/* --- Magazines change hands ----------------------------------------------- */

#define SMALL	((size_t)64)

static void prepare_exchange(void)
{
	prepare(1, 2);
	prepare_caches(3);
	take(0, SMALL);
	take(1, SMALL);
	take(2, SMALL);
}

static void take_two_give_one(void)
{
	begin();
	take(3, SMALL);
	take(4, SMALL);
	give(0);
}

static void give_two_take_one(void)
{
	begin();
	give(1);
	give(2);
	take(5, SMALL);
}

static void give_three(void)
{
	begin();
	give(0);
	give(1);
	give(2);
}

static void take_three(void)
{
	begin();
	take(6, SMALL);
	take(7, SMALL);
	take(8, SMALL);
}

/* Full magazines wait in the depot. */
static void prepare_depot(void)
{
	unsigned int i;

	prepare(1, 4);
	prepare_caches(3);
	for (i = 0; i < 6; i++)
		take(i, SMALL);
	use_cache(caches[2]);
	for (i = 0; i < 5; i++)
		give(i);
	use_cache(&cache_detached);
}

static void take_two_give_another(void)
{
	begin();
	take(9, SMALL);
	take(10, SMALL);
	give(5);
}

/* Each thread has a processor, and the first two not the same shard. */
int sched_getcpu(void)
{
	return (int)explore_thread() * 4;
}

static void prepare_shards(void)
{
	init_ensure();
	depot_spread(8);
	prepare_depot();
	take(0, SMALL);
	take(1, SMALL);
	take(2, SMALL);
}

static void expire_depots(void)
{
	begin();
	cache_expire();
	give(5);
}

/* --- Threads come and go -------------------------------------------------- */

static void prepare_exit(void)
{
	prepare(1, 1);
	prepare_caches(1);
	take(0, SMALL);
	take(1, SMALL);
	take(2, SMALL);
}

static void give_and_leave(void)
{
	begin();
	give(0);
	leave();
}

static void attach_and_take(void)
{
	attach();
	take(3, SMALL);
	give(1);
}

static void attach_and_leave(void)
{
	attach();
	leave();
}

static void reclaim_alone(void)
{
	reclaim();
}

/* --- Slabs drain and come back -------------------------------------------- */

#define MIDDLE	((size_t)20000)

static void prepare_drain(void)
{
	unsigned int i;

	prepare(0, 0);
	prepare_caches(3);
	for (i = 0; i < 4; i++)
		take(i, MIDDLE);
}

static void drain_two_refill(void)
{
	begin();
	give(0);
	give(1);
	take(4, MIDDLE);
}

static void drain_two_refill_other(void)
{
	begin();
	give(2);
	give(3);
	take(5, 2 * MIDDLE / 3);
}

static void refill_twice(void)
{
	begin();
	take(6, MIDDLE);
	take(7, MIDDLE);
}

static void drain_and_reclaim(void)
{
	begin();
	give(0);
	reclaim();
	take(4, MIDDLE);
}

static void prepare_last_slab(void)
{
	prepare(0, 0);
	prepare_caches(3);
	take(0, MIDDLE);
}

static void give_last_and_reclaim(void)
{
	begin();
	give(0);
	reclaim();
}

static void take_and_reclaim(void)
{
	begin();
	take(1, MIDDLE);
	reclaim();
}

static void take_one(void)
{
	begin();
	take(1, MIDDLE);
}

static void take_and_give(void)
{
	begin();
	take(2, MIDDLE / 2);
	give(2);
}

/* --- What lies idle goes -------------------------------------------------- */

static void prepare_idle(void)
{
	unsigned int i;

	prepare(1, 4);
	prepare_caches(3);
	for (i = 0; i < 6; i++)
		take(i, SMALL);
	use_cache(caches[0]);
	for (i = 0; i < 3; i++)
		give(i);
	use_cache(&cache_detached);
	cache_release(caches[2]);
	caches[2] = NULL;
}

static void expire(void)
{
	cache_begin_epoch();
	cache_expire();
	cache_expire();
}

static void tend_and_give(void)
{
	begin();
	cache_begin_epoch();
	cache_tend(0);
	give(3);
}

static void take_one_small(void)
{
	begin();
	take(6, SMALL);
}

static void take_from_depot(void)
{
	begin();
	take(6, SMALL);
	take(7, SMALL);
	give(4);
}

/* --- Page runs and mappings ----------------------------------------------- */

#define PAGES	((size_t)900 << 10)
#define HUGE	((size_t)4 << 20)

static void prepare_runs(void)
{
	prepare(0, 0);
	prepare_caches(3);
	take(0, PAGES);
	take(1, PAGES);
	take(2, PAGES);
}

static void give_run_and_reclaim(void)
{
	begin();
	give(0);
	reclaim();
}

static void take_two_runs(void)
{
	begin();
	take(5, PAGES);
	take(6, 2 * PAGES / 3);
}

static void give_run(void)
{
	begin();
	give(1);
}

static void resize_run(void)
{
	begin();
	resize(2, PAGES / 3);
	resize(2, PAGES + 100000);
}

static void prepare_mappings(void)
{
	prepare(0, 0);
	prepare_caches(3);
	take(0, HUGE);
	take(1, HUGE);
	take(2, HUGE);
}

static void give_mapping_and_reclaim(void)
{
	begin();
	give(0);
	reclaim();
}

static void take_mapping(void)
{
	begin();
	take(5, HUGE / 2);
}

static void give_mapping(void)
{
	begin();
	give(1);
}

static void resize_mapping(void)
{
	begin();
	resize(2, 2 * HUGE);
}

static const struct scenario scenarios[] = {
	{ "magazines, two threads", prepare_exchange,
	  { take_two_give_one, give_two_take_one }, look, finish },
	{ "magazines, three threads", prepare_exchange,
	  { take_two_give_one, give_two_take_one, take_three }, look, finish },
	{ "one gives, one takes", prepare_exchange,
	  { give_three, take_three }, look, finish },
	{ "two want the depot", prepare_depot,
	  { take_two_give_another, take_three }, look, finish },
	{ "two shards, one gives, one takes", prepare_shards,
	  { give_three, take_three }, look, finish },
	{ "two shards under expiry", prepare_shards,
	  { expire_depots, take_three }, look, finish },
	{ "a thread leaves, one comes", prepare_exit,
	  { give_and_leave, attach_and_take }, look, finish },
	{ "one leaves, one comes, one passes", prepare_exit,
	  { give_and_leave, attach_and_take, attach_and_leave }, look,
	  finish },
	{ "a thread leaves under reclaim", prepare_exit,
	  { give_and_leave, attach_and_take, reclaim_alone }, look, finish },
	{ "slabs drain", prepare_drain,
	  { drain_two_refill, drain_two_refill_other }, look, finish },
	{ "slabs drain and are wanted", prepare_drain,
	  { drain_two_refill, refill_twice }, look, finish },
	{ "slabs under reclaim", prepare_drain,
	  { drain_and_reclaim, drain_two_refill_other }, look, finish },
	{ "slabs, three threads", prepare_drain,
	  { drain_two_refill, drain_two_refill_other, refill_twice }, look,
	  finish },
	{ "the last slab goes", prepare_last_slab,
	  { give_last_and_reclaim, take_and_reclaim }, look, finish },
	{ "the last slab, three threads", prepare_last_slab,
	  { give_last_and_reclaim, take_one, take_and_give }, look, finish },
	{ "the idle go", prepare_idle,
	  { expire, take_from_depot }, look, finish },
	{ "the idle go, three threads", prepare_idle,
	  { tend_and_give, take_one_small, expire }, look, finish },
	{ "page runs under reclaim", prepare_runs,
	  { give_run_and_reclaim, take_two_runs }, look, finish },
	{ "page runs are resized", prepare_runs,
	  { resize_run, take_two_runs }, look, finish },
	{ "page runs, three threads", prepare_runs,
	  { give_run, take_two_runs, resize_run }, look, finish },
	{ "mappings under reclaim", prepare_mappings,
	  { give_mapping_and_reclaim, take_mapping }, look, finish },
	{ "mappings are resized", prepare_mappings,
	  { give_mapping_and_reclaim, resize_mapping }, look, finish },
	{ "mappings, three threads", prepare_mappings,
	  { give_mapping, take_mapping, resize_mapping }, look, finish },
};

static void every_order(struct kunit *test)
{
	const struct scenario *scenario = test->param_value;
	struct explored explored;
	double begun = seconds_of_children();
	bool good;

	good = explore(scenario, ORDERS_MAX, &explored);
	kunit_info(test, "%s: %lu orders to the end, %lu to one that was "
		   "the same, %lu to a state met before, %lu steps, %lu the "
		   "longest, round %u, %.1f s of CPU time", scenario->name,
		   explored.orders, explored.same, explored.met,
		   explored.steps, explored.longest, explored.rounds,
		   seconds_of_children() - begun);
	KUNIT_EXPECT_TRUE(test, good);
}

static void describe(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct scenario *)param)->name);
}

static const struct kunit_case explore_cases[] = {
	KUNIT_CASE_PARAM_TIMEOUT(every_order, scenarios, describe, SECONDS_MAX),
	{}
};

static const struct kunit_suite explore_suite = {
	.name = "explore",
	.test_cases = explore_cases,
};
kunit_test_suite(explore_suite);
