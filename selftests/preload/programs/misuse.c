// SPDX-License-Identifier: MIT
/*
 * Does what the argument says, and should not survive it.
 */
#include <malloc.h>

#include "program.h"

static void *volatile hidden;

/* Free an object, so many others of its size, and it once more. */
static void free_twice(int others)
{
	static void *volatile between[5000];
	void *volatile twice;
	int i;

	for (i = 0; i < others / 2; i++)
		between[i] = malloc(100);
	twice = malloc(100);
	for (; i < others; i++)
		between[i] = malloc(100);
	free(twice);
	for (i = 0; i < others; i++)
		free(between[i]);
	free(twice);
}

int main(int argc, char **argv)
{
	char on_stack[64];

	need_hakmem();
	CHECK(argc == 2);
	if (!strcmp(argv[1], "stack")) {
		hidden = on_stack;
		free(hidden);
	} else if (!strcmp(argv[1], "interior")) {
		hidden = (char *)malloc(100) + 16;
		free(hidden);
	} else if (!strcmp(argv[1], "double")) {
		hidden = malloc(100);
		free(hidden);
		free(hidden);
	} else if (!strcmp(argv[1], "double-between")) {
		free_twice(1);
	} else if (!strcmp(argv[1], "double-at-once")) {
		free_twice(50);
		_Exit(0);
	} else if (!strcmp(argv[1], "double-far")) {
		free_twice(5000);
		return finish();
	} else if (!strcmp(argv[1], "realloc")) {
		hidden = on_stack;
		hidden = realloc(hidden, 100);
	}
	malloc_trim(0);
	return finish();
}
