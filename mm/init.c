// SPDX-License-Identifier: MIT
/*
 * Start of the allocator: see include/mm/init.h.
 *
 * Nothing is locked around a fork(). What another thread was changing at that
 * moment is repaired in the child, before anything else of the program runs
 * there: our handler is registered at the first request of the process, and
 * child handlers run in the order of registration. The parent's locks are not
 * touched, so no order of locks can make fork() hang.
 */
#include "mm/init.h"

#include <pthread.h>
#include <stdbool.h>

#include "lib/lock.h"
#include "mm/cache.h"
#include "mm/fallback.h"
#include "mm/fault.h"
#include "mm/foreign.h"
#include "mm/harden.h"
#include "mm/huge.h"
#include "mm/knobs.h"
#include "mm/lock_order.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/route.h"
#include "mm/thread.h"
#include "mm/vm.h"

enum init_state init_state;

/* Held over the whole start; the holder may come back in, allocating. */
static struct lock init_lock = LOCK_INIT_RANK(LOCK_RANK_INIT);

void init_fork_child(void)
{
	if (lock_orphaned(&init_lock))
		lock_reset(&init_lock);
	route_fork_child();
	thread_fork_child();
}

/* Also when the start fails: another thread may be trying again by then. */
static void hook_fork(void)
{
	static bool done;

	/* A C library calls its own malloc at the right time. */
	if (!done && !IS_ENABLED(CONFIG_HAKMEM_LIBC))
		done = !pthread_atfork(NULL, NULL, init_fork_child);
}

/* Release: pairs with the acquire in init_ensure(). */
static void reach(enum init_state state)
{
	__atomic_store_n(&init_state, state, __ATOMIC_RELEASE);
}

/* Once, however often the start fails: sizes depend on it from then on. */
static void read_environment(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	knobs_init();
	fallback_init();
	foreign_init();
	fault_init();
	class_limits_init();
	huge_init();
	depots_init();
	harden_init();
}

static void start_locked(void)
{
	reach(INIT_BOOTING);
	read_environment();
	if (vm_page_size() > SLAB_SIZE)
		report_fatal("the kernel's pages are larger than 64 KiB");
	if (!registry_init()) {
		reach(INIT_DOWN);
		hook_fork();
		return;
	}
	thread_init();
	reach(INIT_PARTIAL);
	hook_fork();
	harden_seal();
	reach(INIT_UP);
}

static void AT_EXIT verify_at_exit(void)
{
	cache_verify();
}

void init_slow(void)
{
	if (lock_owned(&init_lock))
		return;
	lock_acquire(&init_lock);
	if (init_state == INIT_DOWN)
		start_locked();
	lock_release(&init_lock);
	/* Unlocked: who holds the dynamic loader's lock may come in here. */
	fallback_start();
}
