// SPDX-License-Identifier: MIT
/*
 * Formatting without stdio, allocation or locale.
 */
#include "lib/print.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/arch.h"

/* Enough for a 64-bit number in decimal or hexadecimal. */
#define NUMBER_DIGITS	20

struct output {
	char *buf;
	size_t size;		/* bytes at buf, with room for the terminator */
	size_t used;
};

struct conversion {
	unsigned int width;
	bool left;		/* pad behind, not before */
	unsigned int longs;	/* l, ll or z: argument is that wide */
};

static void put_char(struct output *out, char c)
{
	if (out->used + 1 < out->size)
		out->buf[out->used++] = c;
}

static void put_padded(struct output *out, const struct conversion *conv,
		       const char *text, size_t len)
{
	size_t pad = conv->width > len ? conv->width - len : 0;
	size_t i;

	for (i = 0; i < pad && !conv->left; i++)
		put_char(out, ' ');
	for (i = 0; i < len; i++)
		put_char(out, text[i]);
	for (i = 0; i < pad && conv->left; i++)
		put_char(out, ' ');
}

static void put_string(struct output *out, const struct conversion *conv,
		       const char *text)
{
	size_t len = 0;

	if (!text)
		text = "(null)";
	while (text[len])
		len++;
	put_padded(out, conv, text, len);
}

static void put_number(struct output *out, const struct conversion *conv,
		       uint64_t value, unsigned int base, const char *prefix)
{
	char text[NUMBER_DIGITS + 3];
	char *digit = text + sizeof(text);
	size_t len = 0;

	do {
		*--digit = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (prefix[len])
		len++;
	while (len)
		*--digit = prefix[--len];
	put_padded(out, conv, digit, (size_t)(text + sizeof(text) - digit));
}

static const char *parse_conversion(const char *fmt, struct conversion *conv)
{
	*conv = (struct conversion){ 0 };
	if (*fmt == '-') {
		conv->left = true;
		fmt++;
	}
	while (*fmt >= '0' && *fmt <= '9')
		conv->width = conv->width * 10 + (unsigned int)(*fmt++ - '0');
	while (*fmt == 'l' || *fmt == 'z') {
		conv->longs++;
		fmt++;
	}
	return fmt;
}

static void put_signed(struct output *out, const struct conversion *conv,
		       int64_t value)
{
	if (value < 0)
		put_number(out, conv, -(uint64_t)value, 10, "-");
	else
		put_number(out, conv, (uint64_t)value, 10, "");
}

/* struct so that the callee's va_arg() advances the caller's list. */
struct arguments {
	va_list list;
};

static uint64_t unsigned_argument(struct arguments *args, unsigned int longs)
{
	if (longs > 1)
		return va_arg(args->list, unsigned long long);
	if (longs)
		return va_arg(args->list, unsigned long);
	return va_arg(args->list, unsigned int);
}

static int64_t signed_argument(struct arguments *args, unsigned int longs)
{
	if (longs > 1)
		return va_arg(args->list, long long);
	if (longs)
		return va_arg(args->list, long);
	return va_arg(args->list, int);
}

static void put_conversion(struct output *out, const struct conversion *conv,
			   char type, struct arguments *args)
{
	char c;

	switch (type) {
	case 'c':
		c = (char)va_arg(args->list, int);
		put_padded(out, conv, &c, 1);
		break;
	case 's':
		put_string(out, conv, va_arg(args->list, const char *));
		break;
	case 'd':
		put_signed(out, conv, signed_argument(args, conv->longs));
		break;
	case 'u':
		put_number(out, conv, unsigned_argument(args, conv->longs), 10,
			   "");
		break;
	case 'x':
		put_number(out, conv, unsigned_argument(args, conv->longs), 16,
			   "");
		break;
	case 'p':
		put_number(out, conv, (uintptr_t)va_arg(args->list, void *),
			   16, "0x");
		break;
	default:
		put_char(out, type);
		break;
	}
}

size_t vformat_buffer(char *buf, size_t size, const char *fmt, va_list list)
{
	struct output out = { .buf = buf, .size = size };
	struct conversion conv;
	struct arguments args;

	if (!size)
		return 0;
	va_copy(args.list, list);
	while (*fmt) {
		if (*fmt != '%') {
			put_char(&out, *fmt++);
			continue;
		}
		fmt = parse_conversion(fmt + 1, &conv);
		if (!*fmt)
			break;
		put_conversion(&out, &conv, *fmt++, &args);
	}
	va_end(args.list);
	buf[out.used] = '\0';
	return out.used;
}

size_t format_buffer(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t used;

	va_start(args, fmt);
	used = vformat_buffer(buf, size, fmt, args);
	va_end(args);
	return used;
}

/* Or is it a pipe that nobody reads, to write to which ends the program? */
static bool has_reader(int fd)
{
	struct pollfd poll = { .fd = fd, .events = POLLOUT };
	uint64_t at_once[2] = { 0 };	/* as the kernel has a time */

	syscall(SYS_PPOLL_NATIVE, &poll, 1, at_once, NULL, 0);
	return !(poll.revents & (POLLERR | POLLHUP));
}

void write_all(int fd, const char *data, size_t size)
{
	int saved = errno;
	ssize_t done;

	/* System calls: libc's functions are cancellation points. */
	while (size && has_reader(fd)) {
		done = syscall(SYS_write, fd, data, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		data += done;
		size -= (size_t)done;
	}
	errno = saved;
}
