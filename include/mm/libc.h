/* SPDX-License-Identifier: MIT */
/*
 * The C library's names that mm/override.c and mm/derived.c take over and
 * <stdlib.h> does not declare.
 *
 * A static link must find every allocator name of the library here: one that
 * is missing brings in the library's own allocator, and then all the others
 * are defined twice. <malloc.h> is not read, for what it has depends on the
 * library and its version; the binary interface does not.
 */
#ifndef HAKMEM_MM_LIBC_H
#define HAKMEM_MM_LIBC_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "hakmem.h"
#include "lib/compiler.h"

/* Member for member glibc's struct mallinfo. */
struct libc_mallinfo {
	int arena;
	int ordblks;
	int smblks;
	int hblks;
	int hblkhd;
	int usmblks;
	int fsmblks;
	int uordblks;
	int fordblks;
	int keepcost;
};

/* hak_mallinfo2() as far as an int goes: what is more is INT_MAX. */
struct libc_mallinfo mallinfo_int(void);

#ifdef __GLIBC__	/* others have it in <stdlib.h> */
void *memalign(size_t alignment, size_t size);
#endif
void *pvalloc(size_t size);
size_t malloc_usable_size(void *ptr);
void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t alignment, size_t size);
void cfree(void *ptr);

int malloc_trim(size_t pad);
void malloc_stats(void);
int malloc_info(int options, FILE *stream);
struct libc_mallinfo mallinfo(void);
struct hak_mallinfo2 mallinfo2(void);
int mallopt(int param, int value);

/*
 * glibc's further names for the same functions; mm/hakmem.map exports those
 * that its shared library has. Its static library's fork() and thread exit
 * look for __malloc_fork_lock_parent() and the like by weak references and do
 * without: our own hooks serve in both kinds of program.
 */
#ifdef __GLIBC__
#define LIBC_ALIASES(alias)						\
	alias(__libc_malloc, malloc)					\
	alias(__libc_free, free)					\
	alias(__libc_calloc, calloc)					\
	alias(__libc_realloc, realloc)					\
	alias(__libc_memalign, memalign)				\
	alias(__libc_valloc, valloc)					\
	alias(__libc_mallinfo, mallinfo)				\
	alias(__libc_mallinfo2, mallinfo2)				\
	alias(__libc_mallopt, mallopt)
#define LIBC_DERIVED_ALIASES(alias)					\
	alias(__libc_reallocarray, reallocarray)			\
	alias(__libc_pvalloc, pvalloc)
#else
#define LIBC_ALIASES(alias)
#define LIBC_DERIVED_ALIASES(alias)
#endif

/* gcc wants an alias to promise what its target promises; clang does not. */
#if __has_attribute(__copy__)
#define ATTRIBUTES_OF(function)	__attribute__((__copy__(function)))
#else
#define ATTRIBUTES_OF(function)
#endif

#define DEFINE_ALIAS(name, target)					\
	extern __typeof__(target) name __export				\
		__attribute__((__alias__(#target))) ATTRIBUTES_OF(target);

#endif /* HAKMEM_MM_LIBC_H */
