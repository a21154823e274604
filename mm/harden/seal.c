// SPDX-License-Identifier: MIT
/*
 * Globals that are read-only after the start: knobs, bounds of the registry,
 * secrets. They have a section of their own. It begins at a page, as linkers
 * place a section as its strictest part wants it, and that is here; linked
 * last, it is the last part, a page or more that nothing else is on.
 */
#include "lib/align.h"
#include "lib/arch.h"
#include "mm/harden.h"
#include "mm/vm.h"

static char last_part[ARCH_PAGE_MAX]
	__ro_after_init __aligned_to(ARCH_PAGE_MAX);

/* Of a section whose name C could have, every linker makes this. */
extern char __start_hakmem_sealed[] __hidden;

void harden_seal(void)
{
	uintptr_t start = (uintptr_t)__start_hakmem_sealed;
	uintptr_t end = (uintptr_t)last_part + sizeof(last_part);

	/* Refused, or with pages that are larger yet, all goes on as well. */
	if (IS_ALIGNED(start | end, (uintptr_t)vm_page_size()))
		(void)!vm_freeze((void *)start, end - start);
}
