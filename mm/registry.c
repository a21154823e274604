// SPDX-License-Identifier: MIT
/*
 * The registry: see include/mm/registry.h.
 */
#include "mm/registry.h"

#include <string.h>

#include "lib/align.h"
#include "mm/harden.h"
#include "mm/vm.h"

struct registry registry __aligned_to(64);

/* Bounds of the part of the superslab table that was ever written. */
static size_t walk_first = SIZE_MAX;
static size_t walk_end;

static size_t superslab_index(uintptr_t base)
{
	return (base - registry.base) >> SUPERSLAB_SHIFT;
}

bool registry_init(void)
{
	uint64_t window = vm_address_limit();
	size_t nr_slabs, table_bytes;
	uintptr_t middle;
	char *tables;

	if (sizeof(void *) == 4)
		window = (uint64_t)1 << 32;
	nr_slabs = (size_t)(window >> SLAB_SHIFT);
	table_bytes = nr_slabs + nr_slabs / SUPERSLAB_SLABS * sizeof(void *);
	table_bytes = ALIGN_UP(table_bytes, vm_page_size());
	tables = vm_reserve(table_bytes);
	if (!tables)
		return false;
	/* What the kernel maps next is near what it has just mapped. */
	middle = ALIGN_DOWN((uintptr_t)tables, SUPERSLAB_SIZE);
	if (sizeof(void *) > 4 && middle > window / 2)
		registry.base = middle - (uintptr_t)(window / 2);
	registry.classes = (uint8_t *)tables;
	registry.superslabs = (struct superslab **)(void *)(tables + nr_slabs);
	registry.nr_slabs = nr_slabs;
	return true;
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

bool registry_cover(uintptr_t base)
{
	size_t index = superslab_index(base);

	if (base < registry.base ||
	    index >= registry.nr_slabs / SUPERSLAB_SLABS)
		return false;
	return commit_range(&classes_committed,
			    &registry.classes[index * SUPERSLAB_SLABS],
			    SUPERSLAB_SLABS) &&
	       commit_range(&superslabs_committed,
			    &registry.superslabs[index], sizeof(void *));
}

void registry_fork_child(void)
{
	classes_committed = (struct committed){ 0 };
	superslabs_committed = (struct committed){ 0 };
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
	size_t slab = (base - registry.base) >> SLAB_SHIFT;
	unsigned int i;

	for (i = 0; i < slabs; i++)
		WRITE_ONCE(registry.classes[slab + i], (uint8_t)class);
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
