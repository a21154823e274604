/* SPDX-License-Identifier: MIT */
/*
 * Superslabs: 2 MiB of address space, cut into 32 slabs of 64 KiB.
 *
 * The one source of memory of all tiers below a mapping of their own. A slab
 * is one or more neighbouring 64 KiB units with objects of one class, and a
 * superslab holds slabs of any classes, so a small program needs one, and
 * memory that one class gives up serves the next. A whole superslab can also
 * be taken, to be cut up by its owner.
 *
 * Nothing here lies in the memory that it describes.
 */
#ifndef HAKMEM_MM_SUPERSLAB_H
#define HAKMEM_MM_SUPERSLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"
#include "mm/sizes.h"

struct mixed;

#define SLAB_MAX_OBJECTS	(SLAB_SIZE / OBJECT_ALIGN)

/**
 * struct slab - one slab's record
 * @node: on its pool's partial list, or on none
 * @base: address of its first object
 * @superslab: where it lies
 * @class: of its objects, CLASS_NONE while not in use; written last when it
 *	goes into use and first when it leaves
 * @units: neighbouring 64 KiB units
 * @nr_objects: that fit
 * @nr_free: bits set in @free_map
 * @hint: no word of @free_map before this one has a bit set
 * @carrier: token of the thread that brings it to its pool or back, 0 while it
 *	is in the pool
 * @dirty_map: in slabs of paged classes, the objects whose memory was touched
 *	and not purged since
 * @free_map: a set bit is an object that is with the slab; all others are with
 *	the program or in a magazine
 *
 * All but @base, @superslab and @class are guarded by the pool's lock.
 */
struct slab {
	struct list_head node;
	uintptr_t base;
	struct superslab *superslab;
	uint8_t class;
	uint8_t units;
	uint16_t nr_objects;
	uint16_t nr_free;
	uint16_t hint;
	uintptr_t carrier;
	uint64_t dirty_map;
	uint64_t free_map[SLAB_MAX_OBJECTS / 64];
};

/**
 * struct superslab - one superslab's record
 * @node: on the list for the longest run of its free units, or on none
 * @base: its address
 * @longest: units of that run, as of the list it is on; 0 on none
 * @in_front: it is before all without @dirty_units on that list
 * @free_units: a set bit is a unit that belongs to no slab
 * @dirty_units: of those, the ones whose memory was touched and not purged
 * @owner_data: of whoever took the superslab whole
 * @first_unit: for each unit in use, the unit its slab begins at
 * @mixed: of each unit, the other record of its slab while that is a mixed one;
 *	side by side, as they are read at each object that is freed there
 * @slabs: indexed by the unit a slab begins at
 */
struct superslab {
	struct list_head node;
	uintptr_t base;
	unsigned int longest;
	bool in_front;
	uint32_t free_units;
	uint32_t dirty_units;
	void *owner_data;
	uint8_t first_unit[SUPERSLAB_SLABS];
	struct mixed *mixed[SUPERSLAB_SLABS];
	struct slab slabs[SUPERSLAB_SLABS];
};

static inline uint32_t unit_mask(unsigned int first, unsigned int n)
{
	return (n == 32 ? ~(uint32_t)0 : ((uint32_t)1 << n) - 1) << first;
}

/**
 * superslab_take_units() - Take neighbouring free units.
 * @n: 1 to 32
 * @dense: whether what is mapped for it is likely to be used all over
 * @first: out: the first of them
 * @dirty: out: a bit for each unit of the superslab that is among them and may
 *	hold data; the others read as zero
 *
 * They are held until superslab_let_go().
 *
 * Return: the superslab, or NULL without memory.
 */
struct superslab *superslab_take_units(unsigned int n, bool dense,
				       unsigned int *first, uint32_t *dirty);

/**
 * struct superslab_held - what a thread has between two owners
 * @superslab: where the units are, NULL without any
 * @units: which
 * @shrinking: they are on their way to the kernel
 *
 * When a signal handler forks then, the child's thread goes on with it.
 */
struct superslab_held {
	struct superslab *superslab;
	uint32_t units;
	bool shrinking;
};

#ifdef CONFIG_HAKMEM_LIBC

/* This thread's. */
struct superslab_held *superslab_held(void);

#else /* CONFIG_HAKMEM_LIBC */

extern __thread struct superslab_held superslab_held_here
	__attribute__((tls_model("initial-exec"))) __hidden;

static inline struct superslab_held *superslab_held(void)
{
	return &superslab_held_here;
}

#endif /* CONFIG_HAKMEM_LIBC */

/**
 * superslab_hold() - These units are this thread's, whatever their record says.
 * @superslab: where they are
 * @units: which; all, if it is taken whole
 *
 * For the time between the lists and a slab, or back: a child that a signal
 * handler forks then does not find them free. One superslab at a time.
 */
void superslab_hold(struct superslab *superslab, uint32_t units);

/* Whose the units are is on record again. */
void superslab_let_go(void);

/* Give units back, of which those in @dirty may hold data, and let go. */
void superslab_put_units(struct superslab *superslab, uint32_t units,
			 uint32_t dirty);

/* Make units that the caller has read as zero. Return: false if refused. */
bool superslab_purge_units(struct superslab *superslab, uint32_t units);

/**
 * slab_get() - Take units for a slab of a class.
 * @class: of its objects
 * @units: 1 to 32; SLAB_MAX_OBJECTS of them are used at most
 *
 * The slab comes with all its objects free, the registry knowing it, and on
 * no list. Takes the superslab lock; maps memory when there is no room.
 *
 * Return: the slab or NULL without memory.
 */
struct slab *slab_get(unsigned int class, unsigned int units);

/* Give back a slab all of whose objects are free and that is on no list. */
void slab_put(struct slab *slab);

/**
 * superslab_get() - Take a whole superslab.
 * @registry_class: what registry_class() shall say of it
 * @owner_data: see struct superslab; must be ready for use
 *
 * Its @dirty_units says which units may hold data; the others read as zero.
 *
 * Return: the superslab or NULL without memory.
 */
struct superslab *superslab_get(unsigned int registry_class,
				void *owner_data);

/* Give back a whole one, whose units in @dirty may hold data. */
void superslab_put(struct superslab *superslab, uint32_t dirty);

/* Return: the slab around an address that the registry gives a class. */
static inline struct slab *slab_of(struct superslab *superslab,
				   const void *addr)
{
	size_t unit = ((uintptr_t)addr - superslab->base) >> SLAB_SHIFT;

	return &superslab->slabs[superslab->first_unit[unit]];
}

/**
 * superslab_reclaim() - Hand back all free memory.
 *
 * Return: bytes unmapped or purged.
 */
size_t superslab_reclaim(void);

/* Hand back what was free and touched since the last time that was asked. */
void superslab_expire(void);

void superslab_fork_child(void);

/**
 * struct superslab_usage - what the layer holds
 * @mapped: bytes of superslabs
 * @free: bytes of units that belong to no slab
 * @dirty: of those, bytes that still have memory behind them
 * @bounced: bytes so far that went back to the kernel and were soon missed
 */
struct superslab_usage {
	size_t mapped;
	size_t free;
	size_t dirty;
	size_t bounced;
};

void superslab_usage(struct superslab_usage *usage);

/* Bytes in use, or free and touched; cheap to ask, not exact. */
size_t superslab_touched(void);

#endif /* HAKMEM_MM_SUPERSLAB_H */
