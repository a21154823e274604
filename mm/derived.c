// SPDX-License-Identifier: MIT
/*
 * Names that the C library makes of others, and so do we: each calls what the
 * program has by that name. That is ours, unless the program brings an
 * allocator of its own, which has those but not these, or runs under valgrind,
 * which takes over no others. A block then has one owner for all its life.
 */
#include <errno.h>
#include <stdint.h>

#include "lib/align.h"
#include "mm/libc.h"
#include "mm/vm.h"

__export void *reallocarray(void *ptr, size_t n, size_t size)
{
	size_t total;

	if (unlikely(__builtin_mul_overflow(n, size, &total))) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(ptr, total);
}

__export void *pvalloc(size_t size)
{
	size_t page = vm_page_size();

	if (size > SIZE_MAX - (page - 1)) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign(page, ALIGN_UP(size, page));
}

LIBC_DERIVED_ALIASES(DEFINE_ALIAS)
