/* SPDX-License-Identifier: MIT */
/*
 * The mid tier: CONFIG_HAKMEM_MID_MIN_SIZE to CONFIG_HAKMEM_MID_MAX_SIZE
 * bytes, and from tiny on where it serves the gap.
 */
#ifndef HAKMEM_MM_MID_H
#define HAKMEM_MM_MID_H

#include "mm/knobs.h"
#include "mm/sizes.h"
#include "mm/tier.h"

#ifdef CONFIG_HAKMEM_MID

extern const struct tier_ops mid_ops __hidden;

/* Of the classes that it owns. */
static inline unsigned int mid_class_first(void)
{
	return IS_ENABLED(CONFIG_HAKMEM_GAP_MID) && !ace_is_on() ?
	       BEYOND_TINY_CLASS : MID_CLASS_FIRST;
}

/* Return: the tier, if it owns the class. */
static inline const struct tier_ops *mid_tier(unsigned int class)
{
	return class >= mid_class_first() && class <= MID_CLASS_LAST ?
	       &mid_ops : NULL;
}

#else /* CONFIG_HAKMEM_MID */

static inline const struct tier_ops *mid_tier(unsigned int class)
{
	(void)class;
	return NULL;
}

#endif /* CONFIG_HAKMEM_MID */

#endif /* HAKMEM_MM_MID_H */
