/* SPDX-License-Identifier: MIT */
/*
 * Size classes and every boundary of the size map, each defined once.
 *
 * Class 0 is "not an object of a class". Classes 1 to 8 are 16 bytes apart up
 * to 128; from there each doubling has four, and above 1024, where rounding up
 * wastes more, eight. The arithmetic is the same for all tiers; which tier
 * owns a class is mm/route.c's business.
 */
#ifndef HAKMEM_MM_SIZES_H
#define HAKMEM_MM_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/align.h"
#include "lib/compiler.h"

#define OBJECT_ALIGN		16
#define OBJECT_SIZE_MAX		((size_t)PTRDIFF_MAX)

#define SLAB_SHIFT		16
#define SLAB_SIZE		((size_t)1 << SLAB_SHIFT)
#define SUPERSLAB_SHIFT		21
#define SUPERSLAB_SIZE		((size_t)1 << SUPERSLAB_SHIFT)
#define SUPERSLAB_SLABS		(SUPERSLAB_SIZE / SLAB_SIZE)

/* Linear classes to 128, four to a doubling to 1024, then eight. */
#define CLASS_LINEAR		8
#define CLASS_LINEAR_MAX	(CLASS_LINEAR * OBJECT_ALIGN)
#define CLASS_COARSE		20
#define CLASS_COARSE_MAX	1024

/* Constant expressions of the class of a size, by its range. */
#define CLASS_LOG2(size)	(63 - __builtin_clzll((size) - 1ULL))
#define CLASS_OF_LINEAR(size)						\
	((size) ? ((size) + OBJECT_ALIGN - 1) / OBJECT_ALIGN : 1)
#define CLASS_OF_COARSE(size)						\
	(CLASS_LINEAR + (CLASS_LOG2(size) - 7) * 4 +			\
	 (((size) - 1) >> (CLASS_LOG2(size) - 2)) - 3)
#define CLASS_OF_FINE(size)						\
	(CLASS_COARSE + (CLASS_LOG2(size) - 10) * 8 +			\
	 (((size) - 1) >> (CLASS_LOG2(size) - 3)) - 7)
#define CLASS_OF(size) ((unsigned int)					\
	((size) <= CLASS_LINEAR_MAX ? CLASS_OF_LINEAR(size) :		\
	 (size) <= CLASS_COARSE_MAX ? CLASS_OF_COARSE(size) :		\
				      CLASS_OF_FINE(size)))

/* Constant expressions of the object size of a class; 16 for class 0. */
#define CLASS_SIZE_LINEAR(class) \
	((class) ? (size_t)(class) * OBJECT_ALIGN : OBJECT_ALIGN)
#define CLASS_SIZE_STEPS(step, steps, shift)				\
	((size_t)((step) % (steps) + (steps) + 1) <<			\
	 ((step) / (steps) + (shift)))
#define CLASS_SIZE(class)						\
	((class) <= CLASS_LINEAR ? CLASS_SIZE_LINEAR(class) :		\
	 (class) <= CLASS_COARSE ?					\
	 CLASS_SIZE_STEPS((class) - CLASS_LINEAR - 1, 4, 5) :		\
	 CLASS_SIZE_STEPS((class) - CLASS_COARSE - 1, 8, 7))

/* Classes reach to one superslab; the tiers share them out. */
#define CLASS_MAX		108
#define NR_CLASSES		(CLASS_MAX + 1)

/* What the registry says of a slab that holds no objects of one size. */
#define CLASS_NONE		0	/* not ours, or not handed out */
#define CLASS_RUN		NR_CLASSES /* page runs of the large tier */
#define CLASS_MIXED		(NR_CLASSES + 1) /* objects of any size */
#define NR_REGISTRY_CLASSES	(CLASS_MIXED + 1)

/*
 * The tiers' ranges. A bound is 0 in Kconfig where its tier is configured out.
 * Mid and ACE never own a class that is, or could be, tiny's; what mid does not
 * own beyond that is ACE's, up to its bound.
 */
#define TINY_MAX_SIZE		((size_t)CONFIG_HAKMEM_TINY_MAX_SIZE)
#define TINY_CLASS_LAST \
	(TINY_MAX_SIZE ? CLASS_OF(TINY_MAX_SIZE) : 0U)
#define BEYOND_TINY_CLASS \
	((TINY_MAX_SIZE ? TINY_CLASS_LAST : CLASS_COARSE) + 1)

#define MID_MIN_SIZE		((size_t)CONFIG_HAKMEM_MID_MIN_SIZE)
#define MID_MAX_SIZE		((size_t)CONFIG_HAKMEM_MID_MAX_SIZE)
#define MID_CLASS_FIRST		(MID_MAX_SIZE ? CLASS_OF(MID_MIN_SIZE) : 1U)
#define MID_CLASS_LAST		(MID_MAX_SIZE ? CLASS_OF(MID_MAX_SIZE) : 0U)

#define ACE_MAX_SIZE		((size_t)CONFIG_HAKMEM_ACE_MAX_SIZE)
#define ACE_CLASS_LAST		(ACE_MAX_SIZE ? CLASS_OF(ACE_MAX_SIZE) : 0U)

/* From here a request gets a mapping of its own. */
#define MAPPING_MIN_SIZE \
	((size_t)CONFIG_HAKMEM_LARGE_MAPPING_MIN_KB << 10)

/* The largest request that the hot path looks up in a table. */
#define HOT_SIZE_MAX		1024

static inline unsigned int size_class(size_t size)
{
	unsigned int log2;

	if (size <= CLASS_LINEAR_MAX)
		return (unsigned int)CLASS_OF_LINEAR(size);
	log2 = log2_floor(size - 1);
	if (size <= CLASS_COARSE_MAX)
		return CLASS_LINEAR + (log2 - 7) * 4 +
		       (unsigned int)((size - 1) >> (log2 - 2)) - 3;
	return CLASS_COARSE + (log2 - 10) * 8 +
	       (unsigned int)((size - 1) >> (log2 - 3)) - 7;
}

/*
 * The smallest class whose size is a multiple of a power of two. The sizes of a
 * doubling are multiples of the step between them: what is a multiple of more
 * is one of them, and what is one of less is rounded up to one.
 */
static inline unsigned int size_class_aligned(size_t size, size_t align)
{
	return size_class(ALIGN_UP(max(size, (size_t)1), align));
}

/* Of what the registry says: is it an object of a tier with classes? */
static inline bool is_size_class(unsigned int class)
{
	return class != CLASS_NONE && class < NR_CLASSES;
}

static inline size_t class_size(unsigned int class)
{
	return CLASS_SIZE(class);
}

/*
 * From here on objects are whole pages, which go back to the kernel one by
 * one while others of their slab are in use.
 */
#define PAGED_SIZE_MIN		((size_t)32 << 10)
#define PAGED_CLASS_FIRST	CLASS_OF(PAGED_SIZE_MIN)

static inline bool class_is_paged(unsigned int class)
{
	return class >= PAGED_CLASS_FIRST;
}

/*
 * Units of a class's slabs: as few as leave an eighth of them unused at most.
 */
#define UNITS_WASTE_LITTLE(size, units) \
	((units) * SLAB_SIZE >= (size) &&				\
	 (units) * SLAB_SIZE % (size) * 8 <= (units) * SLAB_SIZE)

static inline unsigned int class_units(unsigned int class)
{
	size_t size = class_size(class);
	unsigned int units = (unsigned int)DIV_ROUND_UP(size, SLAB_SIZE);

	while (!UNITS_WASTE_LITTLE(size, units))
		units++;
	return units;
}

_Static_assert(CLASS_SIZE(9) == 160 && CLASS_SIZE(20) == 1024 &&
	       CLASS_SIZE(21) == 1152 && CLASS_SIZE(28) == 2048 &&
	       CLASS_SIZE(CLASS_MAX) == SUPERSLAB_SIZE, "class arithmetic");
_Static_assert(CLASS_OF(129) == 9 && CLASS_OF(1024) == 20 &&
	       CLASS_OF(1025) == 21 && CLASS_OF(2049) == 29 &&
	       CLASS_OF(SUPERSLAB_SIZE) == CLASS_MAX, "class arithmetic");
_Static_assert(TINY_CLASS_LAST == 0 ||
	       CLASS_SIZE(TINY_CLASS_LAST) == TINY_MAX_SIZE,
	       "CONFIG_HAKMEM_TINY_MAX_SIZE must be the size of a class");
_Static_assert(MID_CLASS_LAST == 0 ||
	       (MID_CLASS_FIRST >= BEYOND_TINY_CLASS &&
		MID_CLASS_FIRST <= MID_CLASS_LAST &&
		CLASS_SIZE(MID_CLASS_LAST) == MID_MAX_SIZE),
	       "CONFIG_HAKMEM_MID_MIN_SIZE or _MAX_SIZE is out of order");
_Static_assert(ACE_CLASS_LAST == 0 ||
	       CLASS_SIZE(ACE_CLASS_LAST) == ACE_MAX_SIZE,
	       "CONFIG_HAKMEM_ACE_MAX_SIZE must be the size of a class");
_Static_assert(MAPPING_MIN_SIZE <= SUPERSLAB_SIZE,
	       "page runs live inside one superslab");

#endif /* HAKMEM_MM_SIZES_H */
