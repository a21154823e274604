// SPDX-License-Identifier: MIT
/*
 * Does what the argument says, and should not survive it.
 */
#include <malloc.h>

#include "program.h"

static void *volatile hidden;

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
	} else if (!strcmp(argv[1], "realloc")) {
		hidden = on_stack;
		hidden = realloc(hidden, 100);
	}
	malloc_trim(0);
	return finish();
}
