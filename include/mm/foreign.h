/* SPDX-License-Identifier: MIT */
/*
 * Pointers of other allocators: whose they are, and what to do with them.
 *
 * A program ends over such a pointer, unless HAKMEM_FOREIGN says otherwise:
 * with "ignore" it is left alone, with "forward" it goes to the next allocator
 * in the order of linking, which is libc's where there is no other. The first
 * three of a process write a line. What lies in memory of ours, or in none, is
 * nobody else's, and ends the program as ever.
 */
#ifndef HAKMEM_MM_FOREIGN_H
#define HAKMEM_MM_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/compiler.h"

#ifdef CONFIG_HAKMEM_FOREIGN

/* Read the knob. */
void __cold foreign_init(void);

/**
 * foreign_passes() - Does the program go on with a pointer that is not ours?
 * @function: of the interface, for the line
 * @ptr: the pointer
 * @fault: what is wrong with it
 */
bool __cold foreign_passes(const char *function, const void *ptr,
			   const char *fault);

/* The functions for pointers that pass. */
void __cold foreign_free(void *ptr);
size_t __cold foreign_usable(void *ptr);

/* Return: NULL with ENOMEM, and the block unchanged, when it is ignored. */
void __cold *foreign_realloc(void *ptr, size_t size);

/**
 * foreign_owner() - Say in whose memory a pointer lies.
 * @text: out: " in ...", terminated
 * @size: bytes at @text
 * @ptr: any pointer
 *
 * Neither allocates nor takes a lock of ours.
 */
void __cold foreign_owner(char *text, size_t size, const void *ptr);

#else /* CONFIG_HAKMEM_FOREIGN */

static inline void foreign_init(void)
{
}

static inline bool foreign_passes(const char *function, const void *ptr,
				  const char *fault)
{
	(void)function;
	(void)ptr;
	(void)fault;
	return false;
}

static inline void foreign_free(void *ptr)
{
	(void)ptr;
}

static inline size_t foreign_usable(void *ptr)
{
	(void)ptr;
	return 0;
}

static inline void *foreign_realloc(void *ptr, size_t size)
{
	(void)ptr;
	(void)size;
	return NULL;
}

static inline void foreign_owner(char *text, size_t size, const void *ptr)
{
	(void)size;
	(void)ptr;
	text[0] = '\0';
}

#endif /* CONFIG_HAKMEM_FOREIGN */

#endif /* HAKMEM_MM_FOREIGN_H */
