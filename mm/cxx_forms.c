// SPDX-License-Identifier: MIT
/*
 * The forms of operator new and delete with a tag or a size. As C++ has it,
 * they call those without, which may be the program's own.
 *
 * Ours throw nothing through the nothrow forms where they can help it, so they
 * are not called there; what a program's own throws passes through.
 */
#include "mm/cxx.h"
#include "mm/sizes.h"

void *new_nothrow(size_t size, const struct nothrow *tag)
{
	(void)tag;
	if (unlikely(!is_same(new_throwing, own_new)))
		return new_throwing(size);
	return new_or_null(size, OBJECT_ALIGN, BLOCK_NEW);
}

void *new_aligned_nothrow(size_t size, size_t align, const struct nothrow *tag)
{
	(void)tag;
	if (unlikely(!is_same(new_aligned, own_new_aligned)))
		return new_aligned(size, align);
	return new_or_null(size, align, BLOCK_NEW);
}

void *new_array_nothrow(size_t size, const struct nothrow *tag)
{
	if (unlikely(!is_same(new_array, own_new_array)))
		return new_array(size);
	if (cxx_goes_straight(new_throwing, own_new))
		return new_or_null(size, OBJECT_ALIGN, BLOCK_NEW_ARRAY);
	return new_nothrow(size, tag);
}

void *new_array_aligned_nothrow(size_t size, size_t align,
				const struct nothrow *tag)
{
	if (unlikely(!is_same(new_array_aligned, own_new_array_aligned)))
		return new_array_aligned(size, align);
	if (cxx_goes_straight(new_aligned, own_new_aligned))
		return new_or_null(size, align, BLOCK_NEW_ARRAY);
	return new_aligned_nothrow(size, align, tag);
}

void delete_nothrow(void *ptr, const struct nothrow *tag)
{
	(void)tag;
	delete(ptr);
}

void delete_aligned_nothrow(void *ptr, size_t align,
			    const struct nothrow *tag)
{
	(void)tag;
	delete_aligned(ptr, align);
}

void delete_sized(void *ptr, size_t size)
{
	if (cxx_goes_straight(delete, own_delete))
		block_free_sized(ptr, BLOCK_NEW, size);
	else
		delete(ptr);
}

void delete_sized_aligned(void *ptr, size_t size, size_t align)
{
	if (cxx_goes_straight(delete_aligned, own_delete_aligned))
		block_free_sized(ptr, BLOCK_NEW, size);
	else
		delete_aligned(ptr, align);
}

void delete_array_nothrow(void *ptr, const struct nothrow *tag)
{
	(void)tag;
	delete_array(ptr);
}

void delete_array_aligned_nothrow(void *ptr, size_t align,
				  const struct nothrow *tag)
{
	(void)tag;
	delete_array_aligned(ptr, align);
}

void delete_array_sized(void *ptr, size_t size)
{
	if (cxx_goes_straight(delete_array, own_delete_array))
		block_free_sized(ptr, BLOCK_NEW_ARRAY, size);
	else
		delete_array(ptr);
}

void delete_array_sized_aligned(void *ptr, size_t size, size_t align)
{
	if (cxx_goes_straight(delete_array_aligned, own_delete_array_aligned))
		block_free_sized(ptr, BLOCK_NEW_ARRAY, size);
	else
		delete_array_aligned(ptr, align);
}
