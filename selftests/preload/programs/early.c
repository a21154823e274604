// SPDX-License-Identifier: MIT
/*
 * Allocates before any constructor has run: in an IFUNC resolver, while the
 * dynamic loader still relocates, and in the earliest constructor.
 */
#include <unistd.h>

#include "program.h"

static char *from_resolver, *from_constructor;

static int answer_function(void)
{
	return 42;
}

static __attribute__((used)) int (*resolve_answer(void))(void)
{
	from_resolver = malloc(100);
	from_resolver[0] = 'r';
	free(malloc(3000));
	return answer_function;
}

/* Where resolvers run before the calls in them have an address, or are none. */
#ifdef NO_IFUNC
static int answer(void)
{
	return resolve_answer()();
}
#else
static int answer(void) __attribute__((ifunc("resolve_answer")));
#endif

static __attribute__((constructor(101))) void construct(void)
{
	from_constructor = malloc(100000);
	from_constructor = realloc(from_constructor, 200000);
	from_constructor[0] = 'c';
	free(calloc(10, 10));
}

int main(void)
{
	need_hakmem();
	CHECK(answer() == 42);
	CHECK(from_resolver && from_resolver[0] == 'r');
	CHECK(from_constructor && from_constructor[0] == 'c');
	CHECK(from_resolver != from_constructor);
	free(from_resolver);
	free(from_constructor);
	return finish();
}
