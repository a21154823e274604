// SPDX-License-Identifier: MIT
/*
 * The shadow map: see shadow.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/compiler.h"
#include "memory.h"
#include "shadow.h"

#define GRANULE_SHIFT	4
#define UNIT_SHIFT	16
#define LEAF_SHIFT	30
#define ADDRESS_BITS	(sizeof(void *) == 4 ? 32 : 48)

#define UNIT		((uintptr_t)1 << UNIT_SHIFT)
#define LEAF		((uintptr_t)1 << LEAF_SHIFT)
#define LEAF_UNITS	((size_t)1 << (LEAF_SHIFT - UNIT_SHIFT))
#define LEAF_WORDS	((size_t)1 << (LEAF_SHIFT - GRANULE_SHIFT - 6))
#define NR_LEAVES	((size_t)1 << (ADDRESS_BITS - LEAF_SHIFT))

/* Of a unit that lies within one block; else its blocks are counted. */
#define WHOLE		0x8080

/**
 * struct leaf - the map of 1 GiB
 * @owners: of each unit, blocks that begin, end or lie in it, or WHOLE
 * @granules: a bit for each 16 bytes of units that are not WHOLE
 */
struct leaf {
	uint16_t owners[LEAF_UNITS];
	uint64_t granules[LEAF_WORDS];
};

static struct leaf *leaves[NR_LEAVES];
static struct leaf *reserve;
static size_t nr_reserved, nr_taken;

static struct leaf *map_leaves(size_t n)
{
	void *p = mmap(NULL, n * sizeof(struct leaf), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("shadow map");
		exit(EXIT_FAILURE);
	}
	return p;
}

void shadow_reserve(size_t gib)
{
	if (reserve)
		return;
	reserve = map_leaves(gib);
	nr_reserved = gib;
}

static struct leaf *new_leaf(void)
{
	size_t i = __atomic_fetch_add(&nr_taken, 1, __ATOMIC_RELAXED);

	return i < nr_reserved ? reserve + i : map_leaves(1);
}

static struct leaf *leaf_of(uintptr_t addr)
{
	struct leaf **slot = &leaves[addr >> LEAF_SHIFT];
	struct leaf *leaf = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
	struct leaf *mine;

	if (leaf)
		return leaf;
	/* One that loses the race stays unused: there are few. */
	mine = new_leaf();
	if (__atomic_compare_exchange_n(slot, &leaf, mine, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	return leaf;
}

static uint16_t *unit_of(uintptr_t addr)
{
	return &leaf_of(addr)->owners[addr >> UNIT_SHIFT & (LEAF_UNITS - 1)];
}

static uint64_t *word_of(uintptr_t addr)
{
	return &leaf_of(addr)->granules[addr >> (GRANULE_SHIFT + 6) &
					(LEAF_WORDS - 1)];
}

/* Set or clear the bits of granules of one unit; all were the other. */
static bool change_granules(uintptr_t addr, uintptr_t end, bool enter)
{
	uintptr_t stop;
	uint64_t mask, old;
	bool good = true;

	for (; addr < end; addr = stop) {
		stop = min((addr | 1023) + 1, end);
		mask = ~(uint64_t)0 >>
		       (64 - ((stop - addr + 15) >> GRANULE_SHIFT));
		mask <<= addr >> GRANULE_SHIFT & 63;
		old = enter ? __atomic_fetch_or(word_of(addr), mask,
						__ATOMIC_RELAXED) :
			      ~__atomic_fetch_and(word_of(addr), ~mask,
						  __ATOMIC_RELAXED);
		good &= !(old & mask);
	}
	return good;
}

/* A part of one unit. */
static bool change_part(uintptr_t addr, uintptr_t end, bool enter)
{
	uint16_t old = __atomic_fetch_add(unit_of(addr), enter ? 1 : -1,
					  __ATOMIC_RELAXED);

	return change_granules(addr, end, enter) && old < WHOLE;
}

/* Whole units, as many as are in one leaf. */
static bool change_units(uintptr_t addr, size_t n, bool enter)
{
	unsigned char was = enter ? 0 : WHOLE & 0xff;
	uint16_t *units = unit_of(addr);
	bool good = bytes_are(units, n * sizeof(*units), was);
	size_t i;

	for (i = 0; i < n; i++)
		units[i] = enter ? WHOLE : 0;
	return good;
}

static bool change(uintptr_t addr, uintptr_t end, bool enter)
{
	uintptr_t stop;
	bool good = true;

	for (; addr < end; addr = stop) {
		if (is_aligned((void *)addr, UNIT) && end - addr >= UNIT) {
			stop = min(addr | (LEAF - 1),
				   (end & ~(UNIT - 1)) - 1) + 1;
			good &= change_units(addr, (stop - addr) >> UNIT_SHIFT,
					     enter);
		} else {
			stop = min((addr | (UNIT - 1)) + 1, end);
			good &= change_part(addr, stop, enter);
		}
	}
	return good;
}

bool shadow_enter(const void *ptr, size_t size)
{
	return change((uintptr_t)ptr, (uintptr_t)ptr + size, true);
}

bool shadow_leave(const void *ptr, size_t size)
{
	return change((uintptr_t)ptr, (uintptr_t)ptr + size, false);
}
