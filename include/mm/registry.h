/* SPDX-License-Identifier: MIT */
/*
 * The registry: from any address to what is there, in one load.
 *
 * A byte for each slab (64 KiB) of a window of the address space holds the
 * class of the objects in that slab, 0 where nothing of ours is. The window
 * is sized at run time; all slab memory lies inside it and objects with a
 * mapping of their own may lie anywhere, so "0" and "outside" both mean "ask
 * the large tier, and else it is not ours". A second table has the superslab
 * of each 2 MiB. Both are reserved read-only and made writable by the page.
 *
 * Readers take no lock: a slab's byte is written before the first of its
 * objects is handed out and after the last has come home, and a program that
 * frees an object at any other time gets the answer it deserves.
 */
#ifndef HAKMEM_MM_REGISTRY_H
#define HAKMEM_MM_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "mm/sizes.h"

struct superslab;

struct registry {
	uintptr_t base;			/* start of the window */
	size_t nr_slabs;		/* slabs in the window, 0 before init */
	uint8_t *classes;		/* [nr_slabs] */
	struct superslab **superslabs;	/* [nr_slabs / SUPERSLAB_SLABS] */
};

extern struct registry registry __hidden;

/**
 * registry_class() - What kind of object an address belongs to.
 * @addr: anything, NULL and wild pointers included
 *
 * Return: a size class, CLASS_RUN, or CLASS_NONE.
 */
static __always_inline size_t registry_class(const void *addr)
{
	size_t slab = ((uintptr_t)addr - UNSEEN(registry.base)) >> SLAB_SHIFT;

	if (unlikely(slab >= UNSEEN(registry.nr_slabs)))
		return CLASS_NONE;
	return READ_ONCE(registry.classes[slab]);
}

/* Return: the superslab around @addr, or NULL. */
static inline struct superslab *registry_superslab(const void *addr)
{
	size_t slab = ((uintptr_t)addr - registry.base) >> SLAB_SHIFT;

	if (slab >= registry.nr_slabs)
		return NULL;
	return READ_ONCE(registry.superslabs[slab / SUPERSLAB_SLABS]);
}

/* Size and reserve the tables. Return: false when there is no memory. */
bool __must_check registry_init(void);

/* Where in the window the first superslab would be welcome. */
void *registry_first_hint(void);

/* Return: @addr, brought back into the window from its start if beyond. */
uintptr_t registry_wrap(uintptr_t addr);

/**
 * registry_cover() - Make the entries of a superslab writable.
 * @base: its address
 *
 * Calls are serialised by the superslab layer's growth lock.
 *
 * Return: false when it lies outside the window or memory ran out.
 */
bool __must_check registry_cover(uintptr_t base);

/* In a forked child whose parent may have been inside registry_cover(). */
void registry_fork_child(void);

/* Of a covered superslab; the caller owns it. */
void registry_set_superslab(uintptr_t base, struct superslab *superslab);
void registry_set_class(uintptr_t base, unsigned int slabs,
			unsigned int class);

/**
 * registry_next_superslab() - Walk over all superslabs.
 * @index: in: where to begin, 0 at first; out: where to go on
 *
 * Return: a superslab, or NULL at the end.
 */
struct superslab *registry_next_superslab(size_t *index);

#endif /* HAKMEM_MM_REGISTRY_H */
