/* SPDX-License-Identifier: MIT */
/*
 * The C library's names that mm/override.c takes over and <stdlib.h> does not
 * declare.
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

void *memalign(size_t alignment, size_t size);
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
 * glibc's further names for the same functions. The last three exist only in
 * its static library. __malloc_fork_lock_parent() and its kind are not taken
 * over: fork() does without them where the allocator is not glibc's.
 */
#ifdef __GLIBC__
#define LIBC_ALIASES(alias)						\
	alias(void *, __libc_malloc, (size_t), "malloc")		\
	alias(void, __libc_free, (void *), "free")			\
	alias(void *, __libc_calloc, (size_t, size_t), "calloc")	\
	alias(void *, __libc_realloc, (void *, size_t), "realloc")	\
	alias(void *, __libc_memalign, (size_t, size_t), "memalign")	\
	alias(void *, __libc_valloc, (size_t), "valloc")		\
	alias(void *, __libc_pvalloc, (size_t), "pvalloc")		\
	alias(struct libc_mallinfo, __libc_mallinfo, (void), "mallinfo") \
	alias(struct hak_mallinfo2, __libc_mallinfo2, (void), "mallinfo2") \
	alias(int, __libc_mallopt, (int, int), "mallopt")		\
	alias(void *, __libc_reallocarray, (void *, size_t, size_t),	\
	      "reallocarray")
#else
#define LIBC_ALIASES(alias)
#endif

#endif /* HAKMEM_MM_LIBC_H */
