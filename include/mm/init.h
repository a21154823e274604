/* SPDX-License-Identifier: MIT */
/*
 * Start of the allocator: at the first request, whoever makes it.
 */
#ifndef HAKMEM_MM_INIT_H
#define HAKMEM_MM_INIT_H

#include <stdbool.h>

#include "lib/compiler.h"

/* Whether all is set up. */
extern bool init_done __hidden;

/* A C library's own malloc has no end. */
#ifdef CONFIG_HAKMEM_LIBC
#define AT_EXIT	__attribute__((__unused__))
#else
#define AT_EXIT	__attribute__((__destructor__))
#endif

void __cold init_slow(void);

/* In a forked child, before anything else of the program runs there. */
void init_fork_child(void);

/* Safe in any thread at any time, from inside itself as well. */
static inline void init_ensure(void)
{
	/* Acquire: pairs with the release in start_locked(). */
	if (unlikely(!__atomic_load_n(&init_done, __ATOMIC_ACQUIRE)))
		init_slow();
}

#endif /* HAKMEM_MM_INIT_H */
