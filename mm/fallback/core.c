// SPDX-License-Identifier: MIT
/*
 * The fallback: see include/mm/fallback.h.
 */
#include "mm/fallback.h"

#include <errno.h>

#include "lib/align.h"
#include "mm/knobs.h"
#include "mm/next.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/sizes.h"
#include "mm/vm.h"

#define HEADER_BYTES	sizeof(struct fallback_header)
#define WARNINGS_MAX	3

_Static_assert(IS_ALIGNED(HEADER_BYTES, OBJECT_ALIGN),
	       "the block behind the header is aligned");

static struct knob allow =
	KNOB("HAKMEM_ALLOW_MALLOC_FALLBACK", 0, 1, 0,
	     "1: where every tier failed, libc's malloc is asked; for "
	     "debugging; needs CONFIG_HAKMEM_MALLOC_FALLBACK");

/**
 * enum way - is there a way to libc's malloc?
 * @WAY_CLOSED: no, or nobody asked for it
 * @WAY_WANTED: it has to be looked for
 * @WAY_OPEN: it was found
 */
enum way {
	WAY_CLOSED,
	WAY_WANTED,
	WAY_OPEN,
};

static enum way way;		/* atomic */

/* Constant from WAY_OPEN on. */
static struct {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t n, size_t size);
	void (*free)(void *ptr);
} libc;

static const char *const method_names[NR_FALLBACK_METHODS] = {
	[FALLBACK_MALLOC] = "malloc",
	[FALLBACK_CALLOC] = "calloc",
};

static size_t nr_handed_out, nr_live, live_bytes;	/* all atomic */

void fallback_init(void)
{
	knob_read(&allow);
	if (allow.value)
		WRITE_ONCE(way, WAY_WANTED);
}

/*
 * Two threads that look at once find the same. Neither may wait for the other:
 * one may hold the dynamic loader's lock, for which the other waits in here.
 */
static void find_way(void)
{
	void *malloc = next_symbol(method_names[FALLBACK_MALLOC]);
	void *calloc = next_symbol(method_names[FALLBACK_CALLOC]);
	void *free = next_symbol("free");

	if (!malloc || !calloc || !free) {
		if (__atomic_exchange_n(&way, WAY_CLOSED, __ATOMIC_RELAXED) !=
		    WAY_CLOSED)
			report_line("%s: this program has no malloc but ours",
				    allow.name);
		return;
	}
	WRITE_ONCE(*(void **)&libc.malloc, malloc);
	WRITE_ONCE(*(void **)&libc.calloc, calloc);
	WRITE_ONCE(*(void **)&libc.free, free);
	/* Release: pairs with the acquire in way_is_open(). */
	__atomic_store_n(&way, WAY_OPEN, __ATOMIC_RELEASE);
}

static bool way_is_open(void)
{
	/* Looking for symbols may allocate. */
	static __thread bool looking;

	/* Acquire: pairs with the release in find_way(). */
	if (__atomic_load_n(&way, __ATOMIC_ACQUIRE) == WAY_WANTED &&
	    !looking) {
		looking = true;
		find_way();
		looking = false;
	}
	return __atomic_load_n(&way, __ATOMIC_ACQUIRE) == WAY_OPEN;
}

void fallback_start(void)
{
	int saved = errno;

	way_is_open();
	errno = saved;
}

static uint64_t mix(uint64_t sum, uintptr_t word)
{
	return (sum ^ word) * 0x9e3779b97f4a7c15u;
}

/* No copy of a header elsewhere, and none that was written to, has it. */
static uintptr_t magic_of(const struct fallback_header *header)
{
	uint64_t sum = mix(0, (uintptr_t)header);

	sum = mix(sum, (uintptr_t)header->raw);
	sum = mix(sum, header->size);
	sum = mix(sum, header->method);
	return (uintptr_t)(sum ^ sum >> 32);
}

/* libc's free lists may be in the other words by the time it is looked at. */
static uintptr_t magic_of_freed(const struct fallback_header *header)
{
	return ~(uintptr_t)mix(1, (uintptr_t)header);
}

static void count(size_t blocks, size_t bytes)
{
	__atomic_add_fetch(&nr_live, blocks, __ATOMIC_RELAXED);
	__atomic_add_fetch(&live_bytes, bytes, __ATOMIC_RELAXED);
}

/* Return: the block in what libc gave. */
static void *make_block(void *raw, size_t size, size_t align,
			enum fallback_method method)
{
	uintptr_t addr = ALIGN_UP((uintptr_t)raw + HEADER_BYTES, align);
	struct fallback_header *header = (void *)(addr - HEADER_BYTES);

	header->raw = raw;
	header->size = size;
	header->method = method;
	header->magic = magic_of(header);
	return (void *)addr;
}

void *fallback_alloc(size_t size, size_t align, bool zero)
{
	enum fallback_method method = zero ? FALLBACK_CALLOC : FALLBACK_MALLOC;
	int saved = errno;
	size_t total;
	void *raw;

	if (!way_is_open())
		return NULL;
	/* The raw block may have any alignment. */
	align = max(align, (size_t)OBJECT_ALIGN);
	if (__builtin_add_overflow(size, HEADER_BYTES, &total) ||
	    __builtin_add_overflow(total, align - 1, &total))
		return NULL;
	raw = zero ? libc.calloc(1, total) : libc.malloc(total);
	if (!raw)
		return NULL;
	errno = saved;
	count(1, size);
	if (__atomic_fetch_add(&nr_handed_out, 1, __ATOMIC_RELAXED) <
	    WARNINGS_MAX)
		report_line("out of memory: %zu bytes: taken from libc's %s",
			    size, method_names[method]);
	return make_block(raw, size, align, method);
}

/* Return: where the header would be, if it can be; maybe there is none. */
static struct fallback_header *header_of(const void *ptr)
{
	uintptr_t addr = (uintptr_t)ptr;
	struct fallback_header *header;

	if (!READ_ONCE(nr_handed_out) || registry_class(ptr) != CLASS_NONE ||
	    !IS_ALIGNED(addr, OBJECT_ALIGN) || addr <= HEADER_BYTES)
		return NULL;
	header = (void *)(addr - HEADER_BYTES);
	/* It may begin in one page and end in the next. */
	if (!vm_readable(&header->raw) || !vm_readable(&header->magic))
		return NULL;
	return header;
}

/*
 * Of a pointer that is nobody else's. Return: its header with @fault NULL, or
 * NULL with @fault changed if it is known better.
 */
static struct fallback_header *find(const void *ptr, const char **fault)
{
	struct fallback_header *header = header_of(ptr);
	uintptr_t magic;

	if (!header)
		return NULL;
	magic = READ_ONCE(header->magic);
	if (magic == magic_of_freed(header))
		*fault = FAULT_FREE;
	if (magic != magic_of(header))
		return NULL;
	*fault = NULL;
	return header;
}

/* Of two threads that free one block, one gets it. */
static bool invalidate(struct fallback_header *header)
{
	uintptr_t magic = magic_of(header);

	return __atomic_compare_exchange_n(&header->magic, &magic,
					   magic_of_freed(header), false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

const char *fallback_free(void *ptr, const char *fault)
{
	int saved = errno;
	struct fallback_header *header = find(ptr, &fault);

	if (header && invalidate(header)) {
		count(-(size_t)1, -header->size);
		libc.free(header->raw);
	} else if (header) {
		fault = FAULT_FREE;
	}
	errno = saved;
	return fault;
}

size_t fallback_usable(const void *ptr, const char **fault)
{
	int saved = errno;
	struct fallback_header *header = find(ptr, fault);

	errno = saved;
	return header ? header->size : 0;
}

bool fallback_stats(struct fallback_stats *stats)
{
	stats->handed_out = READ_ONCE(nr_handed_out);
	stats->blocks = READ_ONCE(nr_live);
	stats->bytes = READ_ONCE(live_bytes);
	return stats->handed_out;
}
