// SPDX-License-Identifier: MIT
/*
 * What is looked at beside the hot paths: rare cases of theirs, slots on their
 * way to a tier, copies, and all slots at the end.
 */
#include "mm/harden.h"

#include "mm/registry.h"
#include "mm/slab_pool.h"
#include "slot.h"

bool __cold slot_before_is_whole(const void *obj)
{
	const char *before = (const char *)obj - TRAILER_BYTES;
	unsigned int class = registry_class(before);

	if (!is_size_class(class) || class_is_paged(class))
		return true;
	return trailer_is_whole((const uint64_t *)(const void *)before);
}

/*
 * Of the zeros in front of the trailer, if the block is in use and leaves so
 * many; its thread may be changing them in any other state.
 */
bool end_before_is_whole(const uint64_t *trailer)
{
	uint64_t word = READ_ONCE(*trailer);
	uint64_t decoded = decode_live(trailer, word);
	bool zero;

	if (!zeroes() || decoded & ~PAYLOAD_MASK ||
	    decoded_slack(decoded) < sizeof(uint64_t) * 4)
		return true;
	zero = end_is_zero(trailer);
	/* Acquire: what was read before is not from after. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return zero || READ_ONCE(*trailer) != word;
}

/* Of a word, the first bytes. */
static const uint64_t byte_masks[sizeof(uint64_t)] = {
	0, ((uint64_t)1 << 8) - 1, ((uint64_t)1 << 16) - 1,
	((uint64_t)1 << 24) - 1, ((uint64_t)1 << 32) - 1,
	((uint64_t)1 << 40) - 1, ((uint64_t)1 << 48) - 1,
	((uint64_t)1 << 56) - 1,
};

/* Zeros from pad to trailer; of the last word, some may be the trailer's. */
bool rest_end_is_whole(const char *end, size_t slack)
{
	size_t left = slack - sizeof(uint64_t);
	const char *rest = end + sizeof(uint64_t);
	uint64_t seen = 0;

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
		seen |= load_word(rest);
		rest += sizeof(uint64_t);
	}
	return !(seen | (load_word(rest) & byte_masks[left]));
}

static const char *trailer_fault(const uint64_t *trailer)
{
	uint64_t word = READ_ONCE(*trailer);

	return word && decode_freed(trailer, word) & ~PAYLOAD_MASK ?
	       FAULT_OVERFLOW : FAULT_FREE;
}

const char *slot_fault(const void *obj, size_t slot, bool in_slab,
		       size_t *size, enum block_kind *kind)
{
	const uint64_t *trailer = trailer_of(obj, slot);
	uint64_t decoded = decode_live(trailer, READ_ONCE(*trailer));
	size_t slack = decoded_slack(decoded);

	if (unlikely(decoded & ~PAYLOAD_MASK))
		return trailer_fault(trailer);
	if (unlikely(slack > slot - TRAILER_BYTES))
		return FAULT_OVERFLOW;
	*kind = decoded_kind(decoded);
	*size = slot - TRAILER_BYTES - slack;
	if (!pads())
		return NULL;
	if (unlikely(!pad_is_whole(trailer, slack)))
		return FAULT_OVERFLOW;
	if (!in_slab)
		return NULL;
	if (rests(slot) &&
	    unlikely(!rest_is_whole((const char *)trailer - slack, slack)))
		return FAULT_OVERFLOW;
	/* Its slab may have become a mixed one, with other neighbours. */
	return before_is_whole(obj, slot) ||
	       !is_size_class((unsigned int)registry_class(obj)) ?
	       NULL : FAULT_UNDERFLOW;
}

const char *harden_slot_fault(const void *obj, size_t slot)
{
	const uint64_t *trailer = trailer_of(obj, slot);
	enum block_kind kind;
	size_t size;

	if (!trailer_is_whole(trailer))
		return FAULT_OVERFLOW;
	if (!(decode_live(trailer, READ_ONCE(*trailer)) & ~PAYLOAD_MASK))
		return slot_fault(obj, slot, true, &size, &kind);
	return is_unused(obj, slot) ? NULL : FAULT_WRITTEN;
}

void harden_check_free(unsigned int class, void *const *objs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		/* Page runs, and what is in mixed slabs, are no slots. */
		if (class == CLASS_MIXED || registry_class(objs[i]) != class)
			continue;
		if (unlikely(!is_unused(objs[i], slot_sizes[class])))
			report_bad_pointer("free", objs[i], FAULT_WRITTEN);
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
	harden_sweep();
}
