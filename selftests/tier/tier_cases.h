/* SPDX-License-Identifier: MIT */
/*
 * The suite that every tier of objects of one size passes. The runner of a tier
 * links it and says which tier that is.
 */
#ifndef SELFTESTS_TIER_CASES_H
#define SELFTESTS_TIER_CASES_H

#include "kunit.h"
#include "mm/tier.h"

/**
 * struct tier_under_test - the runner's tier
 * @ops: what it does
 * @first_class: smallest class it owns
 * @last_class: largest; between the two may be some of another tier's; it owns
 *	none if this one is smaller
 * @min_size: smallest request that it serves
 * @max_size: largest
 */
struct tier_under_test {
	const struct tier_ops *ops;
	unsigned int first_class;
	unsigned int last_class;
	size_t min_size;
	size_t max_size;
};

extern const struct tier_under_test tier_under_test;

/* Skip the case if the configuration leaves the tier no class. */
static inline int tier_needs_a_class(struct kunit *test)
{
	if (tier_under_test.first_class > tier_under_test.last_class)
		kunit_skip(test, "the tier owns no class");
	return 0;
}

/* Once the allocator has started. */
static inline bool tier_owns(unsigned int class)
{
	return class_tier(class) == tier_under_test.ops;
}

#define for_each_tier_class(class)					\
	for ((class) = tier_under_test.first_class;			\
	     (class) <= tier_under_test.last_class; (class)++)		\
		if (tier_owns(class))

#endif /* SELFTESTS_TIER_CASES_H */
