/* SPDX-License-Identifier: MIT */
/*
 * Size classes and every boundary of the size map, each defined once.
 *
 * Class 0 is "not an object of a class". Classes 1 to 8 are 16 bytes apart up
 * to 128; from there each doubling has four, so that rounding up wastes less
 * than a fifth. The arithmetic is the same for all tiers; which tier owns a
 * class is mm/route.h's business.
 */
#ifndef HAKMEM_MM_SIZES_H
#define HAKMEM_MM_SIZES_H

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

/* Linear classes, then CLASS_STEPS to a doubling. */
#define CLASS_LINEAR		8
#define CLASS_STEPS		4
#define CLASS_LINEAR_MAX	(CLASS_LINEAR * OBJECT_ALIGN)

/* Constant expression of the class of a size of at least 129 bytes. */
#define CLASS_LOG2(size)	(63 - __builtin_clzll((size) - 1ULL))
#define CLASS_OF_LARGE(size)						\
	(CLASS_LINEAR + (CLASS_LOG2(size) - 7) * CLASS_STEPS +		\
	 (((size) - 1) >> (CLASS_LOG2(size) - 2)) - 3)
#define CLASS_OF_SMALL(size)						\
	((size) ? ((size) + OBJECT_ALIGN - 1) / OBJECT_ALIGN : 1)
#define CLASS_OF(size)							\
	((size) <= CLASS_LINEAR_MAX ?					\
	 CLASS_OF_SMALL(size) : CLASS_OF_LARGE(size))

/* Constant expression of the object size of a class, 16 bytes for class 0. */
#define CLASS_SIZE(class)						\
	((size_t)((class) <= CLASS_LINEAR ?				\
	 ((class) ? (class) * OBJECT_ALIGN : OBJECT_ALIGN) :		\
	 ((size_t)(((class) - 9) % CLASS_STEPS + 5) <<			\
	  (((class) > 8 ? (class) - 9 : 0) / CLASS_STEPS + 5))))

/* Classes reach to one superslab; the tiers share them out. */
#define CLASS_MAX		64
#define NR_CLASSES		(CLASS_MAX + 1)

/* What the registry says of a slab that holds no objects of one size. */
#define CLASS_NONE		0	/* not ours, or not handed out */
#define CLASS_RUN		NR_CLASSES /* page runs of the large tier */
#define NR_REGISTRY_CLASSES	(CLASS_RUN + 1)

/* CONFIG_HAKMEM_TINY_MAX_SIZE is 0 where the tier is configured out. */
#define TINY_MAX_SIZE		((size_t)CONFIG_HAKMEM_TINY_MAX_SIZE)
#define TINY_CLASS_LAST \
	(TINY_MAX_SIZE ? (unsigned int)CLASS_OF(TINY_MAX_SIZE) : 0U)

/* From here a request gets a mapping of its own. */
#define MAPPING_MIN_SIZE \
	((size_t)CONFIG_HAKMEM_LARGE_MAPPING_MIN_KB << 10)

/* The largest request that the hot path looks up in a table. */
#define HOT_SIZE_MAX		1024

static inline unsigned int size_class(size_t size)
{
	unsigned int log2;

	if (size <= CLASS_LINEAR_MAX)
		return (unsigned int)CLASS_OF_SMALL(size);
	log2 = log2_floor(size - 1);
	return CLASS_LINEAR + (log2 - 7) * CLASS_STEPS +
	       (unsigned int)((size - 1) >> (log2 - 2)) - 3;
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

_Static_assert(CLASS_SIZE(9) == 160 && CLASS_SIZE(20) == 1024 &&
	       CLASS_SIZE(CLASS_MAX) == SUPERSLAB_SIZE, "class arithmetic");
_Static_assert(CLASS_OF(129) == 9 && CLASS_OF(1024) == 20 &&
	       CLASS_OF(SUPERSLAB_SIZE) == CLASS_MAX, "class arithmetic");
_Static_assert(TINY_CLASS_LAST == 0 ||
	       CLASS_SIZE(TINY_CLASS_LAST) == TINY_MAX_SIZE,
	       "CONFIG_HAKMEM_TINY_MAX_SIZE must be the size of a class");
_Static_assert(MAPPING_MIN_SIZE <= SUPERSLAB_SIZE,
	       "page runs live inside one superslab");

#endif /* HAKMEM_MM_SIZES_H */
