/* SPDX-License-Identifier: MIT */
/*
 * ACE, the Adaptive Cache Engine: the tier of the sizes between tiny and mid
 * and from mid to CONFIG_HAKMEM_ACE_MAX_SIZE bytes, and the controller of how
 * much the classes of all tiers keep at hand.
 */
#ifndef HAKMEM_MM_ACE_H
#define HAKMEM_MM_ACE_H

#include <stdbool.h>

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

/* After CONFIG_HAKMEM_ACE_TICK_MS, look at the counters and set the limits. */
bool ace_look(void);

/**
 * ace_tick() - Let the controller work, if it is time.
 *
 * For slow paths that hold no lock.
 *
 * Return: whether all layers should let go of what lay unused.
 */
static inline bool ace_tick(void)
{
	return ace_is_on() && ace_look();
}

void ace_fork_child(void);

#else /* CONFIG_HAKMEM_ACE */

static inline const struct tier_ops *ace_tier(unsigned int class)
{
	(void)class;
	return NULL;
}

static inline bool ace_tick(void)
{
	return false;
}

static inline void ace_fork_child(void)
{
}

#endif /* CONFIG_HAKMEM_ACE */

#endif /* HAKMEM_MM_ACE_H */
