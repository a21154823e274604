// SPDX-License-Identifier: MIT
/*
 * Blocks with an alignment, and frees that are told what they free.
 */
#include <errno.h>
#include <stdint.h>

#include "hakmem.h"
#include "lib/align.h"
#include "mm/malloc.h"
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
	return malloc_aligned(alignment, size);
}

int hak_posix_memalign(void **memptr, size_t alignment, size_t size)
{
	int saved_errno = errno;
	void *ptr;

	if (!is_power_of_two(alignment) || alignment < sizeof(void *))
		return EINVAL;
	ptr = malloc_aligned(alignment, size);
	errno = saved_errno;
	if (!ptr)
		return ENOMEM;
	*memptr = ptr;
	return 0;
}

void *hak_memalign(size_t alignment, size_t size)
{
	if (alignment > SIZE_MAX / 2 + 1)
		return fail(EINVAL);
	return malloc_aligned(roundup_power_of_two(alignment), size);
}

void *hak_valloc(size_t size)
{
	return malloc_aligned(vm_page_size(), size);
}

void *hak_pvalloc(size_t size)
{
	size_t page = vm_page_size();

	if (size > SIZE_MAX - (page - 1))
		return fail(ENOMEM);
	return malloc_aligned(page, ALIGN_UP(size, page));
}

void hak_free_sized(void *ptr, size_t size)
{
	(void)size;
	free_inline(ptr);
}

void hak_free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	free_inline(ptr);
}
