// SPDX-License-Identifier: MIT
/*
 * Blocks between guard pages: those of many pages have a mapping of their own
 * with a page before and behind it that cannot be touched. The block lies at
 * the end of its pages, so that the first byte too far is caught as it is
 * touched; one that is so large that it grows by the kernel's page tables lies
 * at their start. A freed one rests untouchable, first in first out, and keeps
 * its memory; then it waits for a request of its size.
 *
 * Lock order: lock, then nothing; memory calls outside of it.
 */
#include <string.h>

#include "lib/align.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mm/harden.h"
#include "mm/meta.h"
#include "mm/reclaim.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/vm.h"
#include "private.h"
#include "trailer.h"

#define HASH_HEADS	4096
#define LIVE_MAX	((size_t)CONFIG_HAKMEM_HARDEN_GUARD_MAX)
#define COST_PERCENT	((uint64_t)CONFIG_HAKMEM_HARDEN_GUARD_PERCENT)
#define LIST_BYTES	((size_t)CONFIG_HAKMEM_HARDEN_GUARD_KEEP_MB << 20)
#define LIST_BLOCKS	64

/* From here a block lies at the start, and its pages are purged when freed. */
#define MOVED_MIN	((size_t)1 << 20)

/* A block that grows by page tables gets this part more, and may waste it. */
#define SPARE_DIVISOR	8

/*
 * What system calls and page faults of a block take, in microseconds; so much
 * may be taken in advance.
 */
#define BLOCK_US	8
#define PAGES_PER_US	4
#define AHEAD_US	((uint64_t)20 * 1000)

/* Bytes in front of a block and behind it that are filled and checked. */
#define FRINGE_MAX	((size_t)64)

/**
 * struct guarded - a block with a mapping of its own
 * @chain: in its hash chain
 * @node: on the list it is on, when freed
 * @addr: of the block
 * @body: first of its pages
 * @pages: bytes of them
 * @left: bytes that cannot be touched in front of @body; behind it is a page
 * @size: bytes asked for
 * @kind: the family it is from
 * @live: the program has it
 * @dirty: its pages may hold data
 */
struct guarded {
	struct guarded *chain;
	struct list_head node;
	uintptr_t addr;
	uintptr_t body;
	size_t pages;
	size_t left;
	size_t size;
	enum block_kind kind;
	bool live;
	bool dirty;
};

/**
 * struct store - freed blocks, the latest first
 * @blocks: list; not yet one while its next is NULL
 * @nr: on it
 * @bytes: of their pages
 */
struct store {
	struct list_head blocks;
	unsigned int nr;
	size_t bytes;
};

static struct meta_pool guarded_pool = META_POOL_INIT(struct guarded, 16);

static struct lock lock = LOCK_INIT;	/* guards all below */
static struct guarded *heads[HASH_HEADS];
static struct store resting, waiting;
static size_t nr_live, live_bytes;
static uint64_t paid_us;	/* when what was taken will have been earned */

static struct guarded **chain_of(uintptr_t addr)
{
	uint64_t hash = (uint64_t)(addr >> 12) * 0x9e3779b97f4a7c15u;

	return &heads[hash >> 52];
}

static struct guarded *find_locked(uintptr_t addr)
{
	struct guarded *block = *chain_of(addr);

	while (block && block->addr != addr)
		block = block->chain;
	return block;
}

/* Release: a child forked in between finds every chain whole. */
static void insert_locked(struct guarded *block)
{
	struct guarded **head = chain_of(block->addr);

	block->chain = *head;
	__atomic_store_n(head, block, __ATOMIC_RELEASE);
}

static void remove_locked(struct guarded *block)
{
	struct guarded **link = chain_of(block->addr);

	while (*link != block)
		link = &(*link)->chain;
	WRITE_ONCE(*link, block->chain);
}

static void store_put_locked(struct store *store, struct guarded *block)
{
	if (unlikely(!store->blocks.next))
		list_init(&store->blocks);
	list_add(&block->node, &store->blocks);
	store->nr++;
	store->bytes += block->pages;
}

static void store_take_locked(struct store *store, struct guarded *block)
{
	list_del(&block->node);
	store->nr--;
	store->bytes -= block->pages;
}

/* Return: the oldest, if there are more than that. */
static struct guarded *store_surplus_locked(struct store *store,
					    size_t bytes, unsigned int nr)
{
	struct guarded *oldest;

	if (!store->nr || (store->bytes <= bytes && store->nr <= nr))
		return NULL;
	oldest = container_of(store->blocks.prev, struct guarded, node);
	store_take_locked(store, oldest);
	return oldest;
}

static void destroy(struct guarded *block)
{
	vm_unmap((void *)(block->body - block->left),
		 block->left + block->pages + vm_page_size());
	meta_free(&guarded_pool, block);
}

static bool map(struct guarded *block, size_t align, size_t pages)
{
	size_t page = vm_page_size();
	size_t left = max(align, page);
	size_t total;
	uintptr_t start;

	if (__builtin_add_overflow(pages, left + page, &total))
		return false;
	start = (uintptr_t)vm_map(NULL, total, left);
	if (!start)
		return false;
	if (!vm_deny((void *)start, left) ||
	    !vm_deny((void *)(start + left + pages), page)) {
		vm_unmap((void *)start, total);
		return false;
	}
	block->body = start + left;
	block->pages = pages;
	block->left = left;
	block->dirty = false;
	return true;
}

static struct guarded *create(size_t align, size_t pages)
{
	struct guarded *block = meta_alloc(&guarded_pool);

	if (block && !map(block, align, pages)) {
		meta_free(&guarded_pool, block);
		return NULL;
	}
	return block;
}

static struct guarded *take_waiting(size_t align, size_t pages)
{
	struct guarded *block = NULL;
	struct list_head *pos;

	if (!READ_ONCE(waiting.nr))
		return NULL;
	lock_acquire(&lock);
	pos = waiting.nr ? waiting.blocks.prev : &waiting.blocks;
	for (; pos != &waiting.blocks; pos = pos->prev) {
		block = container_of(pos, struct guarded, node);
		if (block->pages >= pages && IS_ALIGNED(block->body, align) &&
		    block->pages - pages <= pages / SPARE_DIVISOR) {
			store_take_locked(&waiting, block);
			remove_locked(block);
			break;
		}
		block = NULL;
	}
	lock_release(&lock);
	return block;
}

static struct guarded *reuse(size_t align, size_t pages, bool zero)
{
	struct guarded *block = take_waiting(align, pages);

	if (!block)
		return NULL;
	if (!vm_commit((void *)block->body, block->pages)) {
		destroy(block);
		return NULL;
	}
	if (block->dirty && zero)
		memset((void *)block->body, 0, block->pages);
	return block;
}

/* --- What is around a block ---------------------------------------------- */

static size_t fringe_before(const struct guarded *block)
{
	return min(block->addr - block->body, FRINGE_MAX);
}

static size_t fringe_behind(const struct guarded *block)
{
	return min(block->body + block->pages - block->addr - block->size,
		   FRINGE_MAX);
}

static void fringe_fill(const struct guarded *block)
{
	size_t before = fringe_before(block);

	memset((void *)(block->addr - before), (int)(secrets.pad & 0xff),
	       before);
	memset((void *)(block->addr + block->size), (int)(secrets.pad & 0xff),
	       fringe_behind(block));
}

static bool fringe_is_whole(uintptr_t start, size_t size)
{
	const unsigned char *byte = (const unsigned char *)start;

	while (size && *byte == (secrets.pad & 0xff)) {
		byte++;
		size--;
	}
	return !size;
}

static const char *fringe_fault(const struct guarded *block)
{
	size_t before = fringe_before(block);

	if (!fringe_is_whole(block->addr + block->size, fringe_behind(block)))
		return FAULT_OVERFLOW;
	if (!fringe_is_whole(block->addr - before, before))
		return FAULT_UNDERFLOW;
	return NULL;
}

/* --- Allocate ------------------------------------------------------------ */

static void place(struct guarded *block, size_t align, size_t size,
		  enum block_kind kind)
{
	size_t room = block->pages - size;

	block->addr = block->body;
	if (size < MOVED_MIN)
		block->addr += ALIGN_DOWN(room, max(align,
						    (size_t)OBJECT_ALIGN));
	block->size = size;
	block->kind = kind;
	block->dirty = true;
	fringe_fill(block);
}

/*
 * Programs that have large blocks come and go all the time get as many with
 * guard pages as cost them that part of their time, and others without.
 */
static bool affordable(size_t pages)
{
	uint64_t cost = BLOCK_US + pages / vm_page_size() / PAGES_PER_US;
	uint64_t now = reclaim_clock_ms() * 1000;
	bool can_pay;

	if (COST_PERCENT == 100)
		return true;
	lock_acquire(&lock);
	paid_us = max(paid_us, now);
	can_pay = paid_us - now <= AHEAD_US * 100 / COST_PERCENT;
	if (can_pay)
		paid_us += min(cost, AHEAD_US) * 100 / COST_PERCENT;
	lock_release(&lock);
	return can_pay;
}

void *guard_alloc(size_t align, size_t size, enum block_kind kind, bool zero)
{
	size_t pages = ALIGN_UP(size, vm_page_size());
	struct guarded *block;

	if (READ_ONCE(nr_live) >= LIVE_MAX || !affordable(pages))
		return NULL;
	block = reuse(align, pages, zero || zeroes());
	if (!block)
		block = create(align, pages);
	if (!block)
		return NULL;
	place(block, align, size, kind);
	lock_acquire(&lock);
	block->live = true;
	insert_locked(block);
	nr_live++;
	live_bytes += block->pages;
	lock_release(&lock);
	return (void *)block->addr;
}

/* --- Find ---------------------------------------------------------------- */

static bool inside_any_locked(uintptr_t addr)
{
	const struct guarded *block;
	unsigned int i;

	for (i = 0; i < HASH_HEADS; i++) {
		for (block = heads[i]; block; block = block->chain) {
			if (addr - block->body < block->pages)
				return true;
		}
	}
	return false;
}

/* Return: false if it is none; else *@fault, as of what the records say. */
static bool look_locked(const void *ptr, struct guarded **block,
			const char **fault)
{
	*fault = NULL;
	*block = find_locked((uintptr_t)ptr);
	if (*block) {
		if (!(*block)->live)
			*fault = FAULT_FREE;
		return true;
	}
	/* Runs lie in superslabs, where none of these does. */
	if (registry_class(ptr) != CLASS_NONE ||
	    !inside_any_locked((uintptr_t)ptr))
		return false;
	*fault = FAULT_INTERIOR;
	return true;
}

bool guard_find(const void *ptr, size_t *size, enum block_kind *kind,
		const char **fault)
{
	struct guarded *block;
	bool found;

	lock_acquire(&lock);
	found = look_locked(ptr, &block, fault);
	lock_release(&lock);
	if (!found || *fault)
		return found;
	*size = block->size;
	*kind = block->kind;
	*fault = fringe_fault(block);
	return true;
}

/* --- Free ---------------------------------------------------------------- */

/* From resting to waiting to the kernel, while either has too much. */
static void shrink(size_t bytes, unsigned int nr)
{
	struct guarded *block;

	do {
		lock_acquire(&lock);
		block = store_surplus_locked(&resting, bytes, nr);
		if (block)
			store_put_locked(&waiting, block);
		block = store_surplus_locked(&waiting, bytes, nr);
		if (block)
			remove_locked(block);
		lock_release(&lock);
		if (block)
			destroy(block);
	} while (block || READ_ONCE(resting.bytes) > bytes ||
		 READ_ONCE(resting.nr) > nr);
}

static void rest(struct guarded *block)
{
	vm_deny((void *)block->body, block->pages);
	if (block->pages >= MOVED_MIN)
		block->dirty = !vm_purge((void *)block->body, block->pages);
	lock_acquire(&lock);
	store_put_locked(&resting, block);
	lock_release(&lock);
	shrink(LIST_BYTES, LIST_BLOCKS);
}

bool guard_free(void *ptr, enum block_kind called, size_t told,
		const char **fault)
{
	struct guarded *block;
	bool found;

	lock_acquire(&lock);
	found = look_locked(ptr, &block, fault);
	if (found && !*fault) {
		block->live = false;
		nr_live--;
		live_bytes -= block->pages;
	}
	lock_release(&lock);
	if (!found || *fault)
		return found;
	*fault = fringe_fault(block);
	if (!*fault && IS_ENABLED(CONFIG_HAKMEM_HARDEN_KIND) &&
	    block->kind != called)
		*fault = FAULT_KIND;
	if (!*fault && IS_ENABLED(CONFIG_HAKMEM_HARDEN_SIZED) &&
	    told != SIZE_UNTOLD && told != block->size)
		*fault = FAULT_SIZE;
	if (!*fault)
		rest(block);
	return true;
}

/* --- Resize -------------------------------------------------------------- */

/* The fringe becomes part of the block, or the block part of the fringe. */
static void set_size(struct guarded *block, size_t size)
{
	size_t behind = fringe_behind(block);

	if (size > block->size)
		memset((void *)(block->addr + block->size), 0,
		       min(behind, size - block->size));
	block->size = size;
	fringe_fill(block);
}

/* Move the pages of one that is not in the table. Return: success. */
static bool move_pages(struct guarded *block, size_t pages)
{
	size_t page = vm_page_size();
	uintptr_t start = (uintptr_t)vm_reserve(pages + 2 * page);

	if (!start)
		return false;
	if (!vm_deny((void *)start, pages + 2 * page) ||
	    !vm_move((void *)block->body, block->pages,
		     (void *)(start + page), pages)) {
		vm_unmap((void *)start, pages + 2 * page);
		return false;
	}
	/* Between them the kernel may have put something else by now. */
	vm_unmap((void *)(block->body - block->left), block->left);
	vm_unmap((void *)(block->body + block->pages), page);
	block->body = start + page;
	block->addr = block->body;
	block->pages = pages;
	block->left = page;
	return true;
}

/* Return: one that is live and may be resized where it is, out of the table. */
static struct guarded *take_for_resize(const void *ptr, size_t size)
{
	struct guarded *block;

	if (size < MOVED_MIN)
		return NULL;
	lock_acquire(&lock);
	block = find_locked((uintptr_t)ptr);
	if (block && (!block->live || block->addr != block->body))
		block = NULL;
	if (block) {
		remove_locked(block);
		live_bytes -= block->pages;
	}
	lock_release(&lock);
	return block;
}

void *guard_resize(void *ptr, size_t size)
{
	struct guarded *block = take_for_resize(ptr, size);
	size_t pages = ALIGN_UP(size, vm_page_size());
	bool done = true;

	if (!block)
		return NULL;
	if (pages > block->pages)
		done = move_pages(block, ALIGN_UP(size + size / SPARE_DIVISOR,
						  vm_page_size()));
	else if (block->pages - pages > pages / SPARE_DIVISOR)
		done = move_pages(block, pages);
	if (done)
		set_size(block, size);
	lock_acquire(&lock);
	insert_locked(block);
	live_bytes += block->pages;
	lock_release(&lock);
	return done ? (void *)block->addr : NULL;
}

/* --- All of them --------------------------------------------------------- */

const void *guard_sweep(const char **fault)
{
	const struct guarded *block;
	const void *found = NULL;
	unsigned int i;

	/* exit() may have been called in a handler that interrupted us. */
	if (!lock_try(&lock))
		return NULL;
	for (i = 0; i < HASH_HEADS && !found; i++) {
		for (block = heads[i]; block && !found; block = block->chain) {
			*fault = block->live ? fringe_fault(block) : NULL;
			if (*fault)
				found = (const void *)block->addr;
		}
	}
	lock_release(&lock);
	return found;
}

void guard_mappings(size_t *blocks, size_t *bytes)
{
	*blocks += READ_ONCE(nr_live);
	*bytes += READ_ONCE(live_bytes);
}

size_t guard_reclaim(void)
{
	size_t bytes = READ_ONCE(resting.bytes) + READ_ONCE(waiting.bytes);

	if (bytes)
		shrink(0, 0);
	return bytes;
}

/* What was freed stays untouchable; nobody will use it again. */
void guard_fork_child(void)
{
	const struct guarded *block;
	unsigned int i;

	meta_pool_fork_child(&guarded_pool);
	if (!lock_orphaned(&lock))
		return;
	resting = (struct store){ 0 };
	waiting = (struct store){ 0 };
	nr_live = 0;
	live_bytes = 0;
	for (i = 0; i < HASH_HEADS; i++)
		for (block = heads[i]; block; block = block->chain) {
			nr_live += block->live;
			live_bytes += block->live ? block->pages : 0;
		}
	lock_reset(&lock);
}
