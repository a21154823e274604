// SPDX-License-Identifier: MIT
/*
 * Frees one pointer that is no block's, which should be the last thing it does.
 *
 *	bad_free KIND,SIZE
 *
 * with a live block of so many bytes. Says on stdout which pointer it is.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program.h"

static char in_data[64] __attribute__((aligned(16)));

static char *map(int protection)
{
	char *p = mmap(NULL, 4 * MIB, protection, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static char *unmapped(void)
{
	char *p = map(PROT_NONE);

	munmap(p, 4 * MIB);
	return p + 2 * MIB;
}

/* Return: the pointer that a kind of error frees, beside block @p. */
static char *choose(const char *kind, char *p, size_t size, char *on_stack)
{
	if (!strcmp(kind, "interior"))
		return p + (size > 32 ? size / 2 & ~(size_t)15 : size / 2);
	if (!strcmp(kind, "misaligned"))
		return p + 1;
	if (!strcmp(kind, "end"))
		return p + size - 1;
	if (!strcmp(kind, "stack"))
		return on_stack;
	if (!strcmp(kind, "data"))
		return in_data;
	if (!strcmp(kind, "code"))
		return (char *)(uintptr_t)choose;
	if (!strcmp(kind, "far"))
		return p + 16 * GIB;
	if (!strcmp(kind, "wild"))
		return (char *)0x5a5a5a5a5a5a5a50;
	if (!strcmp(kind, "low"))
		return (char *)16;
	if (!strcmp(kind, "foreign"))
		return map(PROT_READ | PROT_WRITE) + 2 * MIB;
	if (!strcmp(kind, "protected"))
		return map(PROT_NONE) + MIB;
	CHECK(!strcmp(kind, "closed"));
	return unmapped();
}

int main(int argc, char **argv)
{
	char on_stack[64] __attribute__((aligned(16)));
	char *comma, *p, *volatile bad;
	size_t size;

	need_hakmem();
	CHECK(argc == 2);
	comma = strchr(argv[1], ',');
	CHECK(comma);
	*comma = '\0';
	size = strtoul(comma + 1, NULL, 10);
	p = malloc(size);
	CHECK(p);
	memset(p, 1, size);
	memset(on_stack, 2, sizeof(on_stack));
	bad = choose(argv[1], p, size, on_stack);
	printf("%p\n", (void *)bad);
	fflush(stdout);
	free(bad);
	CHECK(!memchr(p, 2, size) && on_stack[0] == 2);
	return 0;
}
