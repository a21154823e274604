// SPDX-License-Identifier: MIT
/*
 * Objects with a mapping of their own: see mapping.h.
 *
 * Live ones are in a hash table by address. Freed ones are kept, the latest
 * first, because the kernel takes longer to give zeroed pages than most
 * programs take to use them. They are cut to what is asked for and joined
 * again, so that blocks of changing sizes find room in them; which mappings
 * of the kernel they once were does not matter. One that the kernel will not
 * unmap, because that would cut a mapping in two and there are too many, is
 * purged and waits among the stranded for reuse or for another try.
 *
 * Lock order: lock, then nothing; memory calls and records outside of it.
 */
#include "mapping.h"

#include <string.h>

#include "lib/align.h"
#include "lib/lock.h"
#include "mm/huge.h"
#include "mm/memcheck.h"
#include "mm/meta.h"
#include "mm/reclaim.h"
#include "mm/report.h"
#include "mm/sizes.h"
#include "mm/vm.h"

#define HASH_HEADS	4096
#define KEPT_MAX	64
#define KEPT_BYTES	((size_t)CONFIG_HAKMEM_LARGE_CACHE_MB << 20)

/* Of the 65530 mappings that a process may have, blocks that grew get these. */
#define GROWN_MAX	16384

/* What is left over of a kept one stays with the object if it is little. */
#define REST_DIVISOR	8

/* Mappings whose memory is counted between two looks at a list. */
#define RESIDENT_COPIES	16

/**
 * struct mapping - a mapping, live or waiting
 * @next: in its hash chain, or on the list it waits on
 * @addr: its address
 * @size: bytes mapped
 * @dirty: it may hold data; of a live one: it had memory at the start
 */
struct mapping {
	struct mapping *next;
	uintptr_t addr;
	size_t size;
	bool dirty;
};

static struct meta_pool mapping_pool = META_POOL_INIT(struct mapping, 16);

static struct lock lock = LOCK_INIT;	/* guards all below */
static struct mapping *heads[HASH_HEADS];
static struct mapping *kept;		/* latest first */
static struct mapping *stranded;
static struct mapping *unused;		/* records, for what is cut off */
static unsigned int nr_kept;
static size_t kept_bytes;
static struct reclaim_pace pace;
static size_t nr_allocs, nr_live, live_bytes;

static struct mapping **chain_of(uintptr_t addr)
{
	uint64_t hash = (uint64_t)(addr >> 12) * 0x9e3779b97f4a7c15u;

	return &heads[hash >> 52];
}

/* Release: a child forked in between finds every list whole. */
static void push_locked(struct mapping **list, struct mapping *mapping)
{
	mapping->next = *list;
	__atomic_store_n(list, mapping, __ATOMIC_RELEASE);
}

static void unlink_locked(struct mapping **list, struct mapping *mapping)
{
	while (*list != mapping)
		list = &(*list)->next;
	WRITE_ONCE(*list, mapping->next);
}

static void insert_locked(struct mapping *mapping)
{
	push_locked(chain_of(mapping->addr), mapping);
	nr_live++;
	live_bytes += mapping->size;
}

static struct mapping *find_locked(uintptr_t addr)
{
	struct mapping *mapping = *chain_of(addr);

	while (mapping && mapping->addr != addr)
		mapping = mapping->next;
	return mapping;
}

static void remove_locked(struct mapping *mapping)
{
	unlink_locked(chain_of(mapping->addr), mapping);
	nr_live--;
	live_bytes -= mapping->size;
}

static void unkeep_locked(struct mapping *mapping)
{
	unlink_locked(&kept, mapping);
	nr_kept--;
	kept_bytes -= mapping->size;
}

static void keep_locked(struct mapping *mapping)
{
	push_locked(&kept, mapping);
	nr_kept++;
	kept_bytes += mapping->size;
}

static struct mapping *best_fit(struct mapping *list, size_t size,
				size_t align)
{
	struct mapping *best = NULL;

	for (; list; list = list->next) {
		if (list->size >= size && IS_ALIGNED(list->addr, align) &&
		    (!best || list->size < best->size))
			best = list;
	}
	return best;
}

/* Cut off what is not needed of one that is on no list, and keep that. */
static void keep_rest_locked(struct mapping *mapping, size_t size)
{
	size_t rest = mapping->size - size;
	struct mapping *spare = unused;

	if (!spare || rest < size / REST_DIVISOR)
		return;
	unlink_locked(&unused, spare);
	spare->addr = mapping->addr + size;
	spare->size = rest;
	spare->dirty = mapping->dirty;
	mapping->size = size;
	keep_locked(spare);
}

/* Records come back with what is joined: it is asked for few. */
static void provide_record(void)
{
	struct mapping *record;

	if (READ_ONCE(unused))
		return;
	record = meta_alloc(&mapping_pool);
	if (!record)
		return;
	lock_acquire(&lock);
	push_locked(&unused, record);
	lock_release(&lock);
}

/* Take one that waits into use. Return: it, or NULL. */
static struct mapping *reuse(size_t size, size_t align)
{
	struct mapping *mapping;

	if (!READ_ONCE(kept) && !READ_ONCE(stranded))
		return NULL;
	provide_record();
	lock_acquire(&lock);
	mapping = best_fit(kept, size, align);
	if (mapping) {
		unkeep_locked(mapping);
		keep_rest_locked(mapping, size);
		reclaim_left(&pace, kept_bytes);
	} else {
		mapping = best_fit(stranded, size, align);
		if (mapping)
			unlink_locked(&stranded, mapping);
	}
	if (mapping) {
		insert_locked(mapping);
		nr_allocs++;
	}
	lock_release(&lock);
	return mapping;
}

/* Join one that is on no list with a kept neighbour. Return: success. */
static bool join_locked(struct mapping *mapping)
{
	uintptr_t end = mapping->addr + mapping->size;
	struct mapping *other;

	for (other = kept; other; other = other->next) {
		if (other->addr != end &&
		    other->addr + other->size != mapping->addr)
			continue;
		unkeep_locked(other);
		mapping->addr = min(mapping->addr, other->addr);
		mapping->size += other->size;
		mapping->dirty |= other->dirty;
		push_locked(&unused, other);
		return true;
	}
	return false;
}

static struct mapping *create(size_t size, size_t align)
{
	struct mapping *mapping = meta_alloc(&mapping_pool);

	if (!mapping)
		return NULL;
	mapping->addr = (uintptr_t)vm_map(NULL, size, align);
	if (!mapping->addr) {
		meta_free(&mapping_pool, mapping);
		return NULL;
	}
	memcheck_mapped((void *)mapping->addr, size);
	mapping->size = size;
	mapping->dirty = false;
	return mapping;
}

/* Give one that is on no list back to the kernel. Return: success. */
static bool destroy(struct mapping *mapping)
{
	if (vm_unmap((void *)mapping->addr, mapping->size)) {
		meta_free(&mapping_pool, mapping);
		return true;
	}
	mapping->dirty = !vm_purge((void *)mapping->addr, mapping->size);
	lock_acquire(&lock);
	push_locked(&stranded, mapping);
	lock_release(&lock);
	return false;
}

static bool too_much_locked(size_t bytes, unsigned int n)
{
	return kept_bytes > bytes || nr_kept > n;
}

/* Which of the kept ones has to go; the last is the oldest. */
static struct mapping *surplus_locked(size_t bytes, unsigned int n)
{
	struct mapping *oldest = kept;

	if (!oldest || !too_much_locked(bytes, n))
		return NULL;
	while (oldest->next)
		oldest = oldest->next;
	unkeep_locked(oldest);
	reclaim_left(&pace, kept_bytes);
	reclaim_gave(&pace, oldest->size);
	return oldest;
}

bool mapping_may_add(void)
{
	return READ_ONCE(nr_live) < GROWN_MAX;
}

void *mapping_alloc(size_t size, size_t align, bool zero)
{
	struct mapping *mapping;

	size = ALIGN_UP(max(size, (size_t)1), vm_page_size());
	align = max(align, vm_page_size());
	mapping = reuse(size, align);
	if (mapping) {
		if (zero && mapping->dirty)
			memset((void *)mapping->addr, 0, size);
		return (void *)mapping->addr;
	}
	mapping = create(size, align);
	if (!mapping)
		return NULL;
	if (huge_advise((void *)mapping->addr, size, READ_ONCE(live_bytes)))
		mapping->dirty = true;
	lock_acquire(&lock);
	insert_locked(mapping);
	reclaim_got(&pace, size, live_bytes + kept_bytes);
	nr_allocs++;
	lock_release(&lock);
	return (void *)mapping->addr;
}

static const struct mapping *around(const struct mapping *list, uintptr_t addr)
{
	while (list && addr - list->addr >= list->size)
		list = list->next;
	return list;
}

/* What an address is that begins no live mapping. */
static const char *fault_of_locked(uintptr_t addr)
{
	unsigned int i;

	if (around(kept, addr) || around(stranded, addr))
		return FAULT_FREE;
	for (i = 0; i < HASH_HEADS; i++) {
		if (around(heads[i], addr))
			return FAULT_INTERIOR;
	}
	return FAULT_FOREIGN;
}

/* Unmap the oldest until at most so much is kept. */
static void shrink_to(size_t bytes)
{
	struct mapping *surplus;

	for (;;) {
		lock_acquire(&lock);
		surplus = surplus_locked(bytes, KEPT_MAX);
		lock_release(&lock);
		if (!surplus)
			return;
		destroy(surplus);
	}
}

/* Keep one that is on no list. Called locked, returns unlocked. */
static void keep_and_unlock(struct mapping *mapping)
{
	bool too_much;
	size_t bytes;

	if (join_locked(mapping))
		join_locked(mapping);
	keep_locked(mapping);
	bytes = KEPT_BYTES ? reclaim_most(&pace, KEPT_BYTES, live_bytes) : 0;
	too_much = too_much_locked(bytes, KEPT_MAX);
	lock_release(&lock);
	if (too_much)
		shrink_to(bytes);
}

/* Unmap what was kept all the time since the last call. */
static void expire(bool early)
{
	size_t wanted = SIZE_MAX;

	lock_acquire(&lock);
	/* Of two threads that came here, one: the other would keep nothing. */
	if (early || reclaim_time_over(&pace))
		wanted = kept_bytes - reclaim_idle(&pace, kept_bytes);
	lock_release(&lock);
	shrink_to(wanted);
}

const char *mapping_free(void *ptr)
{
	struct mapping *mapping;
	const char *fault;

	lock_acquire(&lock);
	mapping = find_locked((uintptr_t)ptr);
	if (!mapping) {
		fault = fault_of_locked((uintptr_t)ptr);
		lock_release(&lock);
		return fault;
	}
	remove_locked(mapping);
	if (!mapping->dirty) {
		lock_release(&lock);
		huge_learn(ptr, mapping->size);
		mapping->dirty = true;
		lock_acquire(&lock);
	}
	keep_and_unlock(mapping);
	if (reclaim_time_over(&pace))
		expire(false);
	return NULL;
}

void mapping_expire(void)
{
	expire(true);
}

size_t mapping_usable(const void *ptr, const char **fault)
{
	struct mapping *mapping;
	size_t size = 0;

	lock_acquire(&lock);
	mapping = find_locked((uintptr_t)ptr);
	if (mapping)
		size = mapping->size;
	else
		*fault = fault_of_locked((uintptr_t)ptr);
	lock_release(&lock);
	return size;
}

/* Grow one that is on no list into a kept one behind it. */
static bool extend(struct mapping *mapping, size_t size)
{
	size_t more = size - mapping->size;
	struct mapping *behind;

	lock_acquire(&lock);
	behind = kept;
	while (behind && (behind->addr != mapping->addr + mapping->size ||
			  behind->size < more))
		behind = behind->next;
	if (!behind) {
		lock_release(&lock);
		return false;
	}
	unkeep_locked(behind);
	reclaim_left(&pace, kept_bytes);
	mapping->size = size;
	mapping->dirty = true;
	behind->addr += more;
	behind->size -= more;
	if (behind->size)
		keep_locked(behind);
	lock_release(&lock);
	if (!behind->size)
		meta_free(&mapping_pool, behind);
	return true;
}

/* Cut off the end of one that is on no list, and keep that. */
static bool cut(struct mapping *mapping, size_t size)
{
	struct mapping *rest = meta_alloc(&mapping_pool);

	if (!rest)
		return false;
	rest->addr = mapping->addr + size;
	rest->size = mapping->size - size;
	rest->dirty = true;
	mapping->size = size;
	lock_acquire(&lock);
	keep_and_unlock(rest);
	return true;
}

static bool remap(struct mapping *mapping, size_t size)
{
	size_t filled = mapping->size;
	void *moved = vm_remap((void *)mapping->addr, filled, size);

	if (!moved)
		return false;
	mapping->addr = (uintptr_t)moved;
	mapping->size = size;
	if (size > filled && huge_follow(moved, filled, size))
		mapping->dirty = true;
	return true;
}

void *mapping_resize(void *ptr, size_t size)
{
	struct mapping *mapping;
	bool done;

	size = ALIGN_UP(size, vm_page_size());
	/* Out of the table: its address may soon be someone else's. */
	lock_acquire(&lock);
	mapping = find_locked((uintptr_t)ptr);
	remove_locked(mapping);
	lock_release(&lock);
	if (size > mapping->size)
		done = extend(mapping, size) || remap(mapping, size);
	else
		done = size == mapping->size || cut(mapping, size) ||
		       remap(mapping, size);
	lock_acquire(&lock);
	insert_locked(mapping);
	lock_release(&lock);
	return done ? (void *)mapping->addr : NULL;
}

/* Take one that waits, of those that waited when it began. */
static struct mapping *take_waiting(struct mapping **tried)
{
	struct mapping *mapping;

	lock_acquire(&lock);
	mapping = surplus_locked(0, 0);
	if (!mapping && *tried) {
		mapping = *tried;
		*tried = mapping->next;
	}
	lock_release(&lock);
	return mapping;
}

size_t mapping_reclaim(void)
{
	struct mapping *mapping, *tried;
	size_t bytes = 0, size;

	lock_acquire(&lock);
	tried = stranded;
	stranded = NULL;
	lock_release(&lock);
	while ((mapping = take_waiting(&tried))) {
		size = mapping->size;
		if (destroy(mapping))
			bytes += size;
	}
	return bytes;
}

void mapping_fork_child(void)
{
	struct mapping *mapping;

	meta_pool_fork_child(&mapping_pool);
	if (!lock_orphaned(&lock))
		return;
	nr_kept = 0;
	kept_bytes = 0;
	pace.least = 0;
	for (mapping = kept; mapping; mapping = mapping->next) {
		nr_kept++;
		kept_bytes += mapping->size;
	}
	lock_reset(&lock);
}

void mapping_stats(struct large_stats *stats)
{
	lock_acquire(&lock);
	stats->mapping_allocs = nr_allocs;
	stats->mappings = nr_live;
	stats->mapping_bytes = live_bytes;
	stats->cached = nr_kept;
	stats->cached_bytes = kept_bytes;
	lock_release(&lock);
}

/* Copy up to @n of a list, behind the first @skip. Return: how many. */
static size_t copy_list(struct mapping *const *list, size_t skip,
			struct mapping *copies, size_t n)
{
	struct mapping *mapping;
	size_t copied = 0;

	lock_acquire(&lock);
	for (mapping = *list; mapping && copied < n; mapping = mapping->next) {
		if (skip)
			skip--;
		else
			copies[copied++] = *mapping;
	}
	lock_release(&lock);
	return copied;
}

/* The kernel is not asked under the lock, so some may be gone by then. */
static size_t list_resident(struct mapping *const *list)
{
	struct mapping copies[RESIDENT_COPIES];
	size_t n, i, seen = 0, bytes = 0;

	if (!READ_ONCE(*list))
		return 0;
	do {
		n = copy_list(list, seen, copies, RESIDENT_COPIES);
		for (i = 0; i < n; i++)
			bytes += vm_resident((void *)copies[i].addr,
					     copies[i].size);
		seen += n;
	} while (n == RESIDENT_COPIES);
	return bytes;
}

size_t mapping_resident(void)
{
	size_t bytes = list_resident(&kept) + list_resident(&stranded);
	unsigned int i;

	for (i = 0; i < HASH_HEADS; i++)
		bytes += list_resident(&heads[i]);
	return bytes;
}
