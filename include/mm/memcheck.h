/* SPDX-License-Identifier: MIT */
/*
 * Tells valgrind's memcheck what is allocated.
 *
 * memcheck takes over malloc and its like wherever a program has a dynamic
 * loader, and we are not called. In a program that was linked with -static,
 * and for the hak_ names, it has to be told. Under it each block has some
 * inaccessible bytes behind it, and none is resized where it is.
 */
#ifndef HAKMEM_MM_MEMCHECK_H
#define HAKMEM_MM_MEMCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arch.h"

/* A larger block that was leaked may be found in records of ours. */
#define MEMCHECK_LEAK_MAX	((size_t)16 << 10)

#ifdef CONFIG_HAKMEM_VALGRIND

#define MEMCHECK_REDZONE	((size_t)16)

enum memcheck_request {
	MEMCHECK_IS_RUNNING = 0x1001,
	MEMCHECK_ALLOCATED = 0x1301,
	MEMCHECK_FREED = 0x1302,
	MEMCHECK_ERRORS_OFF = 0x1801,
	MEMCHECK_NO_ACCESS = 'M' << 24 | 'C' << 16,
};

static inline uintptr_t memcheck_request(enum memcheck_request request,
					 const void *addr, uintptr_t size)
{
	volatile uintptr_t args[6] = { request, (uintptr_t)addr, size };
	uintptr_t answer;

	VALGRIND_REQUEST(answer, args);
	return answer;
}

static inline bool memcheck_is_on(void)
{
	return memcheck_request(MEMCHECK_IS_RUNNING, NULL, 0);
}

/* What to ask a tier for; too large a size stays that. */
static inline size_t memcheck_size(size_t size)
{
	return memcheck_is_on() && size <= PTRDIFF_MAX ?
	       size + MEMCHECK_REDZONE : size;
}

static inline void memcheck_allocated(const void *addr, size_t size)
{
	if (addr)
		memcheck_request(MEMCHECK_ALLOCATED, addr, size);
}

static inline void memcheck_freed(const void *addr)
{
	if (addr)
		memcheck_request(MEMCHECK_FREED, addr, 0);
}

/* Fresh memory for objects: none is allocated yet. Return: its address. */
static inline void *memcheck_mapped(void *addr, size_t size)
{
	if (addr)
		memcheck_request(MEMCHECK_NO_ACCESS, addr, size);
	return addr;
}

/* Around a copy of all that an object has room for. */
static inline void memcheck_errors(bool on)
{
	memcheck_request(MEMCHECK_ERRORS_OFF,
			 (void *)(on ? ~(uintptr_t)0 : (uintptr_t)1), 0);
}

#else /* CONFIG_HAKMEM_VALGRIND */

static inline bool memcheck_is_on(void)
{
	return false;
}

static inline size_t memcheck_size(size_t size)
{
	return size;
}

static inline void memcheck_allocated(const void *addr, size_t size)
{
	(void)addr;
	(void)size;
}

static inline void memcheck_freed(const void *addr)
{
	(void)addr;
}

static inline void *memcheck_mapped(void *addr, size_t size)
{
	(void)size;
	return addr;
}

static inline void memcheck_errors(bool on)
{
	(void)on;
}

#endif /* CONFIG_HAKMEM_VALGRIND */

#endif /* HAKMEM_MM_MEMCHECK_H */
