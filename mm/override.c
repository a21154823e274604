// SPDX-License-Identifier: MIT
/*
 * The C library's names for our functions: see include/mm/libc.h.
 */
#include "mm/libc.h"

#include "mm/block.h"
#include "mm/init.h"

__export void *malloc(size_t size)
{
	return block_alloc(size, BLOCK_MALLOC);
}

__export void free(void *ptr)
{
	block_free(ptr, BLOCK_MALLOC);
}

__export void *calloc(size_t n, size_t size)
{
	return hak_calloc(n, size);
}

__export void *realloc(void *ptr, size_t size)
{
	return hak_realloc(ptr, size);
}

__export void *aligned_alloc(size_t alignment, size_t size)
{
	return hak_aligned_alloc(alignment, size);
}

__export int posix_memalign(void **memptr, size_t alignment, size_t size)
{
	return hak_posix_memalign(memptr, alignment, size);
}

__export void *memalign(size_t alignment, size_t size)
{
	return hak_memalign(alignment, size);
}

__export void *valloc(size_t size)
{
	return hak_valloc(size);
}

__export size_t malloc_usable_size(void *ptr)
{
	return hak_malloc_usable_size(ptr);
}

__export void free_sized(void *ptr, size_t size)
{
	hak_free_sized(ptr, size);
}

__export void free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
	hak_free_aligned_sized(ptr, alignment, size);
}

__export void cfree(void *ptr)
{
	block_free(ptr, BLOCK_MALLOC);
}

__export int malloc_trim(size_t pad)
{
	return hak_malloc_trim(pad);
}

__export void malloc_stats(void)
{
	hak_malloc_stats();
}

__export int malloc_info(int options, FILE *stream)
{
	return hak_malloc_info(options, stream);
}

__export struct libc_mallinfo mallinfo(void)
{
	return mallinfo_int();
}

__export struct hak_mallinfo2 mallinfo2(void)
{
	return hak_mallinfo2();
}

__export int mallopt(int param, int value)
{
	return hak_mallopt(param, value);
}

/* Before the program can use up what the start needs: mappings, keys. */
static void __attribute__((constructor)) start(void)
{
	init_ensure();
}

LIBC_ALIASES(DEFINE_ALIAS)
