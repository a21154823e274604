// SPDX-License-Identifier: MIT
/*
 * Knobs: how the environment is read. What each does is preload's business.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "lib/file.h"
#include "memory.h"
#include "mm/knobs.h"
#include "report.h"

static bool at_secure;

/* Instead of libc's: a runner that gains rights would have to be installed. */
unsigned long getauxval(unsigned long type)
{
	unsigned long entry[2] = { AT_NULL, 0 };
	int fd = file_open("/proc/self/auxv");

	if (type == AT_SECURE && at_secure)
		entry[1] = 1;
	else
		while (file_read(fd, (char *)entry, sizeof(entry)) &&
		       entry[0] != type)
			;
	file_close(fd);
	return entry[1];
}

static int clear_environment(struct kunit *test)
{
	size_t i;

	if (IS_ENABLED(CONFIG_HAKMEM_LIBC))
		kunit_skip(test, "CONFIG_HAKMEM_LIBC reads no environment");
	for (i = 0; i < NR_KNOBS; i++)
		unsetenv(knobs[i].name);
	return 0;
}

static const struct knob example = { "EXAMPLE", 5, 60000, 4711, NULL };

static void values_in_range_are_read(struct kunit *test)
{
	static const struct { const char *text; unsigned int n; } rows[] = {
		{ "5", 5 }, { "60000", 60000 }, { "17", 17 }, { "0017", 17 },
	};
	unsigned int n;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		n = 0;
		KUNIT_EXPECT_MSG(test, knob_parse(&example, rows[i].text, &n),
				 "\"%s\"", rows[i].text);
		KUNIT_EXPECT_EQ(test, n, rows[i].n);
	}
}

static void all_else_is_nonsense(struct kunit *test)
{
	static const char *const rows[] = {
		"", " ", "abc", "4", "60001", "-5", "+5", " 5", "5 ", "5x",
		"0x10", "5.0", "1e3", "4294967301", "18446744073709551621",
	};
	unsigned int n = 1;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		KUNIT_EXPECT_MSG(test, !knob_parse(&example, rows[i], &n),
				 "\"%s\"", rows[i]);
		KUNIT_EXPECT_EQ(test, n, 1);
	}
}

static void words_are_numbered(struct kunit *test)
{
	static const struct knob knob = KNOB_WORDS("EXAMPLE", "no yes maybe",
						   0, "");
	static const char *const nonsense[] = {
		"", " ", "n", "noo", "no yes", "yes ", "may", "0", "1", "YES",
	};
	unsigned int n;
	size_t i;

	KUNIT_EXPECT_TRUE(test, knob_parse(&knob, "no", &n) && n == 0);
	KUNIT_EXPECT_TRUE(test, knob_parse(&knob, "yes", &n) && n == 1);
	KUNIT_EXPECT_TRUE(test, knob_parse(&knob, "maybe", &n) && n == 2);
	for (i = 0; i < ARRAY_LENGTH(nonsense); i++)
		KUNIT_EXPECT_MSG(test, !knob_parse(&knob, nonsense[i], &n),
				 "\"%s\"", nonsense[i]);
}

static void table_is_sane(struct kunit *test)
{
	size_t i, j;

	for (i = 0; i < NR_KNOBS; i++) {
		KUNIT_ASSERT_NOT_NULL(test, knobs[i].name);
		KUNIT_EXPECT_EQ(test, strncmp(knobs[i].name, "HAKMEM_", 7), 0);
		KUNIT_EXPECT_LT(test, knobs[i].min, knobs[i].max);
		KUNIT_EXPECT_LE(test, knobs[i].min, knobs[i].value);
		KUNIT_EXPECT_LE(test, knobs[i].value, knobs[i].max);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, strcmp(knobs[i].name,
						     knobs[j].name), 0);
	}
}

static void environment_is_read_once(struct kunit *test)
{
	setenv("HAKMEM_DECAY_MS", "1234", 1);
	setenv("HAKMEM_TINY_MEM_DIE", "1", 1);
	setenv("HAKMEM_TINY_REFILL_COUNT_HOT", "124", 1);
	KUNIT_EXPECT_EQ(test, knob(KNOB_DECAY_MS), CONFIG_HAKMEM_DECAY_MS);
	hak_free(hak_malloc(1));
	KUNIT_EXPECT_EQ(test, knob(KNOB_DECAY_MS), 1234);
	KUNIT_EXPECT_EQ(test, knob(KNOB_TINY_MEM_DIET), 0);
	KUNIT_EXPECT_EQ(test, knob(KNOB_TINY_REFILL_COUNT_HOT), 124);
	setenv("HAKMEM_DECAY_MS", "4321", 1);
	hak_free(hak_malloc(1));
	hak_malloc_trim(0);
	KUNIT_EXPECT_EQ(test, knob(KNOB_DECAY_MS), 1234);
}

static void missing_environment_is_no_matter(struct kunit *test)
{
	environ = NULL;
	hak_free(hak_malloc(1));
	KUNIT_EXPECT_EQ(test, knob(KNOB_DECAY_MS), CONFIG_HAKMEM_DECAY_MS);
	KUNIT_EXPECT_EQ(test, knob(KNOB_TINY_USE_SUPERSLAB), 1);
}

/* Whoever starts a set-user-ID program must not choose how it allocates. */
static void gained_rights_mean_defaults(struct kunit *test)
{
	setenv("HAKMEM_DECAY_MS", "1234", 1);
	setenv("HAKMEM_TINY_USE_SUPERSLAB", "0", 1);
	setenv("HAKMEM_FAULT", "all,every=1", 1);
	at_secure = true;
	KUNIT_EXPECT_NULL(test, knob_environment("HAKMEM_DECAY_MS"));
	KUNIT_EXPECT_NOT_NULL(test, hak_malloc(1));
	KUNIT_EXPECT_EQ(test, knob(KNOB_DECAY_MS), CONFIG_HAKMEM_DECAY_MS);
	KUNIT_EXPECT_EQ(test, knob(KNOB_TINY_USE_SUPERSLAB), 1);
}

static void allocate_with(void *value)
{
	int i;

	setenv("HAKMEM_DECAY_MS", value, 1);
	for (i = 0; i < 100; i++)
		hak_free(hak_malloc(1));
	if (knob(KNOB_DECAY_MS) != CONFIG_HAKMEM_DECAY_MS)
		abort();
}

static void expect_report(struct kunit *test, const char *value,
			  const char *shown)
{
	struct report report;
	char line[200];

	snprintf(line, sizeof(line), "hakmem: HAKMEM_DECAY_MS=%s: "
		 "not a number from 0 to 60000: using %d", shown,
		 CONFIG_HAKMEM_DECAY_MS);
	report_call(&report, allocate_with, (void *)(uintptr_t)value);
	KUNIT_EXPECT_EQ(test, report.status, 0);
	KUNIT_EXPECT_EQ(test, report.lines, 1);
	KUNIT_EXPECT_STREQ(test, report.line, line);
}

static void nonsense_is_reported_once(struct kunit *test)
{
	char long_value[1000], shown[40];

	memset(long_value, 'x', sizeof(long_value));
	memset(shown, 'x', sizeof(shown));
	long_value[sizeof(long_value) - 1] = '\0';
	shown[sizeof(shown) - 1] = '\0';
	expect_report(test, "abc", "abc");
	expect_report(test, "", "");
	expect_report(test, "60001", "60001");
	expect_report(test, long_value, shown);
}

static const struct kunit_case knobs_cases[] = {
	KUNIT_CASE(values_in_range_are_read),
	KUNIT_CASE(all_else_is_nonsense),
	KUNIT_CASE(words_are_numbered),
	KUNIT_CASE(table_is_sane),
	KUNIT_CASE(environment_is_read_once),
	KUNIT_CASE(missing_environment_is_no_matter),
	KUNIT_CASE(gained_rights_mean_defaults),
	KUNIT_CASE(nonsense_is_reported_once),
	{}
};

static const struct kunit_suite knobs_suite = {
	.name = "knobs",
	.init = clear_environment,
	.test_cases = knobs_cases,
};
kunit_test_suite(knobs_suite);
