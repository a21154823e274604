/* SPDX-License-Identifier: MIT */
/*
 * HAKMEM: a general-purpose memory allocator.
 *
 * These are its functions under names of their own, beside whatever malloc()
 * the program has. Where HAKMEM also takes over the standard names (it does
 * unless it was configured not to), malloc() and hak_malloc() are the same
 * allocator, and a block of the one may be freed by the other.
 *
 * For all functions, unless they say otherwise:
 * - sizes and alignments are in bytes;
 * - a block is aligned to 16 bytes at least;
 * - a block of size 0 is a unique pointer that may be freed;
 * - they are thread-safe, and any thread may free any block;
 * - they are not safe in a signal handler, and safe in a forked child even if
 *   the parent has several threads;
 * - a function that fails returns NULL, sets errno to ENOMEM if memory ran out
 *   or the size exceeds PTRDIFF_MAX, and has changed nothing; one that
 *   succeeds leaves errno alone;
 * - a pointer that must be a block and is not ends the program: one line on
 *   standard error, then abort().
 */
#ifndef HAKMEM_H
#define HAKMEM_H

#include <stddef.h>
#include <stdio.h>

/* The version of this header; hak_version() is that of the library. */
#define HAKMEM_VERSION_MAJOR	0
#define HAKMEM_VERSION_MINOR	1
#define HAKMEM_VERSION_PATCH	0
#define HAKMEM_VERSION		"0.1.0"

#if defined(__GNUC__)
#define HAKMEM_ATTRIBUTE(list)	__attribute__(list)
#pragma GCC visibility push(default)
#else
#define HAKMEM_ATTRIBUTE(list)
#endif

#define HAKMEM_BLOCK							\
	HAKMEM_ATTRIBUTE((malloc, warn_unused_result))
#define HAKMEM_SIZE(argument)						\
	HAKMEM_ATTRIBUTE((alloc_size(argument)))
#define HAKMEM_PRODUCT(first, second)					\
	HAKMEM_ATTRIBUTE((alloc_size(first, second)))
#define HAKMEM_ALIGNMENT(argument)					\
	HAKMEM_ATTRIBUTE((alloc_align(argument)))
#define HAKMEM_USE_RESULT						\
	HAKMEM_ATTRIBUTE((warn_unused_result))

#ifdef __cplusplus
extern "C" {
#endif

/**
 * hak_version() - Which version of the library this is.
 *
 * Safe in a signal handler.
 *
 * Return: a string such as "0.1.0"; never NULL, not to be freed.
 */
const char *hak_version(void);

/**
 * hak_malloc() - Allocate a block.
 * @size: bytes wanted
 *
 * The content is unspecified. C23 7.24.3.6, malloc(3).
 *
 * Return: the block, or NULL with errno set.
 */
void *hak_malloc(size_t size) HAKMEM_BLOCK HAKMEM_SIZE(1);

/**
 * hak_free() - Free a block.
 * @ptr: a block of any function here, or NULL, which does nothing
 *
 * Keeps errno. C23 7.24.3.3, POSIX.1-2024, free(3).
 */
void hak_free(void *ptr);

/**
 * hak_calloc() - Allocate an array that reads as zero.
 * @count: elements
 * @size: bytes of one element
 *
 * A product that overflows is ENOMEM. C23 7.24.3.2, calloc(3).
 *
 * Return: the block, or NULL with errno set.
 */
void *hak_calloc(size_t count, size_t size) HAKMEM_BLOCK HAKMEM_PRODUCT(1, 2);

/**
 * hak_realloc() - Change the size of a block.
 * @ptr: a block, or NULL, which makes this hak_malloc()
 * @size: bytes wanted; 0 frees the block, as in glibc
 *
 * The content stays up to the lesser of both sizes. The alignment that the
 * block was allocated with is not kept beyond 16 bytes. When this fails, the
 * block is untouched and still the caller's. C23 7.24.3.7, realloc(3).
 *
 * Return: the block, perhaps at another address; NULL with errno set on
 * failure, NULL with errno kept if a block was freed.
 */
void *hak_realloc(void *ptr, size_t size) HAKMEM_USE_RESULT HAKMEM_SIZE(2);

/**
 * hak_reallocarray() - Change the size of an array.
 * @ptr: a block, or NULL
 * @count: elements wanted
 * @size: bytes of one element
 *
 * hak_realloc() of the product; one that overflows is ENOMEM, and the block is
 * untouched. POSIX.1-2024, reallocarray(3).
 *
 * Return: as hak_realloc().
 */
void *hak_reallocarray(void *ptr, size_t count, size_t size)
	HAKMEM_USE_RESULT HAKMEM_PRODUCT(2, 3);

/**
 * hak_aligned_alloc() - Allocate with an alignment.
 * @alignment: a power of two; anything else is EINVAL
 * @size: bytes wanted; need not be a multiple of @alignment
 *
 * C23 7.24.3.1, aligned_alloc(3).
 *
 * Return: a block whose address is a multiple of @alignment, or NULL with
 * errno set.
 */
void *hak_aligned_alloc(size_t alignment, size_t size)
	HAKMEM_BLOCK HAKMEM_ALIGNMENT(1) HAKMEM_SIZE(2);

/**
 * hak_posix_memalign() - Allocate with an alignment, errors by return value.
 * @memptr: where to store the block; not NULL; untouched on failure
 * @alignment: a power of two and a multiple of sizeof(void *)
 * @size: bytes wanted
 *
 * Keeps errno in any case. POSIX.1-2024, posix_memalign(3).
 *
 * Return: 0, EINVAL for a bad alignment, or ENOMEM.
 */
int hak_posix_memalign(void **memptr, size_t alignment, size_t size)
	HAKMEM_USE_RESULT;

/**
 * hak_memalign() - Allocate with an alignment, the old way.
 * @alignment: rounded up to a power of two, as in glibc; EINVAL if there is
 *	none that a size_t can hold
 * @size: bytes wanted
 *
 * memalign(3); other programs are better served by hak_aligned_alloc().
 *
 * Return: a block whose address is a multiple of @alignment as rounded, or
 * NULL with errno set.
 */
void *hak_memalign(size_t alignment, size_t size)
	HAKMEM_BLOCK HAKMEM_SIZE(2);

/**
 * hak_valloc() - Allocate at the start of a page.
 * @size: bytes wanted
 *
 * valloc(3).
 *
 * Return: a block aligned to the page size, or NULL with errno set.
 */
void *hak_valloc(size_t size) HAKMEM_BLOCK HAKMEM_SIZE(1);

/**
 * hak_pvalloc() - Allocate whole pages.
 * @size: bytes wanted, rounded up to pages
 *
 * pvalloc(3).
 *
 * Return: a block aligned to the page size, or NULL with errno set.
 */
void *hak_pvalloc(size_t size) HAKMEM_BLOCK HAKMEM_SIZE(1);

/**
 * hak_malloc_usable_size() - Bytes that a block really has.
 * @ptr: a block, or NULL
 *
 * At least what was asked for. Bytes beyond that may be used until the block
 * is resized. Keeps errno. malloc_usable_size(3).
 *
 * Return: bytes, 0 for NULL.
 */
size_t hak_malloc_usable_size(void *ptr);

/**
 * hak_free_sized() - Free a block whose size the caller knows.
 * @ptr: a block of hak_malloc(), hak_calloc() or hak_realloc(), or NULL
 * @size: bytes that were asked for
 *
 * C23 7.24.3.4. Keeps errno. As hak_free(); @size is looked at in hardened
 * builds only, where another than that ends the program.
 */
void hak_free_sized(void *ptr, size_t size);

/**
 * hak_free_aligned_sized() - Free an aligned block whose size is known.
 * @ptr: a block of hak_aligned_alloc(), or NULL
 * @alignment: that was asked for
 * @size: bytes that were asked for
 *
 * C23 7.24.3.5. Keeps errno. As hak_free_sized(): @alignment is not looked at.
 */
void hak_free_aligned_sized(void *ptr, size_t alignment, size_t size);

/**
 * hak_malloc_trim() - Give memory that is kept for reuse back to the system.
 * @pad: ignored; there is no top of a heap to keep bytes at
 *
 * Frees what waits in this thread's cache, in the caches of threads that have
 * ended, and in the shared ones; other threads keep theirs. malloc_trim(3).
 *
 * Return: 1 if memory was given back, else 0.
 */
int hak_malloc_trim(size_t pad);

/**
 * hak_malloc_stats() - Print a table of what each tier holds.
 *
 * To standard error, without stdio; prints nothing if HAKMEM was configured
 * without statistics. malloc_stats(3). Setting HAKMEM_STATS=1 in the
 * environment prints the same when the process exits.
 */
void hak_malloc_stats(void);

/**
 * hak_ace_stats() - Print what the adaptive caches have decided.
 *
 * To standard error, without stdio: for each size class in use how often
 * threads left their magazines in the last interval, and how deep magazines,
 * refills and depots were at first and are now. Only in libraries with
 * CONFIG_HAKMEM_ACE.
 */
void hak_ace_stats(void);

/**
 * hak_malloc_info() - Write what each size class holds, as XML.
 * @options: 0
 * @stream: where to; not NULL
 *
 * malloc_info(3), whose elements are glibc's own business; here they are
 * <class> for a size class and <total> and <system> as in glibc.
 *
 * Return: 0, or -1 with errno set: EINVAL if @options is not 0, or what the
 * stream set.
 */
int hak_malloc_info(int options, FILE *stream);

/**
 * struct hak_mallinfo2 - what the allocator holds
 * @arena: bytes of address space that blocks share
 * @ordblks: free pieces of 64 KiB of that
 * @smblks: free blocks that wait in caches of threads
 * @hblks: blocks with a mapping of their own
 * @hblkhd: bytes of those
 * @usmblks: 0
 * @fsmblks: bytes of the @smblks blocks
 * @uordblks: bytes of @arena that the program uses
 * @fordblks: bytes of @arena that are free
 * @keepcost: bytes of memory that hak_malloc_trim() could give back at least
 *
 * Member for member glibc's struct mallinfo2.
 */
struct hak_mallinfo2 {
	size_t arena;
	size_t ordblks;
	size_t smblks;
	size_t hblks;
	size_t hblkhd;
	size_t usmblks;
	size_t fsmblks;
	size_t uordblks;
	size_t fordblks;
	size_t keepcost;
};

/**
 * hak_mallinfo2() - Sum up what the allocator holds.
 *
 * A snapshot: not exact while other threads allocate. mallinfo2(3).
 *
 * Return: the sums.
 */
struct hak_mallinfo2 hak_mallinfo2(void);

/**
 * hak_mallopt() - Accept a tuning parameter of glibc's.
 * @param: one of the M_ constants of <malloc.h>
 * @value: ignored
 *
 * HAKMEM is tuned when it is configured. Parameters that are hints about
 * speed, memory or checks are accepted and have no effect: M_MXFAST,
 * M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_CHECK_ACTION,
 * M_ARENA_TEST, M_ARENA_MAX. M_PERTURB promises a content of blocks, so it is
 * refused. Safe in a signal handler. mallopt(3).
 *
 * Return: 1 if accepted, 0 for any other @param.
 */
int hak_mallopt(int param, int value);

#ifdef __cplusplus
}
#endif

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif /* HAKMEM_H */
