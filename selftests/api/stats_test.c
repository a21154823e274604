// SPDX-License-Identifier: MIT
/*
 * The tables of malloc_stats(): each tier has one row, and what it served is
 * in it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hakmem.h"
#include "kunit.h"
#include "memory.h"
#include "mm/sizes.h"
#include "mm/tier.h"

#define ROWS_MAX	8
#define OBJECTS		40

struct row {
	char name[16];
	unsigned long requests, live, live_kib, resident, held, cached;
	unsigned long refills, drains, faults;
	char sizes[64];
};

/* The first table, one row for each tier. */
struct table {
	struct row rows[ROWS_MAX];
	size_t used;
};

static bool parse_row(const char *line, struct row *row)
{
	int name = 14;

	memcpy(row->name, line, (size_t)name);
	while (name && row->name[name - 1] == ' ')
		name--;
	row->name[name] = '\0';
	return sscanf(line + 14, "%lu %lu %lu %lu %lu %lu %lu %lu %lu "
		      "%63[^\n]", &row->requests, &row->live, &row->live_kib,
		      &row->resident, &row->held, &row->cached, &row->refills,
		      &row->drains, &row->faults, row->sizes) == 10;
}

static void read_table(struct kunit *test, struct table *table)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	char line[256];

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		kunit_skip(test, "CONFIG_HAKMEM_STATS is not set");
	KUNIT_ASSERT_NOT_NULL(test, file);
	dup2(fileno(file), STDERR_FILENO);
	hak_malloc_stats();
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	table->used = 0;
	while (fgets(line, sizeof(line), file) && strncmp(line, "tier ", 5))
		;
	while (fgets(line, sizeof(line), file) && strcmp(line, "\n")) {
		KUNIT_ASSERT_LE(test, table->used + 1, ROWS_MAX);
		KUNIT_ASSERT_MSG(test, parse_row(line,
					&table->rows[table->used++]),
				 "%s", line);
	}
	KUNIT_ASSERT_GE(test, table->used, 2);
	fclose(file);
}

static struct row *row_named(struct kunit *test, struct table *table,
			     const char *name)
{
	struct row *found = NULL;
	size_t i;

	for (i = 0; i < table->used; i++) {
		if (strcmp(table->rows[i].name, name))
			continue;
		KUNIT_ASSERT_NULL(test, found);
		found = &table->rows[i];
	}
	KUNIT_ASSERT_MSG(test, found, "no row %s", name);
	return found;
}

static const char *server_of(size_t size)
{
	if (size <= SUPERSLAB_SIZE && class_tier(size_class(size)))
		return class_tier(size_class(size))->name;
	return size < MAPPING_MIN_SIZE ? "large runs" : "large mappings";
}

/* Memory that is allocated and written is resident, with its tier. */
static void shows_which_tier_served(struct kunit *test)
{
	static const size_t sizes[] = {
		10, 100, 700, 1024, 1500, 5000, 8192, 20000, 40000, 100000,
		600000, 2000000, 3 * MIB,
	};
	unsigned char *p[OBJECTS];
	struct table before, during, after;
	struct row *first, *second, *third;
	size_t i, j;

	need_mincore(test);
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN))
		kunit_skip(test, "blocks are larger than what is asked for");
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		read_table(test, &before);
		for (j = 0; j < OBJECTS; j++) {
			p[j] = hak_malloc(sizes[i]);
			KUNIT_ASSERT_NOT_NULL(test, p[j]);
			pattern_fill(p[j], sizes[i], j);
		}
		read_table(test, &during);
		first = row_named(test, &before, server_of(sizes[i]));
		second = row_named(test, &during, server_of(sizes[i]));
		KUNIT_EXPECT_MSG(test, second->live == first->live + OBJECTS,
				 "%zu bytes: %lu then %lu live", sizes[i],
				 first->live, second->live);
		KUNIT_EXPECT_GE(test, second->requests,
				second->live + second->cached);
		KUNIT_EXPECT_GE(test, second->resident * KIB,
				OBJECTS * sizes[i]);
		KUNIT_EXPECT_GE(test, second->held, second->resident);
		KUNIT_EXPECT_GT(test, second->refills, first->refills);
		for (j = 0; j < OBJECTS; j++)
			hak_free(p[j]);
		hak_malloc_trim(0);
		read_table(test, &after);
		third = row_named(test, &after, server_of(sizes[i]));
		KUNIT_EXPECT_EQ(test, third->live, first->live);
		KUNIT_EXPECT_GT(test, third->drains, first->drains);
		KUNIT_EXPECT_LT(test, third->resident * KIB,
				OBJECTS * sizes[i]);
		KUNIT_EXPECT_EQ(test, third->faults, 0);
	}
}

static sigjmp_buf escape;

static void escape_abort(int signal)
{
	(void)signal;
	siglongjmp(escape, 1);
}

/* The bad pointer is found at once, or when the magazines are drained. */
static void free_wrongly(char *p)
{
	const struct sigaction action = { .sa_handler = escape_abort };

	sigaction(SIGABRT, &action, NULL);
	if (sigsetjmp(escape, 1))
		return;
	hak_free(p + 16);
	hak_malloc_trim(0);
}

static void counts_faults(struct kunit *test)
{
	struct table table;
	size_t i;

	for (i = 0; i < 3; i++) {
		free_wrongly(hak_malloc(20000));
		read_table(test, &table);
		KUNIT_EXPECT_EQ(test, row_named(test, &table,
				server_of(20000))->faults, i + 1);
	}
}

/* Every size belongs to one tier, whose row says so. */
static void rows_name_their_sizes(struct kunit *test)
{
	struct table table;
	char bound[32];
	size_t i;

	read_table(test, &table);
	for (i = 0; i < table.used; i++)
		KUNIT_EXPECT_GT(test, strlen(table.rows[i].sizes), 0);
	if (IS_ENABLED(CONFIG_HAKMEM_TINY)) {
		snprintf(bound, sizeof(bound), "1 B to %zu ", TINY_MAX_SIZE %
			 KIB ? TINY_MAX_SIZE : TINY_MAX_SIZE / KIB);
		KUNIT_EXPECT_MSG(test, !strncmp(row_named(test, &table,
				 "tiny")->sizes, bound, strlen(bound)),
				 "%s", table.rows[0].sizes);
	}
}

static const struct kunit_case stats_cases[] = {
	KUNIT_CASE(shows_which_tier_served),
	KUNIT_CASE(counts_faults),
	KUNIT_CASE(rows_name_their_sizes),
	{}
};

static const struct kunit_suite stats_suite = {
	.name = "stats",
	.test_cases = stats_cases,
};
kunit_test_suite(stats_suite);
