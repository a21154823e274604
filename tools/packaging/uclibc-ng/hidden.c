// SPDX-License-Identifier: MIT
/*
 * libc/stdlib/malloc-hakmem/hidden.c of uClibc-ng: the name by which the
 * library itself calls memalign(), in valloc() and posix_memalign().
 */
#include <stddef.h>

void *public_memalign(size_t alignment, size_t size) __asm__("memalign");
void *hidden_memalign(size_t alignment, size_t size) __asm__("__GI_memalign")
	attribute_hidden;

void *hidden_memalign(size_t alignment, size_t size)
{
	return public_memalign(alignment, size);
}
