/* SPDX-License-Identifier: MIT */
/*
 * Powers of two and alignment. @a is always a power of two.
 */
#ifndef HAKMEM_LIB_ALIGN_H
#define HAKMEM_LIB_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALIGN_UP(x, a)		(((x) + ((a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

static inline bool is_power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

/* Floor of the binary logarithm; @n is not 0. */
static inline unsigned int log2_floor(size_t n)
{
	return 8 * sizeof(unsigned long) - 1 - (unsigned int)__builtin_clzl(n);
}

static inline size_t roundup_power_of_two(size_t n)
{
	return n <= 1 ? 1 : (size_t)1 << (log2_floor(n - 1) + 1);
}

#endif /* HAKMEM_LIB_ALIGN_H */
