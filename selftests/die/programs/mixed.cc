// SPDX-License-Identifier: MIT
/*
 * mixed KIND SIZE [good]: frees a block by a function of another family than
 * it is from, or with another size than it has, or does it right.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

static void *opaque(void *ptr)
{
	__asm__ volatile("" : "+r"(ptr) : : "memory");
	return ptr;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;

	bool good = argc > 3;
	size_t size = strtoul(argv[2], nullptr, 0);
	auto is = [argv](const char *kind) { return !strcmp(argv[1], kind); };

	if (is("new_free")) {
		void *p = opaque(operator new(size));

		good ? operator delete(p) : free(p);
	} else if (is("malloc_delete")) {
		void *p = opaque(malloc(size));

		good ? free(p) : operator delete(p);
	} else if (is("new_delete_array")) {
		void *p = opaque(operator new(size));

		good ? operator delete(p) : operator delete[](p);
	} else if (is("new_array_delete")) {
		void *p = opaque(operator new[](size));

		good ? operator delete[](p) : operator delete(p);
	} else if (is("new_realloc")) {
		void *p = opaque(good ? malloc(size) : operator new(size));

		free(opaque(realloc(p, size + 50)));
	} else if (is("sized_delete")) {
		void *p = opaque(operator new(size));

		operator delete(p, good ? size : size - 1);
	} else {
		return 1;
	}
	puts("survived");
	return 0;
}
