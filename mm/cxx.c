// SPDX-License-Identifier: MIT
/*
 * C++'s replaceable operators new and delete, in C: the plain ones, which the
 * others (mm/cxx_array.c, mm/cxx_forms.c) are made of.
 *
 * A program in C has no C++ library, so what is used of one is referenced
 * weakly. The fast paths need nothing of it. One that has found no memory
 * needs the new_handler and a way to throw:
 *
 * - std::__throw_bad_alloc(), where the program was linked with the library;
 * - the same, looked up, where a program in C under libhakmem.so has loaded
 *   the library since;
 * - in a static program that uses nothing else of the member of libstdc++.a
 *   that has it: the throw as the compiler would write it.
 *
 * Exceptions pass through the functions of this file: it is compiled with
 * -fexceptions. C cannot stop one, so what a new_handler throws passes through
 * the nothrow operators as well, where C++ would have them return NULL.
 */
#include "mm/cxx.h"

#include "mm/block.h"
#include "mm/report.h"

static new_handler current_new_handler(void)
{
	new_handler (*get)(void) = cxx_get_new_handler;

	if (!get)
		get = (new_handler (*)(void))
			cxx_library_symbol(SYMBOL_GET_NEW_HANDLER);
	return get ? get() : NULL;
}

/*
 * std::bad_alloc for programs that have no such class. None of their code can
 * name it then, so a class of the same name and base cannot be told from it.
 */
static const char *bad_alloc_what(const void *exception)
{
	(void)exception;
	return "std::bad_alloc";
}

static void bad_alloc_destroy(void *exception)
{
	(void)exception;
}

static const void *const bad_alloc_type[] = {
	&cxx_class_type_vtable[VTABLE_HEADER],
	"St9bad_alloc",
	cxx_exception_type,
};

static const void *const bad_alloc_vtable[] = {
	NULL,
	bad_alloc_type,
	bad_alloc_destroy,	/* of an object elsewhere */
	bad_alloc_destroy,	/* of an object of its own: never created */
	bad_alloc_what,
};

static void throw_by_parts(void)
{
	const void *const *vtable = bad_alloc_vtable;
	const void *type = bad_alloc_type;
	const void **exception;

	if (!cxx_allocate_exception || !cxx_throw || !cxx_exception_type ||
	    !cxx_class_type_vtable)
		return;
	if (cxx_bad_alloc_type && cxx_bad_alloc_vtable) {
		vtable = cxx_bad_alloc_vtable;
		type = cxx_bad_alloc_type;
	}
	exception = cxx_allocate_exception(sizeof(*exception));
	*exception = &vtable[VTABLE_HEADER];
	cxx_throw(exception, type, NULL);
}

static void __attribute__((__noreturn__)) __cold throw_bad_alloc(void)
{
	void (*throw)(void) = cxx_throw_bad_alloc;

	if (!throw)
		throw = (void (*)(void))
			cxx_library_symbol(SYMBOL_THROW_BAD_ALLOC);
	if (throw)
		throw();
	throw_by_parts();
	report_fatal("operator new: no memory, and no C++ library to throw "
		     "std::bad_alloc");
}

/* Let the new_handler make room, again and again, until there is none. */
static void *__cold retry(size_t size, size_t align, enum block_kind kind)
{
	new_handler handler;
	void *obj = NULL;

	while (!obj) {
		handler = current_new_handler();
		if (!handler)
			return NULL;
		handler();
		obj = block_alloc_aligned(align, size, kind);
	}
	return obj;
}

static void *__cold retry_or_throw(size_t size, size_t align,
				   enum block_kind kind)
{
	void *obj = retry(size, align, kind);

	if (!obj)
		throw_bad_alloc();
	return obj;
}

/* Without a throw of ours. */
void *new_or_null(size_t size, size_t align, enum block_kind kind)
{
	void *obj;

	if (unlikely(!is_power_of_two(align)))
		return NULL;
	obj = block_alloc_aligned(align, size, kind);
	return likely(obj) ? obj : retry(size, align, kind);
}

/* An alignment that is no power of two is undefined: none can be given. */
void *new_or_throw(size_t size, size_t align, enum block_kind kind)
{
	void *obj;

	if (unlikely(!is_power_of_two(align)))
		throw_bad_alloc();
	obj = block_alloc_aligned(align, size, kind);
	return likely(obj) ? obj : retry_or_throw(size, align, kind);
}

void *new_throwing(size_t size)
{
	void *obj = block_alloc(size, BLOCK_NEW);

	return likely(obj) ? obj : retry_or_throw(size, OBJECT_ALIGN,
						  BLOCK_NEW);
}

void *new_aligned(size_t size, size_t align)
{
	return new_or_throw(size, align, BLOCK_NEW);
}

void delete(void *ptr)
{
	block_free(ptr, BLOCK_NEW);
}

void delete_aligned(void *ptr, size_t align)
{
	(void)align;
	block_free(ptr, BLOCK_NEW);
}

CXX_ALIAS(own_new, "_Znw" CXX_SIZE);
CXX_ALIAS(own_new_aligned, "_Znw" CXX_SIZE CXX_ALIGN);
CXX_ALIAS(own_delete, "_ZdlPv");
CXX_ALIAS(own_delete_aligned, "_ZdlPv" CXX_ALIGN);
