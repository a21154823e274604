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

#include "lib/random.h"
#include "mm/fallback.h"
#include "mm/init.h"
#include "mm/kfence.h"
#include "mm/large.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/route.h"
#include "mm/slab_pool.h"
#include "mm/vm.h"
#include "private.h"
#include "trailer.h"

/* Requests that the hot path serves: with a trailer, of a tiny class. */
#define HOT_MAX		(TINY_MAX_SIZE ? TINY_MAX_SIZE - TRAILER_BYTES : 0)

/* Below, no block has guard pages. */
#define MIDDLE_MAX	min(GUARD_MIN, (size_t)32 << 10)

/* A block that grows by copying gets room for more, as in mm/realloc.c. */
#define GROWTH_DIVISOR	4
#define AHEAD_MIN_SIZE	((size_t)1024)

/*
 * Unused bytes behind the pad are zero: in slots of more than this, where they
 * are many, so many of pad and these are looked at.
 */
#define REST_SLOT_MIN	CLASS_LINEAR_MAX
#define REST_MAX	((size_t)72)

struct secrets secrets;

#define ONE(class)	[(class)] = CLASS_SIZE(class)
#define FOUR(class)	ONE(class), ONE((class) + 1), ONE((class) + 2), \
			ONE((class) + 3)
#define TWELVE(class)	FOUR(class), FOUR((class) + 4), FOUR((class) + 8)

const uint32_t slot_sizes[NR_CLASSES] = {
	TWELVE(1), TWELVE(13), TWELVE(25), TWELVE(37), TWELVE(49), TWELVE(61),
	TWELVE(73), TWELVE(85), TWELVE(97),
};

/* Of a word, the first bytes. */
const uint64_t pad_masks[] = {
	0, ((uint64_t)1 << 8) - 1, ((uint64_t)1 << 16) - 1,
	((uint64_t)1 << 24) - 1, ((uint64_t)1 << 32) - 1,
	((uint64_t)1 << 40) - 1, ((uint64_t)1 << 48) - 1,
	((uint64_t)1 << 56) - 1, ~(uint64_t)0,
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

	secrets.live = rare_bytes(random_next(&state));
	secrets.freed = rare_bytes(random_next(&state)) & ~(uint64_t)1;
	secrets.pad = rare_bytes(random_next(&state));
	random_start(random_next(&state));
}

void harden_clean(uintptr_t base, uint32_t dirty, bool paged)
{
	unsigned int unit;

	for (; dirty; dirty &= dirty - 1) {
		unit = (unsigned int)__builtin_ctz(dirty);
		if (!paged ||
		    !vm_purge((void *)(base + unit * SLAB_SIZE), SLAB_SIZE))
			memset((void *)(base + unit * SLAB_SIZE), 0,
			       SLAB_SIZE);
	}
}

/* --- What a slot says ---------------------------------------------------- */

static bool __cold slot_before_is_whole(const void *obj)
{
	const char *before = (const char *)obj - TRAILER_BYTES;
	unsigned int class = registry_class(before);

	if (!is_size_class(class) || class_is_paged(class))
		return true;
	return trailer_is_whole((const uint64_t *)(const void *)before);
}

/* The word in front of a block is the trailer of the slot before it. */
static __always_inline bool before_is_whole(const void *obj)
{
	if (unlikely(IS_ALIGNED((uintptr_t)obj, SLAB_SIZE)))
		return slot_before_is_whole(obj);
	return trailer_is_whole((const uint64_t *)obj - 1);
}

/* Zeros between pad and trailer; of the first, some may be in the trailer. */
static bool rest_is_whole(const char *end, size_t slack)
{
	size_t left = min(slack, REST_MAX) - sizeof(uint64_t);
	const char *rest = end + sizeof(uint64_t);
	uint64_t seen = 0;

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
		seen |= load_word(rest);
		rest += sizeof(uint64_t);
	}
	return !(seen | (load_word(rest) & pad_masks[left]));
}

/* Whether the rest of a slot is zero while its block is in use. */
static __always_inline bool rests(size_t slot)
{
	return slot > REST_SLOT_MIN && (slot > HOT_SIZE_MAX ||
					zeroes_all(slot));
}

static const char *__cold trailer_fault(const uint64_t *trailer)
{
	uint64_t word = READ_ONCE(*trailer);

	return word && decode_freed(trailer, word) & ~PAYLOAD_MASK ?
	       FAULT_OVERFLOW : FAULT_FREE;
}

/**
 * slot_fault() - What is wrong with a block that should be in use?
 * @obj: start of a slot
 * @slot: bytes of the slot
 * @in_slab: its neighbours are slots as well
 * @size: out: bytes of the block, if nothing is wrong
 * @kind: out: of the block
 */
static __always_inline const char *
slot_fault(const void *obj, size_t slot, bool in_slab, size_t *size,
	   enum block_kind *kind)
{
	const uint64_t *trailer = trailer_of(obj, slot);
	uint64_t decoded = decode_live(trailer, READ_ONCE(*trailer));
	size_t slack = decoded_slack(decoded);
	const char *end;

	if (unlikely(decoded & ~PAYLOAD_MASK))
		return trailer_fault(trailer);
	*kind = decoded_kind(decoded);
	if (unlikely(slack > slot - TRAILER_BYTES))
		return FAULT_OVERFLOW;
	*size = slot - TRAILER_BYTES - slack;
	end = (const char *)obj + *size;
	if (pads() && unlikely(!pad_is_whole(end, slack)))
		return FAULT_OVERFLOW;
	if (pads() && in_slab && rests(slot) && slack > sizeof(uint64_t) &&
	    unlikely(!rest_is_whole(end, slack)))
		return FAULT_OVERFLOW;
	if (pads() && in_slab && unlikely(!before_is_whole(obj)))
		return FAULT_UNDERFLOW;
	return NULL;
}

static __always_inline const char *
use_fault(size_t size, size_t told, enum block_kind kind,
	  enum block_kind called)
{
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN_KIND) && unlikely(kind != called))
		return FAULT_KIND;
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN_SIZED) && told != SIZE_UNTOLD &&
	    unlikely(told != size))
		return FAULT_SIZE;
	return NULL;
}

/* A slot that comes back into use must be as it was left. */
static __always_inline const char *reuse_fault(const void *obj, size_t slot)
{
	const uint64_t *trailer = trailer_of(obj, slot);
	uint64_t word = READ_ONCE(*trailer);
	uint64_t decoded = decode_freed(trailer, word);
	size_t slack = decoded_slack(decoded);

	if (unlikely(decoded & ~PAYLOAD_MASK)) {
		/* One that was never used since its memory was cleared. */
		if (unlikely(word))
			return FAULT_WRITTEN;
		slack = 0;
	}
	if (unlikely(slack > slot - TRAILER_BYTES))
		return FAULT_WRITTEN;
	if (zeroes() &&
	    unlikely(!block_is_zero(obj, cleared_size(slot, slack))))
		return FAULT_WRITTEN;
	return NULL;
}

static __always_inline void mark_live(void *obj, size_t slot, size_t size,
				      enum block_kind kind)
{
	uint64_t *trailer = trailer_of(obj, slot);
	size_t slack = min(slot - TRAILER_BYTES - size, (size_t)SLACK_MAX);
	char *end = (char *)trailer - slack;

	if (pads())
		pad_store(trailer, slack);
	if (pads() && rests(slot) && !zeroes_all(slot) &&
	    slack > sizeof(uint64_t))
		memset(end + sizeof(uint64_t), 0,
		       min(slack, REST_MAX) - sizeof(uint64_t));
	WRITE_ONCE(*trailer, trailer_live(trailer, slack, kind));
}

static __always_inline void mark_freed(void *obj, size_t slot, size_t size)
{
	uint64_t *trailer = trailer_of(obj, slot);

	WRITE_ONCE(*trailer, trailer_freed(*trailer));
	if (zeroes())
		block_clear(obj, cleared_size(slot, slot - TRAILER_BYTES -
						    size));
}

const char *harden_slot_fault(const void *obj, size_t slot)
{
	const uint64_t *trailer = trailer_of(obj, slot);
	enum block_kind kind;
	size_t size;

	if (!(decode_live(trailer, READ_ONCE(*trailer)) & ~PAYLOAD_MASK))
		return slot_fault(obj, slot, true, &size, &kind);
	return reuse_fault(obj, slot);
}

void harden_check_free(unsigned int class, void *const *objs, unsigned int n)
{
	const char *fault;
	unsigned int i;

	for (i = 0; i < n; i++) {
		fault = reuse_fault(objs[i], slot_sizes[class]);
		if (unlikely(fault))
			report_bad_pointer("free", objs[i], fault);
	}
}

size_t harden_room(const void *addr)
{
	unsigned int class = (unsigned int)registry_class(addr);
	size_t slot, slack, offset;
	uint64_t decoded;
	const char *obj;

	if (!is_size_class(class))
		return SIZE_MAX;
	obj = slab_object_around(addr, class);
	slot = slot_sizes[class];
	if (!obj || (uintptr_t)obj / SLAB_SIZE != (uintptr_t)(obj + slot - 1) /
	    SLAB_SIZE)
		return SIZE_MAX;
	decoded = decode_live(trailer_of(obj, slot),
			      READ_ONCE(*trailer_of(obj, slot)));
	slack = decoded_slack(decoded);
	offset = (size_t)((const char *)addr - obj);
	if (decoded & ~PAYLOAD_MASK || slack > slot - TRAILER_BYTES)
		return SIZE_MAX;
	slot -= TRAILER_BYTES + slack;
	return offset < slot ? slot - offset : 0;
}

static void __attribute__((__destructor__)) exit_look(void)
{
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN_EXIT))
		harden_sweep();
}

/* --- malloc() ------------------------------------------------------------ */

static __always_inline void *open_slot(void *obj, size_t slot, size_t size,
				       enum block_kind kind)
{
	const char *fault = reuse_fault(obj, slot);

	if (unlikely(fault))
		report_bad_pointer("malloc", obj, fault);
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

/*
 * @room: bytes that the slot should have, at least @size. Only memory that
 * comes from no slab has to be told to be zero.
 */
static void *alloc_any(size_t align, size_t size, size_t room,
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

/* Beyond the hot path's table, classes have magazines as well. */
static void *__attribute__((__noinline__))
alloc_slow(size_t size, enum block_kind kind, bool zero)
{
	unsigned int class;
	void *obj;

	if (likely(size && size < MIDDLE_MAX && !zero)) {
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
	void *obj;

	if (unlikely(kfence_due())) {
		obj = kfence_alloc(1, size);
		if (obj)
			return obj;
	}
	if (unlikely(size - 1 >= HOT_MAX))
		return alloc_slow(size, kind, zero);
	tables = cache_tables_base();
	class = tables->sizes[(size + TRAILER_BYTES + OBJECT_ALIGN - 1) /
			      OBJECT_ALIGN];
	if (zero && !zeroes_all(slot_sizes[class]))
		return alloc_slow(size, kind, zero);
	obj = cache_pop(tables, class);
	if (unlikely(!obj))
		return alloc_slow(size, kind, zero);
	return open_slot(obj, slot_sizes[class], size, kind);
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
	enum block_kind kind = called;
	size_t size = told;
	const char *fault;
	size_t slot;
	bool pages;

	if (!ptr)
		return;
	if (kfence_owns(ptr)) {
		free_slow(ptr);
		return;
	}
	if (empty_owns(ptr)) {
		fault = empty_free(ptr);
	} else if (!guard_free(ptr, called, told, &fault)) {
		slot = ALIGN_DOWN(usable_size(ptr, "free", &pages),
				  (size_t)8);
		fault = slot_fault(ptr, slot, false, &size, &kind);
		if (!fault)
			fault = use_fault(size, told, kind, called);
		if (!fault) {
			*trailer_of(ptr, slot) = 0;
			free_slow(ptr);
		}
	}
	if (unlikely(fault))
		report_bad_pointer("free", ptr, fault);
}

static void __attribute__((__noinline__))
free_slot_slow(void *ptr, unsigned int class, enum block_kind called,
	       size_t told)
{
	const char *fault;

	if (!is_size_class(class)) {
		free_other(ptr, called, told);
		return;
	}
	fault = slab_pointer_fault(ptr, class);
	if (fault)
		report_bad_pointer("free", ptr, fault);
}

void harden_free(void *ptr, enum block_kind called, size_t told)
{
	size_t class = registry_class(ptr);
	const struct cache_tables *tables = cache_tables_base();
	enum block_kind kind = called;
	const char *fault;
	size_t slot, size = told;

	if (unlikely(object_looks_wrong(tables, class, ptr))) {
		free_slot_slow(ptr, (unsigned int)class, called, told);
		if (!is_size_class((unsigned int)class))
			return;
	}
	slot = slot_sizes[class];
	fault = slot_fault(ptr, slot, true, &size, &kind);
	if (likely(!fault))
		fault = use_fault(size, told, kind, called);
	if (unlikely(fault))
		report_bad_pointer("free", ptr, fault);
	mark_freed(ptr, slot, size);
	quarantine_push(ptr, class, slot);
}

/* --- realloc() and malloc_usable_size() ---------------------------------- */

/**
 * block_find() - The size of a block, for a function that goes on with it.
 * @ptr: not NULL; ends the program if it is no block
 * @function: of the interface, for the report
 * @kind: out: the family it is from
 * @slot: out: bytes it could have where it is, 0 if that is not for this layer
 *	to say
 */
static size_t block_find(void *ptr, const char *function,
			 enum block_kind *kind, size_t *slot)
{
	const char *fault = NULL;
	size_t size = 0;
	bool pages;

	*slot = 0;
	*kind = BLOCK_MALLOC;
	if (kfence_owns(ptr))
		return usable_size(ptr, function, &pages);
	if (empty_owns(ptr)) {
		fault = empty_fault(ptr);
	} else if (!guard_find(ptr, &size, kind, &fault)) {
		*slot = ALIGN_DOWN(usable_size(ptr, function, &pages),
				   (size_t)8);
		fault = slot_fault(ptr, *slot,
				   is_size_class(registry_class(ptr)),
				   &size, kind);
	}
	if (unlikely(fault))
		report_bad_pointer(function, ptr, fault);
	return size;
}

size_t harden_usable_size(void *ptr, const char *function)
{
	enum block_kind kind;
	size_t slot;

	return block_find(ptr, function, &kind, &slot);
}

static bool fits_well(size_t size, size_t slot)
{
	return slot && size + TRAILER_BYTES <= slot && size &&
	       slot - size <= slot / 2;
}

static void resize_in_slot(void *ptr, size_t slot, size_t was, size_t size)
{
	size_t end = slot - TRAILER_BYTES;
	size_t stays = min(was, size);
	char tail[sizeof(uint64_t)];
	size_t tail_size = 0;

	/* The pad's word may begin in the block. */
	if (stays > end - sizeof(tail)) {
		tail_size = stays - (end - sizeof(tail));
		memcpy(tail, (char *)ptr + stays - tail_size, tail_size);
	}
	/* As long as it is nobody's, no check of a copy is in the way. */
	WRITE_ONCE(*trailer_of(ptr, slot), 0);
	/* The pad of the one, and what was cut off for the other. */
	memset((char *)ptr + stays, 0,
	       min(end, max(was + sizeof(uint64_t), size)) - stays);
	mark_live(ptr, slot, size, BLOCK_MALLOC);
	memcpy((char *)ptr + stays - tail_size, tail, tail_size);
}

static void *move(void *ptr, size_t was, size_t size)
{
	size_t ahead = was + was / GROWTH_DIVISOR;
	size_t room = size;
	void *moved;

	if (size > was && was >= AHEAD_MIN_SIZE && ahead < GUARD_MIN)
		room = max(size, ahead);
	moved = alloc_any(1, size, room, BLOCK_MALLOC, false);
	if (unlikely(!moved))
		return NULL;
	memcpy(moved, ptr, min(was, size));
	harden_free(ptr, BLOCK_MALLOC, SIZE_UNTOLD);
	return moved;
}

void *harden_realloc(void *ptr, size_t size)
{
	enum block_kind kind;
	size_t was, slot;
	void *resized;

	if (!ptr)
		return harden_alloc(size, BLOCK_MALLOC);
	if (!size) {
		harden_free(ptr, BLOCK_MALLOC, SIZE_UNTOLD);
		return NULL;
	}
	if (unlikely(size > OBJECT_SIZE_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	was = block_find(ptr, "realloc", &kind, &slot);
	if (IS_ENABLED(CONFIG_HAKMEM_HARDEN_KIND) && kind != BLOCK_MALLOC)
		report_bad_pointer("realloc", ptr, FAULT_KIND);
	if (fits_well(size, slot)) {
		resize_in_slot(ptr, slot, was, size);
		return ptr;
	}
	resized = guard_resize(ptr, size);
	return resized ? resized : move(ptr, was, size);
}

void harden_fork_child(void)
{
	guard_fork_child();
}
