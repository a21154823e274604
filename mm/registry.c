// SPDX-License-Identifier: MIT
/*
 * The registry: see include/mm/registry.h.
 */
#include "mm/registry.h"

#include <string.h>

#include "lib/align.h"
#include "mm/harden.h"
#include "mm/vm.h"

/* That of a process which may not have more anyway. */
#define WINDOW_LEAST	((uint64_t)4 << 30)

/*
 * Never 0, so that NULL lies outside of any window: a thread whose first call
 * is free(NULL) may come while another starts, and then sees some of these
 * fields set and others not.
 */
#define BASE_LEAST	SUPERSLAB_SIZE

struct registry registry __ro_after_init __aligned_to(64) = {
	.base = BASE_LEAST,
};

/* Bounds of the part of the superslab table that was ever written. */
static size_t walk_first = SIZE_MAX;
static size_t walk_end;

static size_t superslab_index(uintptr_t base)
{
	return (base - registry.base) >> SUPERSLAB_SHIFT;
}

/*
 * A quarter of the window below the kernel's own choices: superslabs stay
 * side by side there and share one mapping, whatever else is mapped.
 */
void *registry_first_hint(void)
{
	uintptr_t quarter = registry.nr_slabs / 4 << SLAB_SHIFT;

	if (sizeof(void *) == 4)
		return NULL;
	return (void *)(registry.base + quarter + harden_offset(quarter));
}

uintptr_t registry_wrap(uintptr_t addr)
{
	uintptr_t size = (uintptr_t)registry.nr_slabs << SLAB_SHIFT;

	return registry.base + (size ? (addr - registry.base) % size : 0);
}

/* The pages of a table made writable last: superslabs are neighbours. */
struct committed {
	uintptr_t start;
	uintptr_t end;
};

static struct committed classes_committed;
static struct committed superslabs_committed;

static bool commit_range(struct committed *last, void *start, size_t size)
{
	uintptr_t page = vm_page_size();
	uintptr_t first = ALIGN_DOWN((uintptr_t)start, page);
	uintptr_t end = ALIGN_UP((uintptr_t)start + size, page);

	if (first >= last->start && end <= last->end)
		return true;
	if (!vm_commit((void *)first, end - first))
		return false;
	*last = (struct committed){ first, end };
	return true;
}

static bool cover(uintptr_t base, size_t superslabs)
{
	size_t index = superslab_index(base);

	if (base < registry.base ||
	    index + superslabs > registry.nr_slabs / SUPERSLAB_SLABS)
		return false;
	return commit_range(&classes_committed,
			    &registry.classes[index * SUPERSLAB_SLABS],
			    superslabs * SUPERSLAB_SLABS) &&
	       commit_range(&superslabs_committed,
			    &registry.superslabs[index],
			    superslabs * sizeof(void *));
}

bool registry_cover(uintptr_t base)
{
	return cover(base, 1);
}

/* At the limit of mappings, no part of a table can be made writable. */
static void cover_spare(void)
{
	size_t size;
	uintptr_t start = (uintptr_t)vm_keep_spare(&size);

	/* Without entries, the superslab layer passes the place by. */
	if (size)
		cover(ALIGN_DOWN(start, SUPERSLAB_SIZE),
		      size / SUPERSLAB_SIZE + 1);
}

void registry_fork_child(void)
{
	classes_committed = (struct committed){ 0 };
	superslabs_committed = (struct committed){ 0 };
}

/* Their size, for a window of so many bytes. */
static size_t table_bytes(uint64_t window)
{
	size_t nr_slabs = (size_t)(window >> SLAB_SHIFT);

	return ALIGN_UP(nr_slabs + nr_slabs / SUPERSLAB_SLABS * sizeof(void *),
			vm_page_size());
}

/*
 * After mlockall(MCL_FUTURE) all that is mapped is in memory at once, and
 * counts: a window for what may be locked will do.
 */
static char *reserve_tables(uint64_t *window)
{
	char *tables = vm_reserve(table_bytes(*window));

	if (tables && !vm_resident(tables, vm_page_size()))
		return tables;
	if (tables)
		vm_unmap(tables, table_bytes(*window));
	*window = min(*window, WINDOW_LEAST);
	return vm_reserve(table_bytes(*window));
}

bool registry_init(void)
{
	uint64_t window = vm_address_limit();
	size_t nr_slabs;
	uintptr_t middle;
	char *tables;

	if (sizeof(void *) == 4)
		window = ((uint64_t)1 << 32) - BASE_LEAST;
	tables = reserve_tables(&window);
	if (!tables)
		return false;
	nr_slabs = (size_t)(window >> SLAB_SHIFT);
	/* What the kernel maps next is near what it has just mapped. */
	middle = ALIGN_DOWN((uintptr_t)tables, SUPERSLAB_SIZE);
	if (sizeof(void *) > 4 && middle > window / 2)
		registry.base = middle - (uintptr_t)(window / 2);
	registry.classes = (uint8_t *)tables;
	registry.superslabs = (struct superslab **)(void *)(tables + nr_slabs);
	/* Release: who sees a window sees its tables, if loads have order. */
	__atomic_store_n(&registry.nr_slabs, nr_slabs, __ATOMIC_RELEASE);
	cover_spare();
	return true;
}

/* Bounds only grow, so a walker that races sees at worst too little. */
void registry_set_superslab(uintptr_t base, struct superslab *superslab)
{
	size_t index = superslab_index(base);

	if (index < READ_ONCE(walk_first))
		WRITE_ONCE(walk_first, index);
	if (index >= READ_ONCE(walk_end))
		WRITE_ONCE(walk_end, index + 1);
	/* Release: pairs with the acquire in registry_next_superslab(). */
	__atomic_store_n(&registry.superslabs[index], superslab,
			 __ATOMIC_RELEASE);
}

void registry_set_class(uintptr_t base, unsigned int slabs,
			unsigned int class)
{
	uint8_t *classes = &registry.classes[(base - registry.base) >>
					     SLAB_SHIFT];

	/* Bytes, which nobody sees half written. */
	yield_point(YIELD_WRITE, classes);
	memset(classes, (int)class, slabs);
}

struct superslab *registry_next_superslab(size_t *index)
{
	struct superslab *superslab;
	size_t i = max(*index, READ_ONCE(walk_first));

	for (; i < READ_ONCE(walk_end); i++) {
		/* Acquire: pairs with registry_set_superslab(). */
		superslab = __atomic_load_n(&registry.superslabs[i],
					    __ATOMIC_ACQUIRE);
		if (superslab) {
			*index = i + 1;
			return superslab;
		}
	}
	*index = i;
	return NULL;
}
