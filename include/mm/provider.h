/* SPDX-License-Identifier: MIT */
/*
 * What a C library wants of its malloc, in musl's names.
 *
 * musl itself has malloc(), free() and the others in terms of these, so that a
 * program may still bring a malloc of its own. The last two are of the scheme
 * by which a musl is built with an external object; a library that has them
 * not calls them not.
 */
#ifndef HAKMEM_MM_PROVIDER_H
#define HAKMEM_MM_PROVIDER_H

#include <stddef.h>

#include "lib/compiler.h"

void *__libc_malloc_impl(size_t size) __hidden;
void *__libc_calloc(size_t n, size_t size) __hidden;
void *__libc_realloc(void *ptr, size_t size) __hidden;
void __libc_free(void *ptr) __hidden;

void *aligned_alloc(size_t alignment, size_t size) __export;
size_t malloc_usable_size(void *ptr) __export;

/* Of the loader: memory that it does not need. */
void __malloc_donate(char *start, char *end) __hidden;

/* Around fork(), under all other locks: -1 before, 0 parent, 1 child. */
void __malloc_atfork(int who) __hidden;

/* Of the first thread, at the start; of a thread that ends, behind its keys. */
void __malloc_init(void *thread) __hidden;
void __malloc_tls_teardown(void *thread) __hidden;

/* Whether the program has these functions of its own; the library's. */
extern int __malloc_replaced __hidden __attribute__((__weak__));
extern int __aligned_alloc_replaced __hidden __attribute__((__weak__));

#endif /* HAKMEM_MM_PROVIDER_H */
