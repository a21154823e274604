/* SPDX-License-Identifier: MIT */
/*
 * The mid tier: CONFIG_HAKMEM_MID_MIN_SIZE to CONFIG_HAKMEM_MID_MAX_SIZE
 * bytes.
 */
#ifndef HAKMEM_MM_MID_H
#define HAKMEM_MM_MID_H

#include "mm/sizes.h"
#include "mm/tier.h"

#ifdef CONFIG_HAKMEM_MID

extern const struct tier_ops mid_ops __hidden;

/* Return: the tier, if it owns the class. */
static inline const struct tier_ops *mid_tier(unsigned int class)
{
	return class >= MID_CLASS_FIRST && class <= MID_CLASS_LAST ?
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
