// SPDX-License-Identifier: MIT
/*
 * Whose memory is this? The kernel knows the mapping, the dynamic loader the
 * library that has another malloc.
 */
#include "mm/foreign.h"

#include <stdint.h>

#include "lib/file.h"
#include "lib/print.h"
#include "mm/next.h"
#include "mm/registry.h"
#include "mm/report.h"

#pragma weak dladdr

/* Of the fields of a line of maps, the name comes behind these. */
#define FIELDS_BEFORE_NAME	4	/* mode, offset, device, inode */

#define CHUNK_SIZE		1024

struct reader {
	int fd;
	size_t at;
	size_t used;
	char chunk[CHUNK_SIZE];
};

/**
 * struct place - the mapping around an address
 * @start: of it
 * @end: behind it
 * @name: a file, [heap], or empty
 */
struct place {
	uintptr_t start;
	uintptr_t end;
	char name[OWNER_SIZE / 2];
};

/* Return: the next character, 0 at the end. */
static char next_char(struct reader *reader)
{
	if (reader->at == reader->used) {
		reader->at = 0;
		reader->used = file_read(reader->fd, reader->chunk,
					 sizeof(reader->chunk));
		if (!reader->used)
			return '\0';
	}
	return reader->chunk[reader->at++];
}

/* Reads the character behind the number as well. */
static uintptr_t next_hex(struct reader *reader)
{
	uintptr_t number = 0;
	char c;

	for (;;) {
		c = next_char(reader);
		if (c >= '0' && c <= '9')
			number = number * 16 + (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number * 16 + (uintptr_t)(c - 'a' + 10);
		else
			return number;
	}
}

/* The rest of a line, from behind the addresses on. */
static void next_name(struct reader *reader, char *name, size_t size)
{
	unsigned int fields = 0;
	size_t used = 0;
	char last = ' ';
	char c;

	for (c = next_char(reader); c && c != '\n'; c = next_char(reader)) {
		if (fields < FIELDS_BEFORE_NAME)
			fields += c == ' ' && last != ' ';
		else if ((used || c != ' ') && used < size - 1)
			name[used++] = c;
		last = c;
	}
	name[used] = '\0';
}

/* Return: whether the address is mapped; true without a name if unknown. */
static bool find_place(uintptr_t addr, struct place *place)
{
	struct reader reader = { .at = 0 };
	bool found = false;

	*place = (struct place){ 0 };
	reader.fd = file_open("/proc/self/maps");
	if (reader.fd < 0)
		return true;
	do {
		place->start = next_hex(&reader);
		place->end = next_hex(&reader);
		next_name(&reader, place->name, sizeof(place->name));
		found = addr >= place->start && addr < place->end;
	} while (!found && place->end);
	file_close(reader.fd);
	return found;
}

/* Return: the file that has a symbol, NULL if it is ours or unknown. */
static const char *file_of(void *symbol)
{
	Dl_info info, own;

	if (!symbol || !dladdr || !dladdr(symbol, &info) ||
	    !dladdr(&registry, &own) || info.dli_fbase == own.dli_fbase)
		return NULL;
	return info.dli_fname;
}

/* The program's own, which comes before us, or the one behind us. */
static const char *other_malloc(void)
{
	const char *file;

	if (!dlsym)
		return NULL;
	file = file_of(dlsym(RTLD_DEFAULT, "malloc"));
	return file ? file : file_of(next_symbol("malloc"));
}

static bool is_own_stack(const struct place *place)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

	return frame >= place->start && frame < place->end;
}

void foreign_owner(char *text, size_t size, const void *ptr)
{
	const char *name, *malloc_file = NULL;
	struct place place;
	Dl_info info;

	text[0] = '\0';
	if (registry_superslab(ptr)) {
		format_buffer(text, size, " in hakmem's memory");
		return;
	}
	if (!find_place((uintptr_t)ptr, &place)) {
		format_buffer(text, size, " in no mapping");
		return;
	}
	name = place.name;
	if (!*name && dladdr && dladdr(ptr, &info))
		name = info.dli_fname;	/* its data without a file */
	if (is_own_stack(&place))
		name = "this thread's stack";
	else if (!*name || *name == '[')
		malloc_file = other_malloc();
	if (!*name)
		name = "a mapping without a name";
	format_buffer(text, size, malloc_file ? " in %s, maybe of malloc in %s"
					      : " in %s", name, malloc_file);
}
