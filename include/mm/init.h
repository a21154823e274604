/* SPDX-License-Identifier: MIT */
/*
 * Start of the allocator: at the first request, whoever makes it.
 */
#ifndef HAKMEM_MM_INIT_H
#define HAKMEM_MM_INIT_H

#include "lib/compiler.h"

/**
 * enum init_state - how far the start has come
 * @INIT_DOWN: nothing is set up
 * @INIT_BOOTING: the registry is being set up
 * @INIT_PARTIAL: memory can be had; the hooks into libc are being set up,
 *	which may itself allocate
 * @INIT_UP: all is set up
 */
enum init_state {
	INIT_DOWN,
	INIT_BOOTING,
	INIT_PARTIAL,
	INIT_UP,
};

extern enum init_state init_state __hidden;

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
	/* Acquire: pairs with the release stores in init_slow(). */
	if (unlikely(__atomic_load_n(&init_state, __ATOMIC_ACQUIRE) <
		     INIT_UP))
		init_slow();
}

#endif /* HAKMEM_MM_INIT_H */
