// SPDX-License-Identifier: MIT
/*
 * What ACE decides: tables of counters and limits, and loads that last.
 */
#include <stdio.h>

#include "../../mm/ace/policy.h"
#include "ace.h"

static void rates_are_a_seconds(struct kunit *test)
{
	static const struct {
		size_t count;
		unsigned int ms;
		size_t rate;
	} rows[] = {
		{ 0, 0, 0 }, { 5, 0, 0 }, { SIZE_MAX, 0, 0 },
		{ 0, 100, 0 }, { 1, 100, 10 }, { 200, 100, 2000 },
		{ 7, 1000, 7 }, { 999, 2000, 499 }, { 1, UINT32_MAX, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++)
		KUNIT_EXPECT_MSG(test, ace_rate(rows[i].count, rows[i].ms) ==
				 rows[i].rate, "%zu in %u ms", rows[i].count,
				 rows[i].ms);
}

/* More cannot make a class look colder. */
static void rates_do_not_overflow(struct kunit *test)
{
	static const unsigned int times[] = { 1, 100, 1000, 60000 };
	const size_t bits = 8 * sizeof(size_t);
	size_t i, shift;

	for (i = 0; i < ARRAY_LENGTH(times); i++) {
		for (shift = 1; shift < bits; shift++)
			KUNIT_EXPECT_MSG(test, ace_rate(SIZE_MAX >> shift,
							times[i]) <=
					 ace_rate(SIZE_MAX >> (shift - 1),
						  times[i]),
					 "%zu bits, %u ms", bits - shift,
					 times[i]);
	}
}

/* A magazine of the greatest depth for 4 KiB, and a depot of 16 MiB. */
#define MOST	{ 124, 124, 4096 }
#define BASE	{ 16, 4, 256 }

static const struct limits_row {
	const char *what;
	size_t size;
	struct ace_sample sample;
	unsigned int ms;
	struct class_limits base, now, next;
} limits_rows[] = {
	{ "nothing happens at base", 4096, { 0, 0, 0 }, 100,
	  BASE, BASE, BASE },
	{ "no time", 4096, { 1000, 1000, 1000 }, 0,
	  BASE, BASE, BASE },
	{ "exchanges deepen magazines alone", 4096, { 200, 0, 0 }, 100,
	  BASE, BASE, { 32, 4, 256 } },
	{ "just below hot", 4096, { 199, 0, 0 }, 100,
	  BASE, BASE, BASE },
	{ "all visits count together", 4096, { 80, 60, 60 }, 100,
	  BASE, BASE, { 32, 4, 256 } },
	{ "refills alone", 4096, { 0, 200, 0 }, 100,
	  BASE, BASE, { 32, 8, 256 } },
	{ "drains alone", 4096, { 0, 0, 200 }, 100,
	  BASE, BASE, { 32, 4, 256 } },
	{ "refills and drains deepen the depot", 4096, { 0, 200, 200 }, 100,
	  BASE, BASE, { 32, 8, 512 } },
	{ "not beyond the bounds", 4096, { 9000, 9000, 9000 }, 100,
	  BASE, { 100, 80, 3000 }, MOST },
	{ "bounds stay", 4096, { 9000, 9000, 9000 }, 100,
	  BASE, MOST, MOST },
	{ "a refill is no more than a magazine", 4096, { 0, 9000, 0 }, 100,
	  BASE, { 16, 16, 256 }, { 32, 32, 256 } },
	{ "cold ones halve", 4096, { 0, 0, 0 }, 100,
	  BASE, MOST, { 62, 62, 2048 } },
	{ "at 100 a second as well", 4096, { 4, 3, 3 }, 100,
	  BASE, MOST, { 62, 62, 2048 } },
	{ "just above cold", 4096, { 11, 11, 11 }, 100,
	  BASE, MOST, MOST },
	{ "not below base", 4096, { 0, 0, 0 }, 100,
	  BASE, { 20, 5, 300 }, BASE },
	{ "in between nothing changes", 4096, { 50, 50, 50 }, 100,
	  BASE, { 40, 20, 700 }, { 40, 20, 700 } },
	{ "from no magazine", 102400, { 0, 500, 500 }, 100,
	  { 0, 0, 10 }, { 0, 0, 10 }, { 1, 1, 20 } },
	{ "back to no magazine", 102400, { 0, 0, 0 }, 100,
	  { 0, 0, 10 }, { 1, 1, 10 }, { 0, 0, 10 } },
	{ "a megabyte is the most", 102400, { 0, 500, 500 }, 100,
	  { 0, 0, 10 }, { 8, 8, 160 }, { 10, 10, 163 } },
	{ "one of a megabyte", 1048576, { 0, 500, 500 }, 100,
	  { 0, 0, 1 }, { 1, 1, 16 }, { 1, 1, 16 } },
	{ "none of two", 2097152, { 0, 500, 500 }, 100,
	  { 0, 0, 0 }, { 0, 0, 8 }, { 0, 0, 8 } },
	{ "a base beyond the bounds stays", 65536, { 900, 900, 900 }, 100,
	  { 40, 40, 1024 }, { 40, 40, 1024 }, { 40, 40, 1024 } },
};

static void limits_follow_the_sample(struct kunit *test)
{
	const struct limits_row *row = test->param_value;
	struct class_limits next;

	next = ace_next_limits(row->size, &row->sample, row->ms, &row->base,
			       &row->now);
	KUNIT_EXPECT_EQ(test, next.magazine, row->next.magazine);
	KUNIT_EXPECT_EQ(test, next.refill, row->next.refill);
	KUNIT_EXPECT_EQ(test, next.depot, row->next.depot);
}

static void describe_limits(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct limits_row *)param)->what);
}

/* Counters that have hardly any bits left do no harm. */
static void limits_stay_in_bounds(struct kunit *test)
{
	const struct class_limits base = BASE, most = MOST;
	struct class_limits now = base, next;
	struct prng prng = { prng_seed() };
	struct ace_sample sample;
	int i;

	for (i = 0; i < 100000; i++) {
		sample = (struct ace_sample){
			.exchanges = prng_size(&prng, SIZE_MAX / 4),
			.refills = prng_size(&prng, SIZE_MAX / 4),
			.drains = prng_size(&prng, SIZE_MAX / 4),
		};
		next = ace_next_limits(4096, &sample,
				       (unsigned int)prng_size(&prng, 60000),
				       &base, &now);
		KUNIT_ASSERT_GE(test, next.magazine, base.magazine);
		KUNIT_ASSERT_LE(test, next.magazine, most.magazine);
		KUNIT_ASSERT_GE(test, next.refill, base.refill);
		KUNIT_ASSERT_LE(test, next.refill, next.magazine);
		KUNIT_ASSERT_GE(test, next.depot, base.depot);
		KUNIT_ASSERT_LE(test, next.depot, most.depot);
		KUNIT_ASSERT_LE(test, next.magazine, 2 * now.magazine);
		KUNIT_ASSERT_LE(test, now.magazine, 2 * next.magazine + 1);
		now = next;
	}
}

/* A load's visits are in inverse proportion to the depth of its magazines. */
static unsigned int changes_after(struct kunit *test, size_t operations,
				  int settled, int looks)
{
	const struct class_limits base = BASE;
	struct class_limits now = base, next;
	struct ace_sample sample = { 0, 0, 0 };
	unsigned int changes = 0;
	int i;

	for (i = 0; i < looks; i++) {
		sample.exchanges = operations / now.magazine;
		next = ace_next_limits(4096, &sample, 100, &base, &now);
		if (i >= settled)
			changes += next.magazine != now.magazine ||
				   next.refill != now.refill ||
				   next.depot != now.depot;
		else
			KUNIT_EXPECT_GE(test, next.magazine, now.magazine);
		now = next;
	}
	return changes;
}

static void constant_load_settles(struct kunit *test)
{
	size_t operations;

	for (operations = 1; operations < 1000 * 1000 * 1000;
	     operations += operations / 3 + 1)
		KUNIT_EXPECT_MSG(test, !changes_after(test, operations, 4, 50),
				 "%zu operations a look", operations);
}

static void budget_follows_use(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ace_budget(0), ACE_BUDGET_MIN);
	KUNIT_EXPECT_EQ(test, ace_budget(64 * MIB), ACE_BUDGET_MIN);
	KUNIT_EXPECT_EQ(test, ace_budget(2 * GIB), 128 * MIB);
	KUNIT_EXPECT_EQ(test, ace_budget(SIZE_MAX),
			SIZE_MAX / ACE_BUDGET_DIVISOR);
}

static const struct pay_row {
	const char *what;
	size_t size;
	unsigned int caches;
	struct class_limits base, wanted, paid;
	size_t budget, left;
} pay_rows[] = {
	{ "base costs nothing", 4096, 4, BASE, BASE, BASE, 0, 0 },
	{ "none to pay with", 4096, 4,
	  BASE, { 32, 32, 512 }, { 16, 16, 512 }, 0, 0 },
	{ "enough", 4096, 1,
	  BASE, { 32, 8, 256 }, { 32, 8, 256 }, 8192 * 20, 8192 * 4 },
	{ "a part", 4096, 1,
	  BASE, { 32, 32, 256 }, { 26, 26, 256 }, 8192 * 10 + 5, 5 },
	{ "for each cache", 4096, 5,
	  BASE, { 32, 32, 256 }, { 18, 18, 256 }, 8192 * 10, 0 },
	{ "no cache counts as one", 4096, 0,
	  BASE, { 32, 4, 256 }, { 32, 4, 256 }, 8192 * 16, 0 },
	{ "less than one object", 102400, 1,
	  { 0, 0, 10 }, { 4, 4, 20 }, { 0, 0, 20 }, 204799, 204799 },
	{ "more than there is", SIZE_MAX / 4 + 1, 2,
	  BASE, { 32, 4, 256 }, { 16, 4, 256 }, 8192, 8192 },
	{ "a refill stays as it is", 4096, 1,
	  BASE, { 32, 10, 256 }, { 26, 10, 256 }, 8192 * 10, 0 },
};

static void depth_is_paid_for(struct kunit *test)
{
	const struct pay_row *row = test->param_value;
	struct class_limits wanted = row->wanted;
	size_t budget = row->budget;

	ace_pay(row->size, row->caches, &row->base, &wanted, &budget);
	KUNIT_EXPECT_EQ(test, wanted.magazine, row->paid.magazine);
	KUNIT_EXPECT_EQ(test, wanted.refill, row->paid.refill);
	KUNIT_EXPECT_EQ(test, wanted.depot, row->paid.depot);
	KUNIT_EXPECT_EQ(test, budget, row->left);
}

static void describe_pay(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct pay_row *)param)->what);
}

/* Small classes have what they want before large ones have any. */
static void budget_is_never_exceeded(struct kunit *test)
{
	const struct class_limits base = { 0, 0, 0 };
	unsigned int class, caches;
	size_t budget, spent;
	bool short_of;

	for (caches = 1; caches < 5000; caches *= 3) {
		budget = 4 * MIB;
		spent = 0;
		short_of = false;
		for (class = 1; class < NR_CLASSES; class++) {
			struct class_limits wanted = { 124, 124, 0 };

			ace_pay(class_size(class), caches, &base, &wanted,
				&budget);
			spent += 2 * class_size(class) * caches *
				 wanted.magazine;
			KUNIT_EXPECT_FALSE(test, short_of &&
					   wanted.magazine == 124);
			short_of = wanted.magazine < 124;
		}
		KUNIT_EXPECT_LE(test, spent, 4 * MIB);
		KUNIT_EXPECT_EQ(test, spent + budget, 4 * MIB);
	}
}

static void growth_is_a_step_ahead(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ace_next_growth(0), ACE_GROWTH_MIN);
	KUNIT_EXPECT_EQ(test, ace_next_growth(16 * MIB),
			16 * MIB + ACE_GROWTH_MIN);
	KUNIT_EXPECT_EQ(test, ace_next_growth(GIB),
			GIB + GIB / ACE_GROWTH_DIVISOR);
}

static const struct decay_row {
	const char *what;
	unsigned int base_ms, now_ms;
	size_t bounced, used;
	unsigned int next_ms;
} decay_rows[] = {
	{ "nothing was missed", 500, 500, 0, 0, 500 },
	{ "much was", 500, 500, 9 * MIB, 0, 1000 },
	{ "no more than a little", 500, 500, 8 * MIB, 0, 500 },
	{ "little beside what is used", 500, 500, 9 * MIB, GIB, 500 },
	{ "much beside what is used", 500, 500, GIB / 8 + 1, GIB, 1000 },
	{ "up to sixteen times", 500, 8000, GIB, 0, 8000 },
	{ "nearly", 500, 5000, GIB, 0, 8000 },
	{ "back by quarters", 500, 8000, 0, 0, 6000 },
	{ "not below the base", 500, 600, 0, 0, 500 },
	{ "not at all stays", 0, 0, GIB, 0, 0 },
	{ "not at all stays in peace", 0, 0, 0, 0, 0 },
	{ "the longest", 60000, 960000, GIB, 0, 960000 },
	{ "counters at their end", 500, 500, SIZE_MAX, SIZE_MAX, 1000 },
};

static void decay_follows_what_bounces(struct kunit *test)
{
	const struct decay_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, ace_next_decay(row->base_ms, row->now_ms,
					     row->bounced, row->used),
			row->next_ms);
}

static void describe_decay(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct decay_row *)param)->what);
}

static const struct kunit_case policy_cases[] = {
	KUNIT_CASE(rates_are_a_seconds),
	KUNIT_CASE(rates_do_not_overflow),
	KUNIT_CASE_PARAM(limits_follow_the_sample, limits_rows,
			 describe_limits),
	KUNIT_CASE(limits_stay_in_bounds),
	KUNIT_CASE(constant_load_settles),
	KUNIT_CASE(budget_follows_use),
	KUNIT_CASE_PARAM(depth_is_paid_for, pay_rows, describe_pay),
	KUNIT_CASE(budget_is_never_exceeded),
	KUNIT_CASE(growth_is_a_step_ahead),
	KUNIT_CASE_PARAM(decay_follows_what_bounces, decay_rows,
			 describe_decay),
	{}
};

static const struct kunit_suite policy_suite = {
	.name = "policy",
	.test_cases = policy_cases,
};
kunit_test_suite(policy_suite);
