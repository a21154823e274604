// SPDX-License-Identifier: MIT
/*
 * Objects with a mapping of their own: see mapping.h.
 *
 * Live ones are in a hash table by address; freed ones are kept in a small
 * array, oldest first, because the kernel takes longer to give zeroed pages
 * than most programs take to use them.
 *
 * Lock order: lock, then nothing; memory calls and records outside of it.
 */
#include "mapping.h"

#include <string.h>

#include "lib/align.h"
#include "lib/lock.h"
#include "mm/meta.h"
#include "mm/report.h"
#include "mm/sizes.h"
#include "mm/vm.h"

#define HASH_HEADS	4096
#define CACHE_ENTRIES	64
#define CACHE_BYTES	((size_t)CONFIG_HAKMEM_LARGE_CACHE_MB << 20)

/* A kept mapping serves requests down to this part less than its size. */
#define CACHE_FIT_DIVISOR	5

struct mapping {
	struct mapping *next;	/* in its hash chain */
	uintptr_t addr;
	size_t size;		/* bytes mapped */
};

struct kept {
	uintptr_t addr;
	size_t size;
};

static struct meta_pool mapping_pool = META_POOL_INIT(struct mapping, 16);

static struct lock lock = LOCK_INIT;	/* guards all below */
static struct mapping *heads[HASH_HEADS];
static struct kept kept[CACHE_ENTRIES];	/* oldest first */
static unsigned int nr_kept;
static size_t kept_bytes;
static size_t nr_allocs, nr_live, live_bytes;

static struct mapping **chain_of(uintptr_t addr)
{
	uint64_t hash = (uint64_t)(addr >> 12) * 0x9e3779b97f4a7c15u;

	return &heads[hash >> 52];
}

static void insert_locked(struct mapping *mapping)
{
	struct mapping **chain = chain_of(mapping->addr);

	mapping->next = *chain;
	/* Release: a forked child that finds it finds it whole. */
	__atomic_store_n(chain, mapping, __ATOMIC_RELEASE);
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
	struct mapping **link = chain_of(mapping->addr);

	while (*link != mapping)
		link = &(*link)->next;
	*link = mapping->next;
	nr_live--;
	live_bytes -= mapping->size;
}

static struct kept unkeep_locked(unsigned int i)
{
	struct kept entry = kept[i];

	nr_kept--;
	kept_bytes -= entry.size;
	memmove(&kept[i], &kept[i + 1], (nr_kept - i) * sizeof(*kept));
	return entry;
}

/* The smallest kept mapping that fits. Return: size 0 when none does. */
static struct kept reuse(size_t size, size_t align)
{
	struct kept found = { 0 };
	size_t limit = size + size / CACHE_FIT_DIVISOR;
	unsigned int i, best = CACHE_ENTRIES;

	lock_acquire(&lock);
	for (i = 0; i < nr_kept; i++) {
		if (kept[i].size < size || kept[i].size > limit ||
		    !IS_ALIGNED(kept[i].addr, align))
			continue;
		if (best == CACHE_ENTRIES || kept[i].size < kept[best].size)
			best = i;
	}
	if (best != CACHE_ENTRIES)
		found = unkeep_locked(best);
	lock_release(&lock);
	return found;
}

/* Keep one for reuse. Return: one to unmap in exchange, size 0 for none. */
static struct kept keep(struct kept entry)
{
	struct kept evicted = { 0 };

	if (entry.size > CACHE_BYTES)
		return entry;
	lock_acquire(&lock);
	if (nr_kept == CACHE_ENTRIES)
		evicted = unkeep_locked(0);
	kept[nr_kept] = entry;
	nr_kept++;
	kept_bytes += entry.size;
	lock_release(&lock);
	return evicted;
}

static struct kept oldest_beyond(size_t bytes)
{
	struct kept evicted = { 0 };

	lock_acquire(&lock);
	if (kept_bytes > bytes)
		evicted = unkeep_locked(0);
	lock_release(&lock);
	return evicted;
}

static size_t shrink_to(size_t bytes)
{
	struct kept evicted;
	size_t unmapped = 0;

	while ((evicted = oldest_beyond(bytes)).size) {
		/*
		 * Cutting it out may take more mappings than there are; its
		 * memory goes back all the same.
		 */
		if (!vm_unmap((void *)evicted.addr, evicted.size))
			vm_purge((void *)evicted.addr, evicted.size);
		unmapped += evicted.size;
	}
	return unmapped;
}

void *mapping_alloc(size_t size, size_t align, bool zero)
{
	struct mapping *mapping;
	struct kept memory;

	size = ALIGN_UP(max(size, (size_t)1), vm_page_size());
	align = max(align, vm_page_size());
	mapping = meta_alloc(&mapping_pool);
	if (!mapping)
		return NULL;
	memory = reuse(size, align);
	if (memory.size) {
		if (zero)
			memset((void *)memory.addr, 0, size);
	} else {
		memory.addr = (uintptr_t)vm_map(NULL, size, align);
		memory.size = size;
	}
	if (!memory.addr) {
		meta_free(&mapping_pool, mapping);
		return NULL;
	}
	mapping->addr = memory.addr;
	mapping->size = memory.size;
	lock_acquire(&lock);
	insert_locked(mapping);
	nr_allocs++;
	lock_release(&lock);
	return (void *)memory.addr;
}

/* What an address is that begins no live mapping. */
static const char *fault_of_locked(uintptr_t addr)
{
	struct mapping *mapping;
	unsigned int i;

	for (i = 0; i < nr_kept; i++) {
		if (kept[i].addr == addr)
			return FAULT_FREE;
	}
	for (i = 0; i < HASH_HEADS; i++) {
		for (mapping = heads[i]; mapping; mapping = mapping->next) {
			if (addr - mapping->addr < mapping->size)
				return FAULT_INTERIOR;
		}
	}
	return FAULT_FOREIGN;
}

const char *mapping_free(void *ptr)
{
	const char *fault = NULL;
	struct mapping *mapping;
	struct kept memory;

	lock_acquire(&lock);
	mapping = find_locked((uintptr_t)ptr);
	if (mapping)
		remove_locked(mapping);
	else
		fault = fault_of_locked((uintptr_t)ptr);
	lock_release(&lock);
	if (fault)
		return fault;
	memory = (struct kept){ mapping->addr, mapping->size };
	meta_free(&mapping_pool, mapping);
	memory = keep(memory);
	if (memory.size && !vm_unmap((void *)memory.addr, memory.size))
		vm_purge((void *)memory.addr, memory.size);
	shrink_to(CACHE_BYTES);
	return NULL;
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

void *mapping_resize(void *ptr, size_t size)
{
	struct mapping *mapping;
	void *moved;

	size = ALIGN_UP(size, vm_page_size());
	/* Out of the table: its address may soon be someone else's. */
	lock_acquire(&lock);
	mapping = find_locked((uintptr_t)ptr);
	remove_locked(mapping);
	lock_release(&lock);
	moved = size == mapping->size ? ptr :
		vm_remap(ptr, mapping->size, size);
	if (moved) {
		mapping->addr = (uintptr_t)moved;
		mapping->size = size;
	}
	lock_acquire(&lock);
	insert_locked(mapping);
	lock_release(&lock);
	return moved;
}

size_t mapping_reclaim(void)
{
	return shrink_to(0);
}

void mapping_fork_child(void)
{
	meta_pool_fork_child(&mapping_pool);
	if (!lock_orphaned(&lock))
		return;
	/* The chains are whole at any time; what was kept may not be. */
	nr_kept = 0;
	kept_bytes = 0;
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
