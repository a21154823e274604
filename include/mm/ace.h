/* SPDX-License-Identifier: MIT */
/*
 * ACE, the Adaptive Cache Engine: the tier of the sizes between tiny and mid
 * and from mid to CONFIG_HAKMEM_ACE_MAX_SIZE bytes, and the controller of how
 * much the classes of all tiers keep at hand.
 */
#ifndef HAKMEM_MM_ACE_H
#define HAKMEM_MM_ACE_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/knobs.h"
#include "mm/sizes.h"
#include "mm/tier.h"

#ifdef CONFIG_HAKMEM_ACE

extern const struct tier_ops ace_ops __hidden;

/* Return: the tier, if it owns a class that no tier before it does. */
static inline const struct tier_ops *ace_tier(unsigned int class)
{
	return ace_is_on() && class >= BEYOND_TINY_CLASS &&
	       class <= ACE_CLASS_LAST ? &ace_ops : NULL;
}

/**
 * ace_look() - Let the controller work, if it is time.
 * @now_ms: by reclaim_clock_ms()
 *
 * For slow paths that hold no lock. After CONFIG_HAKMEM_ACE_TICK_MS it looks at
 * the counters and sets the limits.
 *
 * Return: whether all layers should let go of what lay unused.
 */
bool ace_look(uint64_t now_ms);

void ace_fork_child(void);

#else /* CONFIG_HAKMEM_ACE */

static inline const struct tier_ops *ace_tier(unsigned int class)
{
	(void)class;
	return NULL;
}

static inline bool ace_look(uint64_t now_ms)
{
	(void)now_ms;
	return false;
}

static inline void ace_fork_child(void)
{
}

#endif /* CONFIG_HAKMEM_ACE */

#endif /* HAKMEM_MM_ACE_H */
