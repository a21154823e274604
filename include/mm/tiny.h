/* SPDX-License-Identifier: MIT */
/*
 * The tiny tier: 0 to CONFIG_HAKMEM_TINY_MAX_SIZE bytes.
 */
#ifndef HAKMEM_MM_TINY_H
#define HAKMEM_MM_TINY_H

#include "mm/sizes.h"
#include "mm/tier.h"

#ifdef CONFIG_HAKMEM_TINY

extern const struct tier_ops tiny_ops __hidden;

/* Return: the tier, if it owns the class. */
static inline const struct tier_ops *tiny_tier(unsigned int class)
{
	return class <= TINY_CLASS_LAST ? &tiny_ops : NULL;
}

#else /* CONFIG_HAKMEM_TINY */

static inline const struct tier_ops *tiny_tier(unsigned int class)
{
	(void)class;
	return NULL;
}

#endif /* CONFIG_HAKMEM_TINY */

#endif /* HAKMEM_MM_TINY_H */
