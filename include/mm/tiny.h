/* SPDX-License-Identifier: MIT */
/*
 * The tiny tier: 0 to CONFIG_HAKMEM_TINY_MAX_SIZE bytes, from slabs of 64 KiB.
 */
#ifndef HAKMEM_MM_TINY_H
#define HAKMEM_MM_TINY_H

#include "mm/sizes.h"
#include "mm/tier.h"

#if CONFIG_HAKMEM_TINY

extern const struct tier_ops tiny_ops;

void tiny_init(void);
void tiny_fork_child(void);

#define TINY_CLASS_TIERS	[1 ... TINY_CLASS_LAST] = &tiny_ops,

#else /* CONFIG_HAKMEM_TINY */

static inline void tiny_init(void)
{
}

static inline void tiny_fork_child(void)
{
}

#define TINY_CLASS_TIERS	[0] = NULL,

#endif /* CONFIG_HAKMEM_TINY */

#endif /* HAKMEM_MM_TINY_H */
