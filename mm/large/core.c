// SPDX-License-Identifier: MIT
/*
 * The large tier: which of its two kinds of object a request becomes.
 */
#include "mm/large.h"

#include "mapping.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/vm.h"
#include "run.h"

/*
 * A request that finds no superslab may still find room for itself alone, in
 * an address space that is nearly full. Not a small one: 65,530 mappings are
 * soon used up.
 */
#define LONE_MAPPING_MIN	((size_t)64 << 10)

void *large_alloc(size_t size, size_t align, bool zero)
{
	void *obj;

	if (size < MAPPING_MIN_SIZE && align < SUPERSLAB_SIZE) {
		obj = run_alloc(size, align, zero);
		if (obj || size < LONE_MAPPING_MIN)
			return obj;
	}
	return mapping_alloc(size, align, zero);
}

/* A size of which so many pages are at most twice as much. */
static unsigned int class_of_pages(size_t pages)
{
	return pages && pages <= CACHED_RUN_PAGES ?
	       size_class(pages * vm_page_size() - vm_page_size() / 4) :
	       CLASS_NONE;
}

unsigned int large_class(size_t size, size_t align)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_GAP_LARGE) || align > vm_page_size())
		return CLASS_NONE;
	return class_of_pages(DIV_ROUND_UP(size, vm_page_size()));
}

unsigned int large_class_of(const void *ptr)
{
	if (!IS_ENABLED(CONFIG_HAKMEM_GAP_LARGE) ||
	    registry_class(ptr) != CLASS_RUN)
		return CLASS_NONE;
	return class_of_pages(run_pages(ptr));
}

static unsigned int refill_runs(unsigned int class, void **objs,
				unsigned int n)
{
	size_t pages = DIV_ROUND_UP(class_size(class), vm_page_size());
	unsigned int i;

	for (i = 0; i < n; i++) {
		objs[i] = run_alloc(pages * vm_page_size(), 1, false);
		if (!objs[i])
			break;
	}
	return i;
}

static void drain_runs(unsigned int class, void *const *objs, unsigned int n)
{
	const char *fault;
	unsigned int i;

	(void)class;
	for (i = 0; i < n; i++) {
		fault = run_free(objs[i]);
		if (unlikely(fault))
			report_bad_pointer("free", objs[i], fault);
	}
}

const struct tier_ops *large_runs(void)
{
	static const struct tier_ops ops = {
		.name = "large",
		.refill = refill_runs,
		.drain = drain_runs,
	};

	return &ops;
}

void *large_alloc_mapping(size_t size)
{
	return mapping_may_add() ? mapping_alloc(size, 1, false) : NULL;
}

const char *large_free(void *ptr)
{
	if (registry_class(ptr) == CLASS_RUN)
		return run_free(ptr);
	return mapping_free(ptr);
}

size_t large_usable(const void *ptr, const char **fault)
{
	if (registry_class(ptr) == CLASS_RUN)
		return run_usable(ptr, fault);
	return mapping_usable(ptr, fault);
}

void *large_resize(void *ptr, size_t size)
{
	if (registry_class(ptr) == CLASS_RUN)
		return run_resize(ptr, size) ? ptr : NULL;
	/* Page tables move faster than bytes, for objects that stay large. */
	if (size < REMAP_MIN_SIZE)
		return NULL;
	return mapping_resize(ptr, size);
}

size_t large_reclaim(void)
{
	return run_reclaim() + mapping_reclaim();
}

void large_expire(void)
{
	run_expire();
	mapping_expire();
}

void large_fork_child(void)
{
	run_fork_child();
	mapping_fork_child();
}

void large_stats(struct large_stats *stats)
{
	run_stats(stats);
	mapping_stats(stats);
}

size_t large_mappings_resident(void)
{
	return mapping_resident();
}
