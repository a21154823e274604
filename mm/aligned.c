// SPDX-License-Identifier: MIT
/*
 * Blocks with an alignment, and frees that are told what they free.
 */
#include <errno.h>
#include <stdint.h>

#include "hakmem.h"
#include "lib/align.h"
#include "mm/block.h"
#include "mm/vm.h"

static void *fail(int error)
{
	errno = error;
	return NULL;
}

void *hak_aligned_alloc(size_t alignment, size_t size)
{
	if (!is_power_of_two(alignment))
		return fail(EINVAL);
	return block_alloc_aligned(alignment, size, BLOCK_MALLOC);
}

int hak_posix_memalign(void **memptr, size_t alignment, size_t size)
{
	int saved_errno = errno;
	void *ptr;

	if (!is_power_of_two(alignment) || alignment < sizeof(void *))
		return EINVAL;
	ptr = block_alloc_aligned(alignment, size, BLOCK_MALLOC);
	if (unlikely(!ptr)) {
		errno = saved_errno;
		return ENOMEM;
	}
	*memptr = ptr;
	return 0;
}

void *hak_memalign(size_t alignment, size_t size)
{
	if (alignment > SIZE_MAX / 2 + 1)
		return fail(EINVAL);
	return block_alloc_aligned(roundup_power_of_two(alignment), size,
				   BLOCK_MALLOC);
}

void *hak_valloc(size_t size)
{
	return block_alloc_aligned(vm_page_size(), size, BLOCK_MALLOC);
}

void *hak_pvalloc(size_t size)
{
	size_t page = vm_page_size();

	if (size > SIZE_MAX - (page - 1))
		return fail(ENOMEM);
	return block_alloc_aligned(page, ALIGN_UP(size, page),
				   BLOCK_MALLOC);
}

void hak_free_sized(void *ptr, size_t size)
{
	block_free_sized(ptr, BLOCK_MALLOC, size);
}

void hak_free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
	(void)alignment;
	block_free_sized(ptr, BLOCK_MALLOC, size);
}
