/* SPDX-License-Identifier: MIT */
/*
 * The suite that every tier of objects of one size passes. The runner of a tier
 * links it and says which tier that is.
 */
#ifndef SELFTESTS_TIER_CASES_H
#define SELFTESTS_TIER_CASES_H

#include "mm/tier.h"

/**
 * struct tier_under_test - the runner's tier
 * @ops: what it does
 * @first_class: smallest class it owns
 * @last_class: largest; not the smallest
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

#endif /* SELFTESTS_TIER_CASES_H */
