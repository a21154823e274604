/* SPDX-License-Identifier: MIT */
/*
 * C++'s replaceable operators as C sees them, and what they use of a C++
 * library, which may be absent.
 *
 * The symbols are those of the Itanium C++ ABI, which all compilers for Linux
 * follow: _Znw and _Zna are operator new and new[], _Zdl and _Zda the deletes;
 * the parameters come after.
 */
#ifndef HAKMEM_MM_CXX_H
#define HAKMEM_MM_CXX_H

#include <stddef.h>

#include "lib/compiler.h"
#include "mm/block.h"

#ifdef __LP64__
#define CXX_SIZE	"m"
#else
#define CXX_SIZE	"j"
#endif
#define CXX_ALIGN	"St11align_val_t"
#define CXX_NOTHROW	"RKSt9nothrow_t"

/* Weak: a program that is linked statically may have its own. */
#define CXX_OPERATOR(symbol) \
	__asm__(symbol) __export __attribute__((__weak__))
#define CXX_LIBRARY(symbol)	__asm__(symbol) __attribute__((__weak__))

struct nothrow;			/* std::nothrow_t: an empty tag */

void *new_throwing(size_t size) CXX_OPERATOR("_Znw" CXX_SIZE);
void *new_nothrow(size_t size, const struct nothrow *tag)
	CXX_OPERATOR("_Znw" CXX_SIZE CXX_NOTHROW);
void *new_aligned(size_t size, size_t align)
	CXX_OPERATOR("_Znw" CXX_SIZE CXX_ALIGN);
void *new_aligned_nothrow(size_t size, size_t align, const struct nothrow *tag)
	CXX_OPERATOR("_Znw" CXX_SIZE CXX_ALIGN CXX_NOTHROW);

void *new_array(size_t size) CXX_OPERATOR("_Zna" CXX_SIZE);
void *new_array_nothrow(size_t size, const struct nothrow *tag)
	CXX_OPERATOR("_Zna" CXX_SIZE CXX_NOTHROW);
void *new_array_aligned(size_t size, size_t align)
	CXX_OPERATOR("_Zna" CXX_SIZE CXX_ALIGN);
void *new_array_aligned_nothrow(size_t size, size_t align,
				const struct nothrow *tag)
	CXX_OPERATOR("_Zna" CXX_SIZE CXX_ALIGN CXX_NOTHROW);

void delete(void *ptr) CXX_OPERATOR("_ZdlPv");
void delete_nothrow(void *ptr, const struct nothrow *tag)
	CXX_OPERATOR("_ZdlPv" CXX_NOTHROW);
void delete_sized(void *ptr, size_t size) CXX_OPERATOR("_ZdlPv" CXX_SIZE);
void delete_aligned(void *ptr, size_t align)
	CXX_OPERATOR("_ZdlPv" CXX_ALIGN);
void delete_aligned_nothrow(void *ptr, size_t align,
			    const struct nothrow *tag)
	CXX_OPERATOR("_ZdlPv" CXX_ALIGN CXX_NOTHROW);
void delete_sized_aligned(void *ptr, size_t size, size_t align)
	CXX_OPERATOR("_ZdlPv" CXX_SIZE CXX_ALIGN);

void delete_array(void *ptr) CXX_OPERATOR("_ZdaPv");
void delete_array_nothrow(void *ptr, const struct nothrow *tag)
	CXX_OPERATOR("_ZdaPv" CXX_NOTHROW);
void delete_array_sized(void *ptr, size_t size)
	CXX_OPERATOR("_ZdaPv" CXX_SIZE);
void delete_array_aligned(void *ptr, size_t align)
	CXX_OPERATOR("_ZdaPv" CXX_ALIGN);
void delete_array_aligned_nothrow(void *ptr, size_t align,
				  const struct nothrow *tag)
	CXX_OPERATOR("_ZdaPv" CXX_ALIGN CXX_NOTHROW);
void delete_array_sized_aligned(void *ptr, size_t size, size_t align)
	CXX_OPERATOR("_ZdaPv" CXX_SIZE CXX_ALIGN);

/* The nothrow forms' own way. Return: NULL without memory. */
void *new_or_null(size_t size, size_t align, enum block_kind kind) __hidden;

/* As the plain operators, with a note of the kind. */
void *new_or_throw(size_t size, size_t align, enum block_kind kind) __hidden;

#define CXX_ALIAS(name, symbol) \
	extern __typeof__(name) name __attribute__((__alias__(symbol)))

/* Ours, whatever the program has by these names. */
void *own_new(size_t size) __hidden;
void *own_new_aligned(size_t size, size_t align) __hidden;
void *own_new_array(size_t size) __hidden;
void *own_new_array_aligned(size_t size, size_t align) __hidden;
void own_delete(void *ptr) __hidden;
void own_delete_aligned(void *ptr, size_t align) __hidden;
void own_delete_array(void *ptr) __hidden;
void own_delete_array_aligned(void *ptr, size_t align) __hidden;

/* The compiler takes two names for two functions. */
static inline bool is_same(const void *function, const void *own)
{
	__asm__("" : "+r"(function));
	return function == own;
}

/*
 * In the hardened build, which tells the forms apart: no detour by the plain
 * operators, unless they are the program's own.
 */
static inline bool cxx_goes_straight(const void *function, const void *own)
{
	return blocks_are_hardened() && is_same(function, own);
}

/* std::get_new_handler() and std::__throw_bad_alloc() */
typedef void (*new_handler)(void);
#define SYMBOL_GET_NEW_HANDLER	"_ZSt15get_new_handlerv"
#define SYMBOL_THROW_BAD_ALLOC	"_ZSt17__throw_bad_allocv"
extern new_handler cxx_get_new_handler(void)
	CXX_LIBRARY(SYMBOL_GET_NEW_HANDLER);
extern void cxx_throw_bad_alloc(void) CXX_LIBRARY(SYMBOL_THROW_BAD_ALLOC);

/* The parts of a throw, as the compiler uses them. */
extern void *cxx_allocate_exception(size_t size)
	CXX_LIBRARY("__cxa_allocate_exception");
extern void cxx_throw(void *exception, const void *type,
		      void (*destructor)(void *)) CXX_LIBRARY("__cxa_throw");

/*
 * Data of the library: tables of pointers. In a virtual table two pointers
 * come before the one that objects point at.
 */
#define VTABLE_HEADER	2
extern const void *const cxx_exception_type[]
	CXX_LIBRARY("_ZTISt9exception");
extern const void *const cxx_bad_alloc_type[]
	CXX_LIBRARY("_ZTISt9bad_alloc");
extern const void *const cxx_bad_alloc_vtable[]
	CXX_LIBRARY("_ZTVSt9bad_alloc");
extern const void *const cxx_class_type_vtable[]
	CXX_LIBRARY("_ZTVN10__cxxabiv120__si_class_type_infoE");

/*
 * Finds a symbol of the library where a program in C has loaded it after us,
 * and keeps it loaded from then on. Only in the shared library: a static
 * program that names dlopen() is warned of it by the linker.
 */
#if defined(__PIC__) && !defined(__PIE__)

#include <dlfcn.h>

/* glibc before 2.34 has them in a library that need not be there. */
#pragma weak dlopen
#pragma weak dlsym

static inline void *cxx_library_symbol(const char *symbol)
{
	void *library;

	if (!dlopen || !dlsym)
		return NULL;
	library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
	return library ? dlsym(library, symbol) : NULL;
}

#else /* __PIC__ && !__PIE__ */

static inline void *cxx_library_symbol(const char *symbol)
{
	(void)symbol;
	return NULL;
}

#endif /* __PIC__ && !__PIE__ */

#endif /* HAKMEM_MM_CXX_H */
