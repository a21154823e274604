// SPDX-License-Identifier: MIT
/*
 * The last look: all slots, in use or not, as the program leaves them. Finds
 * what was written behind a block that was never freed, or to one that was and
 * that nobody used again.
 */
#include <sys/stat.h>

#include "mm/registry.h"
#include "mm/report.h"
#include "mm/superslab.h"
#include "private.h"
#include "trailer.h"

#define SWEEP_BYTES	((size_t)CONFIG_HAKMEM_HARDEN_EXIT_MB << 20)

static bool forked;

void sweep_fork_child(void)
{
	forked = true;
}

/* A directory of threads has a link for each, and two of its own. */
static bool is_alone(void)
{
	struct stat threads;

	return !stat("/proc/self/task", &threads) && threads.st_nlink == 3;
}

static void sweep_slab(const struct slab *slab)
{
	size_t size = class_size(slab->class);
	const char *fault;
	const void *obj;
	unsigned int i;

	for (i = 0; i < slab->nr_objects; i++) {
		obj = (const void *)(slab->base + i * size);
		fault = harden_slot_fault(obj, size);
		if (fault)
			report_bad_pointer("exit", obj, fault);
	}
}

static size_t sweep_superslab(const struct superslab *superslab)
{
	const struct slab *slab;
	size_t swept = 0;
	unsigned int i;

	for (i = 0; i < SUPERSLAB_SLABS; i++) {
		slab = &superslab->slabs[i];
		if (!is_size_class(slab->class) || class_is_paged(slab->class))
			continue;
		sweep_slab(slab);
		swept += slab->units * SLAB_SIZE;
	}
	return swept;
}

void harden_sweep(void)
{
	const struct superslab *superslab;
	const char *fault = NULL;
	const void *guarded;
	size_t swept = 0;
	size_t index = 0;

	/* Another thread could take away what is looked at. */
	if (forked || !is_alone())
		return;
	while (swept < SWEEP_BYTES &&
	       (superslab = registry_next_superslab(&index)))
		swept += sweep_superslab(superslab);
	guarded = guard_sweep(&fault);
	if (guarded)
		report_bad_pointer("exit", guarded, fault);
}
