/* SPDX-License-Identifier: MIT */
/*
 * Tables of test cases in the manner of the kernel's KUnit, on top of libcheck.
 *
 * A suite is a table:
 *
 *	static void refill_takes_a_batch(struct kunit *test)
 *	{
 *		KUNIT_ASSERT_NOT_NULL(test, p);
 *		KUNIT_EXPECT_EQ(test, count, 3u);
 *	}
 *
 *	static const struct kunit_case refill_cases[] = {
 *		KUNIT_CASE(refill_takes_a_batch),
 *		{}
 *	};
 *
 *	static const struct kunit_suite refill_suite = {
 *		.name = "refill",
 *		.test_cases = refill_cases,
 *	};
 *	kunit_test_suite(refill_suite);
 *
 * Each case, and each parameter of a KUNIT_CASE_PARAM, runs in a process of its
 * own, so it may leave any state behind and may die. EXPECT notes a failure and
 * goes on, ASSERT ends the case. Expectations cost one comparison while they
 * hold: they may stand in hot loops and in many threads.
 */
#ifndef SELFTESTS_KUNIT_H
#define SELFTESTS_KUNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds until a case counts as hung. */
#define KUNIT_TIMEOUT		30
#define KUNIT_TIMEOUT_SLOW	300

/* Longest parameter table, see KUNIT_CASE_PARAM. */
#define KUNIT_PARAMS_MAX	64

/**
 * struct kunit - the running case
 * @name: name of the case
 * @priv: for the suite's init() and exit()
 * @param_value: element of the parameter table, NULL without one
 * @param_index: its index
 */
struct kunit {
	const char *name;
	void *priv;
	const void *param_value;
	int param_index;
};

/**
 * struct kunit_case - one row of a suite's table; use the KUNIT_CASE macros
 * @name: name of the case
 * @run: its body
 * @slow: left out by --quick
 * @timeout: seconds until it counts as hung, 0 for one of those above
 * @signal: the signal the case must die from, or 0
 * @exit_code: the exit code the case must end with, or 0
 * @params: first element of the parameter table, or NULL
 * @param_size: size of an element
 * @param_count: number of elements
 * @describe: writes a short name of an element
 */
struct kunit_case {
	const char *name;
	void (*run)(struct kunit *test);
	bool slow;
	int timeout;
	int signal;
	int exit_code;
	const void *params;
	size_t param_size;
	int param_count;
	void (*describe)(const void *param, char *text, size_t size);
};

/**
 * struct kunit_suite - a named table of cases
 * @name: what the suite tests, without the word test
 * @init: runs before each case, in its process; not 0 fails the case
 * @exit: runs after each case, also after a failed ASSERT
 * @test_cases: ends with an empty row
 */
struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	const struct kunit_case *test_cases;
};

#define KUNIT_CASE(fn)		{ .name = #fn, .run = (fn) }
#define KUNIT_CASE_SLOW(fn)	{ .name = #fn, .run = (fn), .slow = true }
#define KUNIT_CASE_SIGNAL(fn, sig) \
	{ .name = #fn, .run = (fn), .signal = (sig) }
#define KUNIT_CASE_EXIT(fn, code) \
	{ .name = #fn, .run = (fn), .exit_code = (code) }
#define KUNIT_PARAMS(fn, array, describe_fn)				\
	.name = #fn, .run = (fn), .params = (array),			\
	.param_size = sizeof((array)[0]),				\
	.param_count = sizeof(array) / sizeof((array)[0]),		\
	.describe = (describe_fn)
#define KUNIT_CASE_PARAM(fn, array, describe_fn)			\
	{ KUNIT_PARAMS(fn, array, describe_fn) }
#define KUNIT_CASE_PARAM_SLOW(fn, array, describe_fn)			\
	{ KUNIT_PARAMS(fn, array, describe_fn), .slow = true }
#define KUNIT_CASE_PARAM_TIMEOUT(fn, array, describe_fn, seconds)	\
	{ KUNIT_PARAMS(fn, array, describe_fn), .timeout = (seconds) }

/* The linker collects the pointers; runner.c walks them. */
#define kunit_test_suite(suite)						\
	static const struct kunit_suite *const kunit_entry_##suite	\
	__attribute__((used, section("kunit_suites"))) = &(suite)

/**
 * kunit_skip() - end the case as skipped
 *
 * Only from the thread that runs the case.
 */
__attribute__((noreturn, format(printf, 2, 3)))
void kunit_skip(struct kunit *test, const char *format, ...);

/*
 * kunit_need_plain() - skip what holds for the process as the system knows it:
 * resident memory, mappings, limits, children of many threads. A sanitizer has
 * its own part in each.
 */
void kunit_need_plain(struct kunit *test);

/**
 * kunit_info() - print a remark, such as the seed of a random case
 */
__attribute__((format(printf, 2, 3)))
void kunit_info(const struct kunit *test, const char *format, ...);

enum kunit_severity { KUNIT_EXPECTATION, KUNIT_ASSERTION };

/* Where and what of a check; the macros below fill it in. */
struct kunit_site {
	const char *file;
	int line;
	enum kunit_severity severity;
	const char *text;
};

__attribute__((format(printf, 3, 4)))
void kunit_fail_at(struct kunit *test, const struct kunit_site *site,
		   const char *format, ...);

#define KUNIT_FAIL_SITE(test, level, what, ...)				\
	do {								\
		static const struct kunit_site kunit_site = {		\
			__FILE__, __LINE__, (level), (what)		\
		};							\
		kunit_fail_at((test), &kunit_site, __VA_ARGS__);	\
	} while (0)

#define KUNIT_CHECK(test, level, condition, what, ...)			\
	do {								\
		if (!(condition))					\
			KUNIT_FAIL_SITE(test, level, what, __VA_ARGS__); \
	} while (0)

#define KUNIT_CHECK_INT(test, level, left, op, right)			\
	do {								\
		__auto_type kunit_left = (left);			\
		__auto_type kunit_right = (right);			\
		KUNIT_CHECK(test, level, kunit_left op kunit_right,	\
			    #left " " #op " " #right,			\
			    "%jd (%#jx) and %jd (%#jx)",		\
			    (intmax_t)kunit_left, (uintmax_t)kunit_left, \
			    (intmax_t)kunit_right,			\
			    (uintmax_t)kunit_right);			\
	} while (0)

#define KUNIT_CHECK_PTR(test, level, left, op, right)			\
	do {								\
		const volatile void *kunit_left = (left);		\
		const volatile void *kunit_right = (right);		\
		KUNIT_CHECK(test, level, kunit_left op kunit_right,	\
			    #left " " #op " " #right, "%p and %p",	\
			    (void *)kunit_left, (void *)kunit_right);	\
	} while (0)

#define KUNIT_FAIL(test, ...) \
	KUNIT_FAIL_SITE(test, KUNIT_ASSERTION, "unreachable", __VA_ARGS__)

#define KUNIT_EXPECT_TRUE(test, c) \
	KUNIT_CHECK(test, KUNIT_EXPECTATION, c, #c, "false")
#define KUNIT_EXPECT_FALSE(test, c) \
	KUNIT_CHECK(test, KUNIT_EXPECTATION, !(c), "!(" #c ")", "true")
#define KUNIT_EXPECT_MSG(test, c, ...) \
	KUNIT_CHECK(test, KUNIT_EXPECTATION, c, #c, __VA_ARGS__)
#define KUNIT_EXPECT_EQ(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_EXPECTATION, l, ==, r)
#define KUNIT_EXPECT_NE(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_EXPECTATION, l, !=, r)
#define KUNIT_EXPECT_LT(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_EXPECTATION, l, <, r)
#define KUNIT_EXPECT_LE(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_EXPECTATION, l, <=, r)
#define KUNIT_EXPECT_GT(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_EXPECTATION, l, >, r)
#define KUNIT_EXPECT_GE(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_EXPECTATION, l, >=, r)
#define KUNIT_EXPECT_PTR_EQ(test, l, r) \
	KUNIT_CHECK_PTR(test, KUNIT_EXPECTATION, l, ==, r)
#define KUNIT_EXPECT_PTR_NE(test, l, r) \
	KUNIT_CHECK_PTR(test, KUNIT_EXPECTATION, l, !=, r)
#define KUNIT_EXPECT_NULL(test, p) \
	KUNIT_CHECK_PTR(test, KUNIT_EXPECTATION, p, ==, NULL)
#define KUNIT_EXPECT_NOT_NULL(test, p) \
	KUNIT_CHECK_PTR(test, KUNIT_EXPECTATION, p, !=, NULL)
#define KUNIT_EXPECT_STREQ(test, l, r)					\
	do {								\
		const char *kunit_left = (l);				\
		const char *kunit_right = (r);				\
		KUNIT_CHECK(test, KUNIT_EXPECTATION,			\
			    !__builtin_strcmp(kunit_left, kunit_right),	\
			    #l " == " #r, "\"%s\" and \"%s\"",		\
			    kunit_left, kunit_right);			\
	} while (0)

#define KUNIT_ASSERT_TRUE(test, c) \
	KUNIT_CHECK(test, KUNIT_ASSERTION, c, #c, "false")
#define KUNIT_ASSERT_FALSE(test, c) \
	KUNIT_CHECK(test, KUNIT_ASSERTION, !(c), "!(" #c ")", "true")
#define KUNIT_ASSERT_MSG(test, c, ...) \
	KUNIT_CHECK(test, KUNIT_ASSERTION, c, #c, __VA_ARGS__)
#define KUNIT_ASSERT_EQ(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_ASSERTION, l, ==, r)
#define KUNIT_ASSERT_LE(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_ASSERTION, l, <=, r)
#define KUNIT_ASSERT_GE(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_ASSERTION, l, >=, r)
#define KUNIT_ASSERT_NE(test, l, r) \
	KUNIT_CHECK_INT(test, KUNIT_ASSERTION, l, !=, r)
#define KUNIT_ASSERT_PTR_EQ(test, l, r) \
	KUNIT_CHECK_PTR(test, KUNIT_ASSERTION, l, ==, r)
#define KUNIT_ASSERT_NULL(test, p) \
	KUNIT_CHECK_PTR(test, KUNIT_ASSERTION, p, ==, NULL)
#define KUNIT_ASSERT_NOT_NULL(test, p) \
	KUNIT_CHECK_PTR(test, KUNIT_ASSERTION, p, !=, NULL)

#endif /* SELFTESTS_KUNIT_H */
