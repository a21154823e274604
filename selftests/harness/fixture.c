// SPDX-License-Identifier: MIT
/*
 * Cases that fail, skip, hang and die on purpose: harness_test.c runs this
 * program and reads what the harness says about them.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kunit.h"
#include "report.h"

static void passes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1 + 1, 2);
	KUNIT_EXPECT_STREQ(test, "a", "a");
}

static void expectation_fails(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1 + 1, 3);
	printf("    # went on\n");
	fflush(stdout);
}

static void assertion_fails(struct kunit *test)
{
	KUNIT_ASSERT_NULL(test, test);
	printf("    # went on\n");
	fflush(stdout);
}

static void skips(struct kunit *test)
{
	kunit_skip(test, "needs %d moons", 2);
}

static void crashes(struct kunit *test)
{
	(void)test;
	raise(SIGSEGV);
}

static void leaves_early(struct kunit *test)
{
	(void)test;
	_exit(3);
}

static void hangs(struct kunit *test)
{
	(void)test;
	for (;;)
		pause();
}

static void *fail_in_thread(void *arg)
{
	KUNIT_ASSERT_EQ((struct kunit *)arg, 1, 2);
	return NULL;
}

static void thread_fails(struct kunit *test)
{
	pthread_t thread;

	pthread_create(&thread, NULL, fail_in_thread, test);
	pthread_join(thread, NULL);
}

static void dies_as_expected(struct kunit *test)
{
	(void)test;
	raise(SIGABRT);
}

static void survives_unexpectedly(struct kunit *test)
{
	(void)test;
}

static const int numbers[] = { 1, 2, 3 };

static void describe_number(const void *param, char *text, size_t size)
{
	snprintf(text, size, "number %d", *(const int *)param);
}

static void number_is_odd(struct kunit *test)
{
	const int *number = test->param_value;

	if (*number == 3)
		kunit_skip(test, "three");
	KUNIT_EXPECT_EQ(test, *number % 2, 1);
}

static const struct kunit_case plain_cases[] = {
	KUNIT_CASE(passes),
	KUNIT_CASE(expectation_fails),
	KUNIT_CASE(assertion_fails),
	KUNIT_CASE(skips),
	KUNIT_CASE(crashes),
	KUNIT_CASE(leaves_early),
	KUNIT_CASE(thread_fails),
	KUNIT_CASE_SLOW(hangs),
	KUNIT_CASE_SIGNAL(dies_as_expected, SIGABRT),
	KUNIT_CASE_SIGNAL(survives_unexpectedly, SIGABRT),
	KUNIT_CASE_PARAM(number_is_odd, numbers, describe_number),
	{}
};

static const struct kunit_suite plain_suite = {
	.name = "plain",
	.test_cases = plain_cases,
};
kunit_test_suite(plain_suite);

static void say_and_abort(void *arg)
{
	fprintf(stderr, "%s\nsecond line\n", (const char *)arg);
	abort();
}

static void say_and_return(void *arg)
{
	fprintf(stderr, "%s\n", (const char *)arg);
}

static void death_matches(struct kunit *test)
{
	KUNIT_EXPECT_DEATH(test, say_and_abort, "free(): bad 0x10", SIGABRT,
			   "free\\(\\): bad 0x%x", 16);
}

static void death_with_other_signal(struct kunit *test)
{
	KUNIT_EXPECT_DEATH(test, say_and_abort, "bad", SIGSEGV, "bad");
}

static void death_with_other_line(struct kunit *test)
{
	KUNIT_EXPECT_DEATH(test, say_and_abort, "good", SIGABRT, "bad");
}

static void death_on_second_line(struct kunit *test)
{
	KUNIT_EXPECT_DEATH(test, say_and_abort, "bad", SIGABRT, "second");
}

static void death_does_not_happen(struct kunit *test)
{
	KUNIT_EXPECT_DEATH(test, say_and_return, "bad", SIGABRT, "bad");
}

static void survival_happens(struct kunit *test)
{
	KUNIT_EXPECT_SURVIVAL(test, say_and_return, "fine");
}

static void survival_does_not_happen(struct kunit *test)
{
	KUNIT_EXPECT_SURVIVAL(test, say_and_abort, "bad");
}

static const struct kunit_case death_cases[] = {
	KUNIT_CASE(death_matches),
	KUNIT_CASE(death_with_other_signal),
	KUNIT_CASE(death_with_other_line),
	KUNIT_CASE(death_on_second_line),
	KUNIT_CASE(death_does_not_happen),
	KUNIT_CASE(survival_happens),
	KUNIT_CASE(survival_does_not_happen),
	{}
};

static const struct kunit_suite death_suite = {
	.name = "death",
	.test_cases = death_cases,
};
kunit_test_suite(death_suite);

static int init_value(struct kunit *test)
{
	static int value;

	value = 7;
	test->priv = &value;
	return 0;
}

static void exit_says_goodbye(struct kunit *test)
{
	kunit_info(test, "exit saw %d", *(int *)test->priv);
}

static void sees_init(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, *(int *)test->priv, 8);
}

static const struct kunit_case fixture_cases[] = {
	KUNIT_CASE(sees_init),
	{}
};

static const struct kunit_suite fixture_suite = {
	.name = "fixture",
	.init = init_value,
	.exit = exit_says_goodbye,
	.test_cases = fixture_cases,
};
kunit_test_suite(fixture_suite);

static int init_fails(struct kunit *test)
{
	(void)test;
	return -1;
}

static const struct kunit_case unreached_cases[] = {
	KUNIT_CASE(passes),
	{}
};

static const struct kunit_suite unreached_suite = {
	.name = "unreached",
	.init = init_fails,
	.test_cases = unreached_cases,
};
kunit_test_suite(unreached_suite);
