// SPDX-License-Identifier: MIT
/*
 * Reports: see include/mm/report.h.
 */
#include "mm/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/print.h"
#include "mm/foreign.h"
#include "mm/registry.h"

#define LINE_SIZE		(OWNER_SIZE + 128)
#define OUT_OF_MEMORY_LINES	3

const char fault_foreign[] = FAULT_FOREIGN_TEXT;

void (*report_last_words)(void);

static unsigned int bad_pointers[NR_REGISTRY_CLASSES];

static void __printf(1, 0) vreport(const char *fmt, va_list args)
{
	char line[LINE_SIZE];
	size_t used;

	used = format_buffer(line, sizeof(line) - 1, "hakmem: ");
	used += vformat_buffer(line + used, sizeof(line) - 1 - used, fmt,
			       args);
	line[used++] = '\n';
	write_all(STDERR_FILENO, line, used);
}

void report_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vreport(fmt, args);
	va_end(args);
}

void report_fatal(const char *what)
{
	report_line("%s", what);
	abort();
}

void report_bad_pointer(const char *function, const void *addr,
			const char *fault)
{
	char owner[OWNER_SIZE] = "";

	__atomic_fetch_add(&bad_pointers[registry_class(addr)], 1,
			   __ATOMIC_RELAXED);
	if (fault == FAULT_FOREIGN)
		foreign_owner(owner, sizeof(owner), addr);
	report_line("%s(): %s: %p%s", function, fault, addr, owner);
	if (report_last_words)
		report_last_words();
	abort();
}

unsigned int report_bad_pointers(unsigned int class)
{
	return READ_ONCE(bad_pointers[class]);
}

void report_broken(const char *file, int line, const char *what)
{
	report_line("%s:%d: broken invariant: %s", file, line, what);
	abort();
}

void report_out_of_memory(size_t size, const char *tier, const char *resource)
{
	static unsigned int lines;

	if (__atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED) >=
	    OUT_OF_MEMORY_LINES)
		return;
	report_line("out of memory: %zu bytes: tier %s got no %s", size, tier,
		    resource);
}
