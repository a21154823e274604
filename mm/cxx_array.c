// SPDX-License-Identifier: MIT
/*
 * The array forms of operator new and delete. As C++ has it, they call the
 * plain ones, which may be the program's own: see mm/cxx.c for ours.
 */
#include "mm/cxx.h"

void *new_array(size_t size)
{
	if (cxx_goes_straight(new_throwing, own_new))
		return new_or_throw(size, OBJECT_ALIGN, BLOCK_NEW_ARRAY);
	return new_throwing(size);
}

void *new_array_aligned(size_t size, size_t align)
{
	if (cxx_goes_straight(new_aligned, own_new_aligned))
		return new_or_throw(size, align, BLOCK_NEW_ARRAY);
	return new_aligned(size, align);
}

void delete_array(void *ptr)
{
	if (cxx_goes_straight(delete, own_delete))
		block_free(ptr, BLOCK_NEW_ARRAY);
	else
		delete(ptr);
}

void delete_array_aligned(void *ptr, size_t align)
{
	if (cxx_goes_straight(delete_aligned, own_delete_aligned))
		block_free(ptr, BLOCK_NEW_ARRAY);
	else
		delete_aligned(ptr, align);
}

CXX_ALIAS(own_new_array, "_Zna" CXX_SIZE);
CXX_ALIAS(own_new_array_aligned, "_Zna" CXX_SIZE CXX_ALIGN);
CXX_ALIAS(own_delete_array, "_ZdaPv");
CXX_ALIAS(own_delete_array_aligned, "_ZdaPv" CXX_ALIGN);
