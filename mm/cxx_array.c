// SPDX-License-Identifier: MIT
/*
 * The array forms of operator new and delete. As C++ has it, they call the
 * plain ones, which may be the program's own: see mm/cxx.c for ours.
 */
#include "mm/cxx.h"

void *new_array(size_t size)
{
	return new_throwing(size);
}

void *new_array_aligned(size_t size, size_t align)
{
	return new_aligned(size, align);
}

void delete_array(void *ptr)
{
	delete(ptr);
}

void delete_array_aligned(void *ptr, size_t align)
{
	delete_aligned(ptr, align);
}

CXX_ALIAS(own_new_array, "_Zna" CXX_SIZE);
CXX_ALIAS(own_new_array_aligned, "_Zna" CXX_SIZE CXX_ALIGN);
