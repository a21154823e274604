// SPDX-License-Identifier: MIT
/*
 * Reading text: include/lib/parse.h.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kunit.h"
#include "lib/parse.h"
#include "memory.h"

static void numbers_are_read(struct kunit *test)
{
	static const struct { const char *text; unsigned long n; } rows[] = {
		{ "0", 0 }, { "7", 7 }, { "007", 7 }, { "4711", 4711 },
		{ "00000000000000000000000000000001", 1 },
	};
	const char *text;
	unsigned long n;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		text = rows[i].text;
		n = 1;
		KUNIT_EXPECT_MSG(test, parse_number(&text, &n), "\"%s\"",
				 rows[i].text);
		KUNIT_EXPECT_EQ(test, n, rows[i].n);
		KUNIT_EXPECT_STREQ(test, text, "");
	}
}

static void greatest_number_is_read(struct kunit *test)
{
	char digits[32];
	const char *text = digits;
	unsigned long n = 0;

	snprintf(digits, sizeof(digits), "%lu", ULONG_MAX);
	KUNIT_EXPECT_TRUE(test, parse_number(&text, &n));
	KUNIT_EXPECT_EQ(test, n, ULONG_MAX);
}

static void reading_stops_behind_the_digits(struct kunit *test)
{
	const char *text = "12,34";
	unsigned long n = 0;

	KUNIT_EXPECT_TRUE(test, parse_number(&text, &n));
	KUNIT_EXPECT_EQ(test, n, 12);
	KUNIT_EXPECT_STREQ(test, text, ",34");
}

static void what_is_no_number_changes_nothing(struct kunit *test)
{
	static const char *const rows[] = {
		"", " 1", "-1", "+1", "x", ",1", "\t1", "\xd9\xa1",
		"18446744073709551616", "99999999999999999999",
		"100000000000000000000000000000000000000000",
	};
	unsigned long n = 5;
	const char *text;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		text = rows[i];
		KUNIT_EXPECT_MSG(test, !parse_number(&text, &n), "\"%s\"",
				 rows[i]);
		KUNIT_EXPECT_PTR_EQ(test, text, rows[i]);
		KUNIT_EXPECT_EQ(test, n, 5);
	}
}

static void prefixes_are_found(struct kunit *test)
{
	static const char text[] = "HAKMEM_STATS=1";

	KUNIT_EXPECT_PTR_EQ(test, parse_prefix(text, "HAKMEM_STATS"),
			    text + 12);
	KUNIT_EXPECT_PTR_EQ(test, parse_prefix(text, ""), text);
	KUNIT_EXPECT_PTR_EQ(test, parse_prefix(text, text),
			    text + strlen(text));
	KUNIT_EXPECT_NULL(test, parse_prefix(text, "HAKMEM_STAT5"));
	KUNIT_EXPECT_NULL(test, parse_prefix(text, "hakmem"));
	KUNIT_EXPECT_NULL(test, parse_prefix(text, "HAKMEM_STATS=10"));
	KUNIT_EXPECT_NULL(test, parse_prefix("", "H"));
}

static const struct kunit_case parse_cases[] = {
	KUNIT_CASE(numbers_are_read),
	KUNIT_CASE(greatest_number_is_read),
	KUNIT_CASE(reading_stops_behind_the_digits),
	KUNIT_CASE(what_is_no_number_changes_nothing),
	KUNIT_CASE(prefixes_are_found),
	{}
};

static const struct kunit_suite parse_suite = {
	.name = "parse",
	.test_cases = parse_cases,
};
kunit_test_suite(parse_suite);
