// SPDX-License-Identifier: MIT
/*
 * Tables of the hot path: see include/mm/sizes.h.
 */
#include "mm/sizes.h"

#define RANGE(class)							\
	[CLASS_SIZE((class) - 1) / OBJECT_ALIGN + ((class) > 1) ...	\
	 CLASS_SIZE(class) / OBJECT_ALIGN] = (class)

const uint8_t size_table[HOT_SIZE_MAX / OBJECT_ALIGN + 1] = {
	[0] = 1, [1] = 1,
	RANGE(2), RANGE(3), RANGE(4), RANGE(5), RANGE(6), RANGE(7), RANGE(8),
	RANGE(9), RANGE(10), RANGE(11), RANGE(12), RANGE(13), RANGE(14),
	RANGE(15), RANGE(16), RANGE(17), RANGE(18), RANGE(19), RANGE(20),
};

/*
 * Lemire's test of divisibility: exact while offset and size fit 16 bits.
 */
#define DIVISOR(class)	[class] = UINT32_MAX / CLASS_SIZE(class) + 1

const uint32_t class_divisors[NR_REGISTRY_CLASSES] = {
	DIVISOR(1), DIVISOR(2), DIVISOR(3), DIVISOR(4), DIVISOR(5),
	DIVISOR(6), DIVISOR(7), DIVISOR(8), DIVISOR(9), DIVISOR(10),
	DIVISOR(11), DIVISOR(12), DIVISOR(13), DIVISOR(14), DIVISOR(15),
	DIVISOR(16), DIVISOR(17), DIVISOR(18), DIVISOR(19), DIVISOR(20),
};
