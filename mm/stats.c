// SPDX-License-Identifier: MIT
/*
 * Statistics: see include/mm/stats.h.
 *
 * With HAKMEM_STATS=1 in the environment they are printed when the process
 * exits, or is ended over a bad pointer. Some programs close standard error
 * before that (all of coreutils do, to learn of write errors), so it is
 * duplicated at the start.
 */
#include "mm/stats.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hakmem.h"
#include "lib/lock_stats.h"
#include "lib/print.h"
#include "mm/cache.h"
#include "mm/fallback.h"
#include "mm/knobs.h"
#include "mm/large.h"
#include "mm/meta.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"
#include "mm/vm.h"

/* Out of the way of programs that count on low numbers. */
#define EXIT_FD_MIN		100

#define TEXT_SIZE		4096
#define LINE_SIZE		192
#define SIZES_SIZE		64

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

size_t stats_of_large(struct large_stats *stats)
{
	size_t cached = 0, bytes = 0;
	unsigned int class;
	size_t objects;

	large_stats(stats);
	for (class = 1; class < NR_CLASSES; class++) {
		if (class_tier(class))
			continue;
		objects = cache_objects(class);
		cached += objects;
		bytes += objects * ALIGN_UP(class_size(class), vm_page_size());
	}
	stats->runs = difference(stats->runs, cached);
	stats->run_bytes = difference(stats->run_bytes, bytes);
	return cached;
}

static size_t to_kib(size_t bytes)
{
	return (bytes + 1023) / 1024;
}

/**
 * struct memory_stats - what the superslabs are used for
 * @held: bytes of the slabs of each class that the registry can name
 * @resident: of those, bytes with memory behind them
 */
struct memory_stats {
	size_t held[NR_REGISTRY_CLASSES];
	size_t resident[NR_REGISTRY_CLASSES];
};

static void add_superslab(struct memory_stats *memory, const char *base)
{
	const char *end = base + SUPERSLAB_SIZE;
	const char *at, *next;
	size_t class;

	for (at = base; at < end; at = next) {
		class = registry_class(at);
		next = at + SLAB_SIZE;
		while (next < end && registry_class(next) == class)
			next += SLAB_SIZE;
		memory->held[class] += (size_t)(next - at);
		memory->resident[class] += vm_resident(at, (size_t)(next - at));
	}
}

static void stats_of_memory(struct memory_stats *memory)
{
	struct superslab *superslab;
	size_t index = 0;

	memset(memory, 0, sizeof(*memory));
	while ((superslab = registry_next_superslab(&index)))
		add_superslab(memory, (const char *)superslab->base);
}

/**
 * struct row - one line of a table
 * @name: of the tier
 * @sizes: which requests it serves, as text
 * @requests: objects that it was asked for
 * @live: objects with the program
 * @live_bytes: bytes of those
 * @resident: bytes of memory
 * @held: bytes of address space set aside
 * @cached: objects that wait for reuse
 * @refills: times that it gave objects
 * @drains: times that it took some back
 * @faults: bad pointers that were found
 */
struct row {
	const char *name;
	char sizes[SIZES_SIZE];
	size_t requests;
	size_t live;
	size_t live_bytes;
	size_t resident;
	size_t held;
	size_t cached;
	size_t refills;
	size_t drains;
	size_t faults;
};

static void print_head(struct text *text, const char *title)
{
	line(text, "%-14s %11s %9s %9s %12s %9s %9s %9s %9s %6s  %s\n", title,
	     "requests", "live", "live KiB", "resident KiB", "held KiB",
	     "cached", "refills", "drains", "faults", "sizes");
}

static void print_row(struct text *text, const struct row *row)
{
	line(text, "%-14s %11zu %9zu %9zu %12zu %9zu %9zu %9zu %9zu %6zu  %s\n",
	     row->name, row->requests, row->live, to_kib(row->live_bytes),
	     to_kib(row->resident), to_kib(row->held), row->cached,
	     row->refills, row->drains, row->faults, row->sizes);
}

static void __printf(2, 3) append(struct row *row, const char *fmt, ...)
{
	size_t used = strlen(row->sizes);
	va_list args;

	va_start(args, fmt);
	vformat_buffer(row->sizes + used, sizeof(row->sizes) - used, fmt,
		       args);
	va_end(args);
}

static void append_size(struct row *row, size_t size)
{
	if (size >= 1024 * 1024 && size % (1024 * 1024) == 0)
		append(row, "%zu MiB", size / (1024 * 1024));
	else if (size >= 1024 && size % 1024 == 0)
		append(row, "%zu KiB", size / 1024);
	else
		append(row, "%zu B", size);
}

/* The classes of a row may have gaps between them. */
static void append_sizes(struct row *row, unsigned int first,
			 unsigned int last)
{
	append(row, row->sizes[0] ? ", " : "");
	append_size(row, first > 1 ? class_size(first - 1) + 1 : 1);
	append(row, " to ");
	append_size(row, class_size(last));
}

static void add_class(struct row *row, unsigned int class,
		      const struct memory_stats *memory)
{
	struct class_stats stats;

	stats_of_class(class, &stats);
	row->requests += stats.tier.refilled;
	row->live += stats.live;
	row->live_bytes += stats.live * class_size(class);
	row->resident += memory->resident[class];
	row->held += memory->held[class];
	row->cached += stats.cached;
	row->refills += stats.tier.refills;
	row->drains += stats.tier.drains;
	row->faults += report_bad_pointers(class);
}

static void print_slab_tier(struct text *text, const struct tier_ops *tier,
			    const struct memory_stats *memory)
{
	struct row row = { .name = tier->name };
	unsigned int class, first = 0;

	for (class = 1; class < NR_CLASSES; class++) {
		if (class_tier(class) != tier)
			continue;
		add_class(&row, class, memory);
		if (class_tier(class - 1) != tier)
			first = class;
		if (class_tier(class + 1) != tier)
			append_sizes(&row, first, class);
	}
	print_row(text, &row);
}

static void print_large_tier(struct text *text,
			     const struct memory_stats *memory)
{
	struct large_stats stats;
	struct row runs, mappings;
	size_t cached = stats_of_large(&stats);

	runs = (struct row){
		.name = "large runs",
		.requests = stats.run_allocs,
		.live = stats.runs,
		.live_bytes = stats.run_bytes,
		.resident = memory->resident[CLASS_RUN],
		.held = memory->held[CLASS_RUN],
		.cached = cached,
		.refills = stats.run_allocs,
		.drains = difference(stats.run_allocs, stats.runs + cached),
		.faults = report_bad_pointers(CLASS_RUN),
	};
	append(&runs, "others below ");
	append_size(&runs, MAPPING_MIN_SIZE);
	print_row(text, &runs);
	mappings = (struct row){
		.name = "large mappings",
		.requests = stats.mapping_allocs,
		.live = stats.mappings,
		.live_bytes = stats.mapping_bytes,
		.resident = large_mappings_resident(),
		.held = stats.mapping_bytes + stats.cached_bytes,
		.cached = stats.cached,
		.refills = stats.mapping_allocs,
		.drains = difference(stats.mapping_allocs, stats.mappings),
		.faults = report_bad_pointers(CLASS_NONE),
	};
	append(&mappings, "from ");
	append_size(&mappings, MAPPING_MIN_SIZE);
	print_row(text, &mappings);
}

/* The tier of @class, if no lower class is its. */
static const struct tier_ops *tier_from(unsigned int class)
{
	const struct tier_ops *tier = class_tier(class);
	unsigned int lower;

	for (lower = 1; tier && lower < class; lower++) {
		if (class_tier(lower) == tier)
			return NULL;
	}
	return tier;
}

static void print_tiers(struct text *text, const struct memory_stats *memory)
{
	const struct tier_ops *tier;
	unsigned int class;

	print_head(text, "tier");
	for (class = 1; class < NR_CLASSES; class++) {
		tier = tier_from(class);
		if (tier)
			print_slab_tier(text, tier, memory);
	}
	print_large_tier(text, memory);
}

static void print_classes(struct text *text,
			  const struct memory_stats *memory)
{
	unsigned int class;

	print_head(text, "size class of");
	for (class = 1; class < NR_CLASSES; class++) {
		struct row row = { .sizes = "" };

		if (!class_tier(class))
			continue;
		row.name = class_tier(class)->name;
		add_class(&row, class, memory);
		append_sizes(&row, class, class);
		if (row.refills || row.faults)
			print_row(text, &row);
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

static void print_locks(struct text *text)
{
	struct lock_stats stats = { .at = NULL };

	if (!lock_stats_next(&stats))
		return;
	line(text, "\n%9s %11s %11s %9s  %s\n", "locks", "taken", "busiest",
	     "contended", "first taken at");
	do {
		line(text, "%9u %11lu %11lu %9lu  %s\n", stats.locks,
		     stats.taken, stats.busiest, stats.contended, stats.name);
	} while (lock_stats_next(&stats));
}

static void print_notes(struct text *text)
{
	line(text, "requests: what threads fetched for their magazines; "
	     "malloc and free are served from\n");
	line(text, "  those and not counted, so an object may serve many "
	     "requests, or none.\n");
	line(text, "refills, drains: batches fetched and given back.\n");
	line(text, "faults: bad pointers found in a drain or before; those in "
	     "no slab are large mappings'.\n");
}

void stats_print(int fd)
{
	struct memory_stats memory;
	struct text text;

	if (!IS_ENABLED(CONFIG_HAKMEM_STATS))
		return;
	stats_of_memory(&memory);
	text.fd = fd;
	text.used = 0;
	line(&text, "\nhakmem %s: what each tier did in process %d\n",
	     HAKMEM_VERSION, getpid());
	print_tiers(&text, &memory);
	line(&text, "\n");
	print_classes(&text, &memory);
	line(&text, "\n");
	print_memory(&text);
	print_fallback(&text);
	print_notes(&text);
	print_locks(&text);
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

/* The program may have closed our descriptor and given its number away. */
static bool is_exit_file(int fd)
{
	struct stat now;

	return !fstat(fd, &now) && now.st_dev == exit_file.st_dev &&
	       now.st_ino == exit_file.st_ino;
}

static void last_words(void)
{
	if (exit_fd >= 0 && is_exit_file(exit_fd))
		stats_print(exit_fd);
}

static void __attribute__((__destructor__)) stats_exit(void)
{
	cache_return_all();
	last_words();
}

static void __attribute__((__constructor__)) stats_start(void)
{
	int fd;

	if (!wanted())
		return;
	lock_stats_start();
	fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, EXIT_FD_MIN);
	if (fd < 0 || fstat(fd, &exit_file))
		return;
	exit_fd = fd;
	report_last_words = last_words;
}
