// SPDX-License-Identifier: MIT
/*
 * The hardened build: see include/mm/harden.h, and trailer.h for what is
 * behind each block.
 *
 * Nothing is locked here. Who calls malloc() owns the slot that it is given,
 * and who calls free() should.
 */
#include "mm/harden.h"

#include <errno.h>
#include <string.h>

#include "lib/arch.h"
#include "lib/random.h"
#include "mm/foreign.h"
#include "mm/init.h"
#include "mm/kfence.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/route.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "slot.h"

/* Requests that the hot path serves: with a trailer, of a tiny class. */
#define HOT_MAX		(TINY_MAX_SIZE ? TINY_MAX_SIZE - TRAILER_BYTES : 0)

/* The least page there is. */
#define TOUCH_BYTES	4096

/* Below, no block has guard pages. */
#define MIDDLE_MAX	min(GUARD_MIN, (size_t)32 << 10)

struct secrets secrets __ro_after_init;

#define ONE(class)	[(class)] = (uint32_t)CLASS_SIZE(class)
#define FOUR(class)	ONE(class), ONE((class) + 1), ONE((class) + 2), \
			ONE((class) + 3)
#define TWELVE(class)	FOUR(class), FOUR((class) + 4), FOUR((class) + 8)

const uint32_t slot_sizes[NR_CLASSES] = {
	TWELVE(1), TWELVE(13), TWELVE(25), TWELVE(37), TWELVE(49), TWELVE(61),
	TWELVE(73), TWELVE(85), TWELVE(97),
};

_Static_assert(CLASS_MAX == 108, "all classes are in slot_sizes");

/*
 * A byte too far is noticed if it differs from what was there: neither 0 nor
 * -1, no number that is small, no letter.
 */
static uint64_t rare_bytes(uint64_t number)
{
	return (number & 0xefefefefefefefefu) | 0x8181818181818181u;
}

void harden_init(void)
{
	uint64_t state = random_seed();

	secrets.live = rare_bytes(random_next(&state)) | TRAILER_LIVE;
	secrets.pad = rare_bytes(random_next(&state));
	random_start(random_next(&state));
}

/* Small objects as a whole, so that what lay there once is gone. */
static void clean_units(uintptr_t base, uint32_t dirty)
{
	for (; dirty; dirty &= dirty - 1)
		memset((void *)(base + (unsigned int)__builtin_ctz(dirty) *
				SLAB_SIZE), 0, SLAB_SIZE);
}

void harden_clean(const struct slab *slab, uint32_t dirty)
{
	size_t slot = slot_sizes[slab->class];
	size_t first, last;
	unsigned int i;

	if (slot <= HOT_SIZE_MAX) {
		clean_units(slab->base, dirty);
		return;
	}
	/* Behind the last object, for who looks in front of the next slab. */
	if (dirty & unit_mask(slab->units - 1U, 1))
		WRITE_ONCE(*trailer_of((void *)slab->base,
				       slab->units * SLAB_SIZE), 0);
	for (i = 0; i < slab->nr_objects && dirty; i++) {
		first = i * slot / SLAB_SIZE;
		last = ((i + 1) * slot - 1) / SLAB_SIZE;
		if (dirty & unit_mask((unsigned int)first,
				      (unsigned int)(last - first + 1)))
			mark_unused((void *)(slab->base + i * slot), slot);
	}
}

void harden_clean_objects(void *const *objs, unsigned int n, size_t size)
{
	while (n--)
		memset(objs[n], 0, size);
}

/*
 * Memory that was never touched would be given twice, as a page of zeros when
 * malloc() looks at it and as one of its own when it writes there. Objects
 * of which few fill a page may never be asked for: those are left alone.
 */
void harden_fetched(unsigned int class, void **objs, unsigned int n)
{
	uintptr_t touched = 0;
	unsigned int i;

	for (i = 0; i < n && slot_sizes[class] <= HOT_SIZE_MAX; i++) {
		uint64_t *trailer = trailer_of(objs[i], slot_sizes[class]);

		if ((uintptr_t)trailer / TOUCH_BYTES == touched)
			continue;
		arch_write_back((uint8_t *)trailer);
		touched = (uintptr_t)trailer / TOUCH_BYTES;
	}
	random_shuffle(objs, n, slot_sizes[class]);
}

/* --- malloc() ------------------------------------------------------------ */

static __always_inline void *open_slot(void *obj, size_t slot, size_t size,
				       enum block_kind kind)
{
	if (unlikely(!is_unused(obj, slot)))
		report_bad_pointer("malloc", obj, FAULT_WRITTEN);
	mark_live(obj, slot, size, kind);
	return obj;
}

/* Whatever tier has it: of those without slots, all that it has is one. */
static void *open_any(void *obj, size_t size, enum block_kind kind, bool zero)
{
	unsigned int class = registry_class(obj);
	size_t slot;
	bool pages;

	if (is_size_class(class)) {
		slot = slot_sizes[class];
		open_slot(obj, slot, size, kind);
		if (zero && !zeroes_all(slot))
			memset(obj, 0, size);
		return obj;
	}
	slot = ALIGN_DOWN(usable_size(obj, "malloc", &pages), (size_t)8);
	if (zero)
		memset(obj, 0, size);
	mark_live(obj, slot, size, kind);
	return obj;
}

static void *pop(size_t size, size_t align)
{
	unsigned int class;

	if (size > SUPERSLAB_SIZE)
		return NULL;
	class = align > OBJECT_ALIGN ? route_class(size, align) :
				       size_class(size);
	return cache_pop(cache_tables_base(), class);
}

void *alloc_any(size_t align, size_t size, size_t room,
		enum block_kind kind, bool zero)
{
	bool zero_pages;
	void *obj;

	if (unlikely(room > OBJECT_SIZE_MAX - 2 * OBJECT_ALIGN)) {
		errno = ENOMEM;
		return NULL;
	}
	init_ensure();
	if (!size && align <= OBJECT_ALIGN) {
		obj = empty_alloc();
		if (obj)
			return obj;
	}
	if (room >= GUARD_MIN) {
		obj = guard_alloc(align, size, kind, zero);
		if (obj)
			return obj;
	}
	/* Who clears it clears all of a trailer, or nothing. */
	room = ALIGN_UP(room + TRAILER_BYTES, (size_t)OBJECT_ALIGN);
	/* Pages may be zero as they are. */
	zero_pages = zero && room > CLASS_SIZE(PAGED_CLASS_FIRST - 1);
	obj = zero_pages ? NULL : pop(room, align);
	if (!obj)
		obj = route_alloc(room, align, zero_pages);
	if (unlikely(!obj)) {
		errno = ENOMEM;
		return NULL;
	}
	return open_any(obj, size, kind, zero && !zero_pages);
}

/*
 * Beyond the hot path's table, classes have magazines as well; of slots, where
 * no page runs wait in them.
 */
static void *__attribute__((__noinline__))
alloc_slow(size_t size, enum block_kind kind, bool zero)
{
	unsigned int class;
	void *obj;

	if (likely(size && size < MIDDLE_MAX && !zero) &&
	    !IS_ENABLED(CONFIG_HAKMEM_GAP_LARGE)) {
		class = size_class(size + TRAILER_BYTES);
		obj = cache_pop(cache_tables_base(), class);
		if (likely(obj))
			return open_slot(obj, slot_sizes[class], size, kind);
	}
	return alloc_any(1, size, size, kind, zero);
}

static __always_inline void *alloc(size_t size, enum block_kind kind,
				   bool zero)
{
	const struct cache_tables *tables;
	unsigned int class;
	size_t slot;
	void *obj;

	if (unlikely(size - 1 >= HOT_MAX))
		return alloc_slow(size, kind, zero);
	tables = cache_tables_base();
	class = tables->sizes[(size + TRAILER_BYTES + OBJECT_ALIGN - 1) /
			      OBJECT_ALIGN];
	obj = cache_pop(tables, class);
	if (unlikely(!obj))
		return alloc_slow(size, kind, zero);
	slot = slot_sizes[class];
	if (slot > HOT_SIZE_MAX)
		__builtin_unreachable();
	open_slot(obj, slot, size, kind);
	return zero && !zeroes_all(slot) ? memset(obj, 0, size) : obj;
}

void *harden_alloc(size_t size, enum block_kind kind)
{
	return alloc(size, kind, false);
}

void *harden_alloc_zeroed(size_t size)
{
	return alloc(size, BLOCK_MALLOC, true);
}

void *harden_alloc_aligned(size_t align, size_t size, enum block_kind kind)
{
	if (align <= OBJECT_ALIGN)
		return alloc(size, kind, false);
	return alloc_any(align, size, size, kind, false);
}

/* --- free() -------------------------------------------------------------- */

/* What no class knows: no bytes, many pages, or a block of the large tier. */
static void __attribute__((__noinline__))
free_other(void *ptr, enum block_kind called, size_t told)
{
	size_t class = registry_class(ptr);
	enum block_kind kind = called;
	size_t size = told;
	const char *fault;
	size_t slot;
	bool pages;

	if (!ptr)
		return;
	if (class == CLASS_NONE && kfence_owns(ptr)) {
		free_slow(ptr);
		return;
	}
	if (class == CLASS_NONE && empty_owns(ptr)) {
		fault = empty_free(ptr);
	} else if (class != CLASS_NONE ||
		   !guard_free(ptr, called, told, &fault)) {
		slot = usable_size(ptr, "free", &pages);
		if (unlikely(slot == USABLE_FOREIGN)) {
			foreign_free(ptr);
			return;
		}
		slot = ALIGN_DOWN(slot, (size_t)8);
		fault = slot_fault(ptr, slot, false, &size, &kind);
		/* A trailer that can say no more does not know the size. */
		if (slot - TRAILER_BYTES - size == SLACK_MAX)
			told = SIZE_UNTOLD;
		if (!fault)
			fault = use_fault(size, told, kind, called);
		if (!fault && class == CLASS_MIXED) {
			mark_freed(ptr, slot, *trailer_of(ptr, slot));
			quarantine_push(ptr, CLASS_MIXED, slot);
		} else if (!fault) {
			*trailer_of(ptr, slot) = 0;
			free_slow(ptr);
		}
	}
	if (unlikely(fault))
		report_bad_pointer("free", ptr, fault);
}

static __always_inline void free_slot(void *ptr, size_t class)
{
	size_t slot = slot_sizes[class];

	mark_freed(ptr, slot, *trailer_of(ptr, slot));
	quarantine_push(ptr, class, slot);
}

/* What the hot path could not tell, or found to be wrong. */
static void __attribute__((__noinline__))
free_closer(void *ptr, enum block_kind called, size_t told)
{
	unsigned int class = (unsigned int)registry_class(ptr);
	enum block_kind kind = called;
	const char *fault = NULL;
	size_t size = told;

	if (is_size_class(class))
		fault = slab_pointer_fault(ptr, class);
	/* Its slab may have become a mixed one meanwhile. */
	if (!is_size_class((unsigned int)registry_class(ptr))) {
		free_other(ptr, called, told);
		return;
	}
	if (!fault)
		fault = slot_fault(ptr, slot_sizes[class], true, &size, &kind);
	if (!fault)
		fault = use_fault(size, told, kind, called);
	if (unlikely(fault))
		report_bad_pointer("free", ptr, fault);
	free_slot(ptr, class);
}

/* Is a block in use, and from those functions? */
static __always_inline bool is_live(const void *obj, size_t slot,
				    enum block_kind called, size_t told,
				    size_t *slack)
{
	const uint64_t *trailer = trailer_of(obj, slot);
	uint64_t decoded = decode_live(trailer, READ_ONCE(*trailer));

	*slack = decoded_slack(decoded);
	return likely(!(decoded & ~PAYLOAD_MASK)) &&
	       likely(*slack <= slot - TRAILER_BYTES) &&
	       likely(!use_fault(slot - TRAILER_BYTES - *slack, told,
				 decoded_kind(decoded), called));
}

/* With more behind a block, or something else before it, than most have. */
static void __attribute__((__noinline__))
free_surrounded(void *ptr, enum block_kind called, size_t told, size_t class)
{
	size_t slot = slot_sizes[class];
	size_t slack;

	if (likely(is_live(ptr, slot, called, told, &slack)) &&
	    likely(surroundings_are_whole(ptr, slot, slack)))
		free_slot(ptr, class);
	else
		free_closer(ptr, called, told);
}

/* All calls are its last act, so that it needs no registers of its caller's. */
void harden_free(void *ptr, enum block_kind called, size_t told)
{
	size_t class = registry_class(ptr);
	const struct cache_tables *tables = cache_tables_base();
	size_t slot, slack;

	if (unlikely(object_looks_wrong(tables, class, ptr))) {
		free_closer(ptr, called, told);
		return;
	}
	slot = slot_sizes[class];
	if (unlikely(rests(slot)) ||
	    unlikely(IS_ALIGNED((uintptr_t)ptr, SLAB_SIZE))) {
		free_surrounded(ptr, called, told, class);
		return;
	}
	if (unlikely(!is_live(ptr, slot, called, told, &slack)) ||
	    unlikely(pads() &&
		     (!pad_is_whole(trailer_of(ptr, slot), slack) ||
		      !trailer_is_whole((const uint64_t *)ptr - 1)))) {
		free_closer(ptr, called, told);
		return;
	}
	free_slot(ptr, class);
}

void harden_mappings(size_t *blocks, size_t *bytes)
{
	guard_mappings(blocks, bytes);
}

size_t harden_reclaim(void)
{
	return guard_reclaim();
}

void harden_fork_child(void)
{
	sweep_fork_child();
	guard_fork_child();
	quarantine_fork_child();
}
