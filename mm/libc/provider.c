// SPDX-License-Identifier: MIT
/*
 * The names by which a C library calls its malloc: see include/mm/provider.h.
 */
#include "mm/provider.h"

#include <errno.h>

#include "hakmem.h"
#include "mm/init.h"
#include "mm/malloc.h"
#include "mm/thread.h"

void *__libc_malloc_impl(size_t size)
{
	return malloc_inline(size);
}

/* musl shrinks to nothing what glibc would free. */
void *__libc_realloc(void *ptr, size_t size)
{
	return hak_realloc(ptr, size ? size : 1);
}

void __libc_free(void *ptr)
{
	free_inline(ptr);
}

__export void *aligned_alloc(size_t alignment, size_t size)
{
	/* The program's own free() could not take it back. */
	if (&__malloc_replaced && __malloc_replaced &&
	    !(&__aligned_alloc_replaced && __aligned_alloc_replaced)) {
		errno = ENOMEM;
		return NULL;
	}
	return hak_aligned_alloc(alignment, size);
}

__export size_t malloc_usable_size(void *ptr)
{
	return hak_malloc_usable_size(ptr);
}

/* The loader's leftovers are of no use: no slab fits between two segments. */
void __malloc_donate(char *start, char *end)
{
	(void)start;
	(void)end;
}

void __malloc_atfork(int who)
{
	if (who > 0)
		init_fork_child();
}

/* The start is at the first request, whoever makes it. */
void __malloc_init(void *thread)
{
	(void)thread;
}

void __malloc_tls_teardown(void *thread)
{
	(void)thread;
	thread_leave();
}
