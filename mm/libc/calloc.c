// SPDX-License-Identifier: MIT
/*
 * Apart from the others, because the sources of musl have this one themselves.
 */
#include "hakmem.h"
#include "mm/provider.h"

void *__libc_calloc(size_t n, size_t size)
{
	return hak_calloc(n, size);
}
