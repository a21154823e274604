/* SPDX-License-Identifier: MIT */
/*
 * What the allocator says on standard error, and how it ends the program.
 *
 * One line, written by one system call, with no allocation and no lock.
 */
#ifndef HAKMEM_MM_REPORT_H
#define HAKMEM_MM_REPORT_H

#include <stddef.h>

#include "lib/compiler.h"

/* What can be wrong with a pointer, as the report says it. */
#define FAULT_FOREIGN	fault_foreign	/* one address, to be told by it */
#define FAULT_FOREIGN_TEXT	"not allocated by hakmem"
#define FAULT_INTERIOR	"not the start of an object"
#define FAULT_FREE	"double free"

extern const char fault_foreign[] __hidden;

/* Room for what is said about a foreign pointer. */
#define OWNER_SIZE	512

/**
 * report_bad_pointer() - End the program over a pointer it passed.
 * @function: of the interface, without parentheses
 * @addr: the pointer
 * @fault: one of FAULT_*
 *
 * Writes "hakmem: FUNCTION(): FAULT: ADDR" and, of a foreign pointer, where
 * that lies, and aborts. No lock of ours may be held.
 */
void __attribute__((noreturn)) __cold
report_bad_pointer(const char *function, const void *addr, const char *fault);

/* Of these, how many had an address of which the registry says @class. */
unsigned int report_bad_pointers(unsigned int class);

/* What else the program has to say before it ends over a pointer, or NULL. */
extern void (*report_last_words)(void) __hidden;

/* An inner invariant does not hold: the same, naming the place. */
void __attribute__((noreturn)) __cold
report_broken(const char *file, int line, const char *what);

/**
 * report_out_of_memory() - Say that a request found no memory.
 * @size: bytes asked for
 * @tier: the last owner that was asked
 * @resource: what it could not get
 *
 * Only the first three calls of a process write anything.
 */
void __cold report_out_of_memory(size_t size, const char *tier,
				 const char *resource);

/* Write "hakmem: WHAT" and abort. */
void __attribute__((noreturn)) __cold report_fatal(const char *what);

/* A line "hakmem: ..." on standard error. */
void __cold report_line(const char *fmt, ...) __printf(1, 2);

/* Checked in builds with CONFIG_HAKMEM_DEBUG_ASSERT only. */
#define hak_assert(condition) do {					\
	if (IS_ENABLED(CONFIG_HAKMEM_DEBUG_ASSERT) && !(condition))	\
		report_broken(__FILE__, __LINE__, #condition);		\
} while (0)

#endif /* HAKMEM_MM_REPORT_H */
