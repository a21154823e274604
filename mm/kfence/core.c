// SPDX-License-Identifier: MIT
/*
 * The sampled guard: see include/mm/kfence.h.
 *
 * The pool is a row of pages, every other of which is never touched. A block
 * lies at the start or at the end of its page, by chance, so that one side is
 * at a page that cannot be touched; what is left of the page has a pattern,
 * which is checked when the block is freed. Then the page cannot be touched
 * either, and is the last to be used again.
 *
 * Lock order: lock, then nothing; memory calls outside of it, but for those
 * that open the pool.
 */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kfence.h"
#include "lib/align.h"
#include "lib/lock.h"
#include "lib/random.h"
#include "mm/knobs.h"
#include "mm/lock_order.h"
#include "mm/reclaim.h"
#include "mm/report.h"
#include "mm/sizes.h"
#include "mm/vm.h"

#define FAULT_OVERFLOW	"written behind its end"
#define FAULT_UNDERFLOW	"written in front of it"

#define PATTERN		0xb5u
#define PATTERN_WORD	(UINT64_MAX / 0xff * PATTERN)
#define NONE		KFENCE_OBJECTS

/*
 * Two system calls for each block may take 10 us: one a millisecond is a
 * hundredth of the time. So many may be sampled at once.
 */
#define BURST		8

/* Without a pool, no request is due for long. */
#define IDLE_COUNTDOWN	(1 << 30)

uintptr_t kfence_pool;
size_t kfence_pool_size;
struct kfence_object kfence_objects[KFENCE_OBJECTS];

/* What it comes down to tells a request that is due from a thread's first. */
#define DUE		(-1)
__thread int kfence_countdown __attribute__((tls_model("initial-exec"))) = DUE;

static struct knob sample =
	KNOB("HAKMEM_KFENCE_SAMPLE", 0, 1000000000, CONFIG_HAKMEM_KFENCE_SAMPLE,
	     "one block of so many is guarded, on average; 0: none; needs "
	     "CONFIG_HAKMEM_KFENCE");

static struct lock lock = LOCK_INIT_RANK(LOCK_RANK_KFENCE); /* all below */
static uint64_t random_state;
static unsigned int oldest_free, latest_free;
static bool opened;			/* or tried to */
static uint64_t last_ms;		/* when @budget was last added to */
static unsigned int budget = BURST;	/* blocks that may be sampled now */

uintptr_t kfence_page(unsigned int index)
{
	return kfence_pool + (2 * index + 1) * vm_page_size();
}

static size_t distance(const struct kfence_object *object, uintptr_t addr)
{
	uintptr_t end = object->addr + object->size;

	if (addr < object->addr)
		return object->addr - addr;
	return addr < end ? 0 : addr - end + 1;
}

struct kfence_object *kfence_nearest(uintptr_t addr)
{
	size_t page = (addr - kfence_pool) / vm_page_size();
	struct kfence_object *before, *behind;

	before = &kfence_objects[page ? (page - 1) / 2 : 0];
	behind = &kfence_objects[min(page / 2, (size_t)KFENCE_OBJECTS - 1)];
	if (behind->state == KFENCE_UNUSED)
		return before;
	if (before->state == KFENCE_UNUSED)
		return behind;
	return distance(before, addr) <= distance(behind, addr) ? before :
								  behind;
}

static unsigned int index_of(const struct kfence_object *object)
{
	return (unsigned int)(object - kfence_objects);
}

/* Once; after that the pool is there, or is empty for good. */
static void open_locked(void)
{
	size_t size = (2 * KFENCE_OBJECTS + 1) * vm_page_size();
	unsigned int i;
	void *pool;

	opened = true;
	knob_read(&sample);
	random_state = random_seed();
	pool = sample.value ? vm_reserve(size) : NULL;
	if (!pool)
		return;
	if (!vm_deny(pool, size)) {
		vm_unmap(pool, size);
		return;
	}
	for (i = 0; i < KFENCE_OBJECTS; i++)
		kfence_objects[i].next = i + 1;
	oldest_free = 0;
	latest_free = KFENCE_OBJECTS - 1;
	kfence_pool = (uintptr_t)pool;
	WRITE_ONCE(kfence_pool_size, size);
	kfence_report_start();
}

static bool in_budget_locked(void)
{
	uint64_t now = reclaim_clock_ms();

	budget = (unsigned int)min(budget + (now - last_ms), (uint64_t)BURST);
	last_ms = now;
	return budget != 0;
}

/* Return: the page that was freed longest ago, NULL if none is free. */
static struct kfence_object *take_locked(void)
{
	struct kfence_object *object;

	if (!kfence_pool_size || oldest_free == NONE || !in_budget_locked())
		return NULL;
	budget--;
	object = &kfence_objects[oldest_free];
	oldest_free = object->next;
	return object;
}

static void put_locked(struct kfence_object *object)
{
	object->next = NONE;
	if (oldest_free == NONE)
		oldest_free = index_of(object);
	else
		kfence_objects[latest_free].next = index_of(object);
	latest_free = index_of(object);
}

static int draw_countdown_locked(void)
{
	uint64_t range = 2 * (uint64_t)sample.value - 1;

	if (!kfence_pool_size)
		return IDLE_COUNTDOWN;
	return (int)(random_next(&random_state) % range);
}

static void fill_around(const struct kfence_object *object)
{
	uintptr_t page = ALIGN_DOWN(object->addr, vm_page_size());
	uintptr_t end = object->addr + object->size;

	memset((void *)page, PATTERN, object->addr - page);
	memset((void *)end, PATTERN, page + vm_page_size() - end);
}

static bool has_pattern(uintptr_t start, uintptr_t end)
{
	const char *byte = (const char *)start;
	uint64_t word, wrong = 0;

	for (; end - (uintptr_t)byte >= sizeof(word); byte += sizeof(word)) {
		memcpy(&word, byte, sizeof(word));
		wrong |= word ^ PATTERN_WORD;
	}
	for (; (uintptr_t)byte < end; byte++)
		wrong |= (unsigned char)*byte ^ PATTERN;
	return !wrong;
}

static const char *fault_around(const struct kfence_object *object)
{
	uintptr_t page = ALIGN_DOWN(object->addr, vm_page_size());

	if (!has_pattern(object->addr + object->size, page + vm_page_size()))
		return FAULT_OVERFLOW;
	if (!has_pattern(page, object->addr))
		return FAULT_UNDERFLOW;
	return NULL;
}

static void *place(struct kfence_object *object, size_t align, size_t size,
		   bool at_end)
{
	uintptr_t page = kfence_page(index_of(object));

	object->addr = page;
	if (at_end)
		object->addr += ALIGN_DOWN(vm_page_size() - size,
					   max(align, (size_t)OBJECT_ALIGN));
	object->size = size;
	object->allocated_by = (int)syscall(SYS_gettid);
	object->freed_by = 0;
	fill_around(object);
	WRITE_ONCE(object->state, KFENCE_IN_USE);
	return (void *)object->addr;
}

void *kfence_alloc(size_t align, size_t size)
{
	struct kfence_object *object = NULL;
	bool at_end = false;

	lock_acquire(&lock);
	if (!opened)
		open_locked();
	/* The first request of a thread only draws. */
	if (kfence_countdown == DUE && size && size <= vm_page_size() &&
	    align <= vm_page_size()) {
		object = take_locked();
		at_end = random_next(&random_state) & 1;
	}
	kfence_countdown = draw_countdown_locked();
	lock_release(&lock);
	if (!object)
		return NULL;
	if (vm_commit((void *)kfence_page(index_of(object)), vm_page_size()))
		return place(object, align, size, at_end);
	lock_acquire(&lock);
	put_locked(object);
	lock_release(&lock);
	return NULL;
}

/* What is wrong with an address as that of a block in use. */
static const char *fault_of(const void *ptr, struct kfence_object **object)
{
	*object = kfence_nearest((uintptr_t)ptr);
	if ((*object)->addr != (uintptr_t)ptr)
		return FAULT_INTERIOR;
	return READ_ONCE((*object)->state) == KFENCE_IN_USE ? NULL :
							      FAULT_FREE;
}

const char *kfence_free(void *ptr)
{
	struct kfence_object *object;
	const char *fault;

	lock_acquire(&lock);
	fault = fault_of(ptr, &object);
	if (!fault) {
		WRITE_ONCE(object->state, KFENCE_FREED);
		object->freed_by = (int)syscall(SYS_gettid);
	}
	lock_release(&lock);
	if (!fault)
		fault = fault_around(object);
	if (fault) {
		kfence_describe(object);
		return fault;
	}
	vm_deny((void *)kfence_page(index_of(object)), vm_page_size());
	lock_acquire(&lock);
	put_locked(object);
	lock_release(&lock);
	return NULL;
}

size_t kfence_usable(const void *ptr, const char **fault)
{
	struct kfence_object *object;

	*fault = fault_of(ptr, &object);
	if (*fault)
		kfence_describe(object);
	return *fault ? 0 : object->size;
}

/* What another thread was changing is lost: no page is given out any more. */
void kfence_fork_child(void)
{
	if (!lock_orphaned(&lock))
		return;
	oldest_free = NONE;
	lock_reset(&lock);
}
