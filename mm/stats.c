// SPDX-License-Identifier: MIT
/*
 * Statistics: see include/mm/stats.h.
 *
 * With HAKMEM_STATS=1 in the environment they are printed when the process
 * exits. Some programs close standard error before that (all of coreutils do,
 * to learn of write errors), so it is duplicated at the start.
 */
#include "mm/stats.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hakmem.h"
#include "lib/print.h"
#include "mm/cache.h"
#include "mm/fallback.h"
#include "mm/knobs.h"
#include "mm/large.h"
#include "mm/meta.h"
#include "mm/registry.h"
#include "mm/superslab.h"

/* Out of the way of programs that count on low numbers. */
#define EXIT_FD_MIN		100

#define TEXT_SIZE		4096
#define LINE_SIZE		160

/* Collects lines, so that those of several processes mix seldom. */
struct text {
	int fd;
	size_t used;
	char buf[TEXT_SIZE];
};

static int exit_fd = -1;
static struct stat exit_file;	/* what exit_fd was when it was made */

static void flush(struct text *text)
{
	write_all(text->fd, text->buf, text->used);
	text->used = 0;
}

static void __printf(2, 3) line(struct text *text, const char *fmt, ...)
{
	va_list args;

	if (text->used + LINE_SIZE > TEXT_SIZE)
		flush(text);
	va_start(args, fmt);
	text->used += vformat_buffer(text->buf + text->used, LINE_SIZE, fmt,
				     args);
	va_end(args);
}

/* 0 where numbers that were read at different moments do not fit. */
static size_t difference(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

void stats_of_class(unsigned int class, struct class_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (!class_tier(class))
		return;
	stats->cached = cache_objects(class);
	class_tier(class)->stats(class, &stats->tier);
	stats->live = difference(stats->tier.refilled, stats->tier.drained);
	stats->live = difference(stats->live, stats->cached);
}

static size_t to_kib(size_t bytes)
{
	return (bytes + 1023) / 1024;
}

/**
 * struct tier_row - one line of the first table
 * @name: of the tier
 * @sizes: which requests it serves, as text
 * @live: objects with the program
 * @live_bytes: bytes of those
 * @held_bytes: bytes of memory set aside for the tier
 * @handed_out: objects that it ever gave
 */
struct tier_row {
	const char *name;
	char sizes[16];
	size_t live;
	size_t live_bytes;
	size_t held_bytes;
	size_t handed_out;
};

static void print_tier_row(struct text *text, const struct tier_row *row)
{
	line(text, "%-15s %-13s %9zu %11zu KiB %11zu KiB %11zu\n", row->name,
	     row->sizes, row->live, to_kib(row->live_bytes),
	     to_kib(row->held_bytes), row->handed_out);
}

/* Bytes of the slabs of a tier. */
static size_t slab_bytes(const struct tier_ops *tier)
{
	struct superslab *superslab;
	size_t index = 0, units = 0;
	unsigned int i, class;

	while ((superslab = registry_next_superslab(&index))) {
		for (i = 0; i < SUPERSLAB_SLABS; i++) {
			class = READ_ONCE(superslab->slabs[i].class);
			if (is_size_class(class) && class_tier(class) == tier)
				units += superslab->slabs[i].units;
		}
	}
	return units * SLAB_SIZE;
}

/* One row for the classes of a tier. Return: the class after its last. */
static unsigned int print_slab_tier(struct text *text, unsigned int class)
{
	const struct tier_ops *tier = class_tier(class);
	struct tier_row row = { .name = tier->name };
	struct class_stats stats;

	for (; class < NR_CLASSES && class_tier(class) == tier; class++) {
		stats_of_class(class, &stats);
		row.live += stats.live;
		row.live_bytes += stats.live * class_size(class);
		row.handed_out += stats.tier.refilled;
	}
	row.held_bytes = slab_bytes(tier);
	format_buffer(row.sizes, sizeof(row.sizes), "to %zu B",
		      class_size(class - 1));
	print_tier_row(text, &row);
	return class;
}

static void print_large_tier(struct text *text)
{
	struct large_stats stats;
	struct tier_row runs, mappings;

	large_stats(&stats);
	runs = (struct tier_row){
		.name = "large runs",
		.live = stats.runs,
		.live_bytes = stats.run_bytes,
		.held_bytes = stats.run_superslabs * SUPERSLAB_SIZE,
		.handed_out = stats.run_allocs,
	};
	mappings = (struct tier_row){
		.name = "large mappings",
		.live = stats.mappings,
		.live_bytes = stats.mapping_bytes,
		.held_bytes = stats.mapping_bytes + stats.cached_bytes,
		.handed_out = stats.mapping_allocs,
	};
	format_buffer(runs.sizes, sizeof(runs.sizes), "below %zu KiB",
		      to_kib(MAPPING_MIN_SIZE));
	format_buffer(mappings.sizes, sizeof(mappings.sizes), "from %zu KiB",
		      to_kib(MAPPING_MIN_SIZE));
	print_tier_row(text, &runs);
	print_tier_row(text, &mappings);
}

static void print_tiers(struct text *text)
{
	unsigned int class = 1;

	line(text, "%-15s %-13s %9s %15s %15s %11s\n", "tier", "sizes",
	     "objects", "in use", "held", "handed out");
	while (class < NR_CLASSES) {
		if (class_tier(class))
			class = print_slab_tier(text, class);
		else
			class++;
	}
	print_large_tier(text);
}

static void print_classes(struct text *text)
{
	struct class_stats stats;
	unsigned int class;

	line(text, "%-9s %7s %9s %9s %6s %9s %11s %9s %11s\n", "tier", "size",
	     "in use", "cached", "slabs", "refills", "refilled", "drains",
	     "drained");
	for (class = 1; class < NR_CLASSES; class++) {
		stats_of_class(class, &stats);
		if (!stats.tier.refills)
			continue;
		line(text, "%-9s %7zu %9zu %9zu %6zu %9zu %11zu %9zu %11zu\n",
		     class_tier(class)->name, class_size(class), stats.live,
		     stats.cached, stats.tier.slabs, stats.tier.refills,
		     stats.tier.refilled, stats.tier.drains,
		     stats.tier.drained);
	}
}

static void print_memory(struct text *text)
{
	struct superslab_usage usage;
	struct large_stats large;

	superslab_usage(&usage);
	large_stats(&large);
	line(text, "superslabs: %zu KiB mapped, %zu KiB free, %zu KiB of it "
	     "still with memory\n", to_kib(usage.mapped), to_kib(usage.free),
	     to_kib(usage.dirty));
	line(text, "freed mappings kept for reuse: %zu, %zu KiB; "
	     "own records: %zu KiB\n", large.cached,
	     to_kib(large.cached_bytes), to_kib(meta_mapped()));
}

static void print_fallback(struct text *text)
{
	struct fallback_stats stats;

	if (fallback_stats(&stats))
		line(text, "fallback to libc's malloc: %zu blocks, %zu KiB in "
		     "use; %zu handed out\n", stats.blocks,
		     to_kib(stats.bytes), stats.handed_out);
}

void stats_print(int fd)
{
	struct text text;

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		return;
	text.fd = fd;
	text.used = 0;
	line(&text, "\nhakmem %s: what each tier did in process %d\n",
	     HAKMEM_VERSION, getpid());
	print_tiers(&text);
	line(&text, "\nslab tiers, by size class of so many bytes\n");
	print_classes(&text);
	line(&text, "\n");
	print_memory(&text);
	print_fallback(&text);
	line(&text, "malloc and free are served from the threads' magazines "
	     "and not counted;\nhanded out and refilled are the objects "
	     "that tiers put into magazines.\n");
	flush(&text);
}

/* The allocator may not have started, or before the environment was known. */
static bool wanted(void)
{
	const struct knob *stats = &knobs[KNOB_STATS];
	const char *text = knob_environment(stats->name);
	unsigned int value = 0;

	return IS_ENABLED(CONFIG_HAKMEM_STATS) && text &&
	       knob_parse(stats, text, &value) && value;
}

static void __attribute__((__constructor__)) stats_start(void)
{
	int fd;

	if (!wanted())
		return;
	fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, EXIT_FD_MIN);
	if (fd >= 0 && !fstat(fd, &exit_file))
		exit_fd = fd;
}

/* The program may have closed our descriptor and given its number away. */
static bool is_exit_file(int fd)
{
	struct stat now;

	return !fstat(fd, &now) && now.st_dev == exit_file.st_dev &&
	       now.st_ino == exit_file.st_ino;
}

static void __attribute__((__destructor__)) stats_exit(void)
{
	if (exit_fd >= 0 && is_exit_file(exit_fd))
		stats_print(exit_fd);
}
