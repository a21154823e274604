// SPDX-License-Identifier: MIT
/*
 * The shared library run as a program: it prints what it was built from.
 *
 * The kernel sees an interpreter and starts it; that one relocates the library
 * and jumps to its entry point, where there is no caller to return to. Nothing
 * is allocated, so a broken allocator can still be asked what it is.
 */
#include <unistd.h>

#include "lib/arch.h"
#include "lib/print.h"
#include "mm/build.h"

static const char interpreter[] __attribute__((__section__(".interp")))
	__retained = DYNAMIC_LINKER;

void __attribute__((__noreturn__)) ARCH_ENTRY __hidden library_entry(void);

void library_entry(void)
{
	write_all(STDOUT_FILENO, build_text + 1, build_text_size - 1);
	_exit(0);
}
