// SPDX-License-Identifier: MIT
/*
 * The explorer itself: it runs all orders, and finds what is wrong in one.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "explore.h"
#include "kunit.h"
#include "lib/lock.h"
#include "memory.h"
#include "mm/init.h"

#define ORDERS_MAX	1000

static unsigned long count, other_count;
static struct lock lock = LOCK_INIT;

static void prepare_nothing(void)
{
	init_ensure();
}

static void look_at_nothing(void)
{
}

static void add_one(void)
{
	unsigned long was = READ_ONCE(count);

	WRITE_ONCE(count, was + 1);
}

static void add_one_locked(void)
{
	lock_acquire(&lock);
	add_one();
	lock_release(&lock);
}

static void add_one_elsewhere(void)
{
	unsigned long was = READ_ONCE(other_count);

	WRITE_ONCE(other_count, was + 1);
}

static void lock_for_ever(void)
{
	lock_acquire(&lock);
}

static void die(void)
{
	if (READ_ONCE(count))
		raise(SIGSEGV);
}

static void expect_two(void)
{
	if (count + other_count != 2)
		explore_fail("%lu and %lu", count, other_count);
}

static void finish_anyhow(void)
{
}

/* Without a word about the failures that are wanted. */
static bool explore_quietly(const struct scenario *scenario,
			    struct explored *explored)
{
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	bool good;

	dup2(null, STDERR_FILENO);
	good = explore(scenario, ORDERS_MAX, explored);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	return good;
}

static void planted_faults_are_found(struct kunit *test)
{
	static const struct scenario faults[] = {
		{ "lost update", prepare_nothing, { add_one, add_one },
		  look_at_nothing, expect_two },
		{ "a lock for one of them", prepare_nothing,
		  { add_one, add_one_locked }, look_at_nothing, expect_two },
		{ "lock kept", prepare_nothing,
		  { lock_for_ever, add_one_locked }, look_at_nothing,
		  finish_anyhow },
		{ "death in one order", prepare_nothing, { die, add_one },
		  look_at_nothing, finish_anyhow },
	};
	struct explored explored;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(faults); i++)
		KUNIT_EXPECT_MSG(test, !explore_quietly(&faults[i], &explored),
				 "%s was not found", faults[i].name);
}

/* No more orders than there are, and no fewer. */
static void orders_are_counted(struct kunit *test)
{
	static const struct scenario locked = {
		"locked", prepare_nothing,
		{ add_one_locked, add_one_locked }, look_at_nothing, expect_two
	};
	static const struct scenario apart = {
		"apart", prepare_nothing, { add_one, add_one_elsewhere },
		look_at_nothing, expect_two
	};
	static const struct scenario racy = {
		"racy", prepare_nothing, { add_one, add_one }, look_at_nothing,
		finish_anyhow
	};
	struct explored explored;

	KUNIT_EXPECT_TRUE(test, explore(&locked, ORDERS_MAX, &explored));
	KUNIT_EXPECT_EQ(test, explored.orders + explored.met, 2);
	KUNIT_EXPECT_TRUE(test, explore(&apart, ORDERS_MAX, &explored));
	KUNIT_EXPECT_EQ(test, explored.orders, 1);
	/* One before the other, twice, and both reads before both writes. */
	KUNIT_EXPECT_TRUE(test, explore(&racy, ORDERS_MAX, &explored));
	KUNIT_EXPECT_GE(test, explored.orders + explored.met, 3);
}

static const struct kunit_case planted_cases[] = {
	KUNIT_CASE(orders_are_counted),
	KUNIT_CASE(planted_faults_are_found),
	{}
};

static const struct kunit_suite planted_suite = {
	.name = "planted",
	.test_cases = planted_cases,
};
kunit_test_suite(planted_suite);
