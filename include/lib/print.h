/* SPDX-License-Identifier: MIT */
/*
 * Formatting without stdio, allocation or locale.
 */
#ifndef HAKMEM_LIB_PRINT_H
#define HAKMEM_LIB_PRINT_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/compiler.h"

/**
 * format_buffer() - snprintf() of a few conversions.
 * @buf: where to write, always terminated when @size is not 0
 * @size: bytes at @buf
 * @fmt: understands %%, %c, %s, %d, %u, %x, %p, the length modifiers l and z,
 *	and a decimal field width with an optional leading '-'
 * @...: the arguments
 *
 * Signal-safe, thread-safe; leaves errno alone.
 *
 * Return: bytes written without the terminator: output that does not fit is
 * cut.
 */
size_t format_buffer(char *buf, size_t size, const char *fmt, ...)
	__printf(3, 4);
size_t vformat_buffer(char *buf, size_t size, const char *fmt, va_list args)
	__printf(3, 0);

/**
 * write_all() - Write to a descriptor, through interruptions.
 * @fd: the descriptor
 * @data: what to write
 * @size: bytes at @data
 *
 * Signal-safe, thread-safe; leaves errno alone. Errors are ignored: there is
 * nobody to tell. A pipe without a reader is one, and no reason for SIGPIPE.
 */
void write_all(int fd, const char *data, size_t size);

#endif /* HAKMEM_LIB_PRINT_H */
