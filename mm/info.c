// SPDX-License-Identifier: MIT
/*
 * Questions about the allocator, and requests to give memory back.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#include "hakmem.h"
#include "lib/print.h"
#include "mm/cache.h"
#include "mm/harden.h"
#include "mm/init.h"
#include "mm/large.h"
#include "mm/libc.h"
#include "mm/route.h"
#include "mm/stats.h"
#include "mm/superslab.h"

/* mallopt()'s parameters: glibc's <malloc.h> has them, others have none. */
enum mallopt_param {
	PARAM_ARENA_MAX = -8,
	PARAM_ARENA_TEST = -7,
	PARAM_PERTURB = -6,
	PARAM_CHECK_ACTION = -5,
	PARAM_MMAP_MAX = -4,
	PARAM_MMAP_THRESHOLD = -3,
	PARAM_TOP_PAD = -2,
	PARAM_TRIM_THRESHOLD = -1,
	PARAM_MXFAST = 1,
};

#define XML_LINE_SIZE	256

const char *hak_version(void)
{
	return HAKMEM_VERSION;
}

int hak_malloc_trim(size_t pad)
{
	size_t bytes;

	(void)pad;
	init_ensure();
	route_reclaim(&bytes);
	return bytes != 0;
}

void hak_malloc_stats(void)
{
	cache_return_all();
	stats_print(STDERR_FILENO);
}

int hak_mallopt(int param, int value)
{
	(void)value;
	switch (param) {
	case PARAM_ARENA_MAX:
	case PARAM_ARENA_TEST:
	case PARAM_CHECK_ACTION:
	case PARAM_MMAP_MAX:
	case PARAM_MMAP_THRESHOLD:
	case PARAM_TOP_PAD:
	case PARAM_TRIM_THRESHOLD:
	case PARAM_MXFAST:
		return 1;
	case PARAM_PERTURB:
	default:
		return 0;
	}
}

struct hak_mallinfo2 hak_mallinfo2(void)
{
	struct hak_mallinfo2 info = { 0 };
	struct superslab_usage usage;
	struct class_stats stats;
	struct large_stats large;
	unsigned int class;

	cache_return_all();
	superslab_usage(&usage);
	stats_of_large(&large);
	harden_mappings(&large.mappings, &large.mapping_bytes);
	for (class = 1; class < NR_CLASSES; class++) {
		stats_of_class(class, &stats);
		info.smblks += stats.cached;
		info.fsmblks += stats.cached * class_size(class);
		info.uordblks += stats.live * class_size(class);
	}
	info.uordblks += large.run_bytes;
	info.arena = usage.mapped;
	info.ordblks = usage.free / SLAB_SIZE;
	info.hblks = large.mappings;
	info.hblkhd = large.mapping_bytes;
	/* Read at different moments, so that more may be in use than mapped. */
	info.uordblks = min(info.uordblks, info.arena);
	info.fordblks = info.arena - info.uordblks;
	info.keepcost = usage.dirty + large.cached_bytes;
	return info;
}

static int to_int(size_t value)
{
	return (int)min(value, (size_t)INT_MAX);
}

struct libc_mallinfo mallinfo_int(void)
{
	struct hak_mallinfo2 info = hak_mallinfo2();

	return (struct libc_mallinfo){
		.arena = to_int(info.arena),
		.ordblks = to_int(info.ordblks),
		.smblks = to_int(info.smblks),
		.hblks = to_int(info.hblks),
		.hblkhd = to_int(info.hblkhd),
		.usmblks = to_int(info.usmblks),
		.fsmblks = to_int(info.fsmblks),
		.uordblks = to_int(info.uordblks),
		.fordblks = to_int(info.fordblks),
		.keepcost = to_int(info.keepcost),
	};
}

/* The stream may allocate: nothing is locked here. */
static bool __printf(2, 3) put(FILE *stream, const char *fmt, ...)
{
	char line[XML_LINE_SIZE];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vformat_buffer(line, sizeof(line), fmt, args);
	va_end(args);
	return fwrite(line, 1, len, stream) == len;
}

static bool put_class(FILE *stream, unsigned int class)
{
	struct class_stats stats;

	stats_of_class(class, &stats);
	if (!stats.tier.refills)
		return true;
	return put(stream, "<class tier=\"%s\" size=\"%zu\" live=\"%zu\" "
		   "cached=\"%zu\" slabs=\"%zu\" refilled=\"%zu\" "
		   "drained=\"%zu\"/>\n", class_tier(class)->name,
		   class_size(class), stats.live, stats.cached,
		   stats.tier.slabs, stats.tier.refilled, stats.tier.drained);
}

static bool put_totals(FILE *stream)
{
	struct superslab_usage usage;
	struct large_stats large;

	superslab_usage(&usage);
	stats_of_large(&large);
	harden_mappings(&large.mappings, &large.mapping_bytes);
	return put(stream, "<total type=\"run\" count=\"%zu\" size=\"%zu\"/>\n",
		   large.runs, large.run_bytes) &&
	       put(stream, "<total type=\"mmap\" count=\"%zu\" "
		   "size=\"%zu\"/>\n", large.mappings, large.mapping_bytes) &&
	       put(stream, "<total type=\"rest\" count=\"%zu\" "
		   "size=\"%zu\"/>\n", usage.free / SLAB_SIZE, usage.free) &&
	       put(stream, "<system type=\"current\" size=\"%zu\"/>\n",
		   usage.mapped + large.mapping_bytes + large.cached_bytes);
}

int hak_malloc_info(int options, FILE *stream)
{
	unsigned int class;
	bool written;

	if (options) {
		errno = EINVAL;
		return -1;
	}
	cache_return_all();
	written = put(stream, "<malloc version=\"hakmem-%s\">\n",
		      HAKMEM_VERSION);
	for (class = 1; class < NR_CLASSES && written; class++)
		written = put_class(stream, class);
	written = written && put_totals(stream) && put(stream, "</malloc>\n");
	return written ? 0 : -1;
}
