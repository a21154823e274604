/* SPDX-License-Identifier: MIT */
/*
 * What the two files of the sampled guard share: its records.
 */
#ifndef HAKMEM_MM_KFENCE_KFENCE_H
#define HAKMEM_MM_KFENCE_KFENCE_H

#include <stddef.h>
#include <stdint.h>

#include "mm/kfence.h"

#define KFENCE_OBJECTS	((unsigned int)CONFIG_HAKMEM_KFENCE_OBJECTS)

enum kfence_state {
	KFENCE_UNUSED,
	KFENCE_IN_USE,
	KFENCE_FREED,
};

/**
 * struct kfence_object - the record of a page of the pool
 * @state: what it is for now
 * @addr: of the block, the last one when it is freed
 * @size: bytes asked for
 * @allocated_by: thread, as the kernel numbers them
 * @freed_by: the same
 * @next: index of the page that was freed next, when this one is free
 *
 * Changed under the lock of core.c; report.c reads them without.
 */
struct kfence_object {
	enum kfence_state state;
	uintptr_t addr;
	size_t size;
	int allocated_by;
	int freed_by;
	unsigned int next;
};

extern struct kfence_object kfence_objects[KFENCE_OBJECTS] __hidden;

/* Page @index of the pool; page -1 and all between cannot be touched. */
uintptr_t kfence_page(unsigned int index);

/* The block at an address of the pool; of a page between, the nearer one. */
struct kfence_object *kfence_nearest(uintptr_t addr);

/* Describe faults in the pool from now on. */
void kfence_report_start(void);

/* Say all that is known of a block. */
void kfence_describe(const struct kfence_object *object);

#endif /* HAKMEM_MM_KFENCE_KFENCE_H */
