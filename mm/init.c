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

#include <errno.h>
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

bool init_done;

/* Held over the whole start; the holder may come back in, allocating. */
static struct lock init_lock = LOCK_INIT_RANK(LOCK_RANK_INIT);

void init_fork_child(void)
{
	if (lock_orphaned(&init_lock))
		lock_reset(&init_lock);
	route_fork_child();
	thread_fork_child();
}

/*
 * Before anything is locked, for another thread may fork during the start. The
 * C library may allocate for it and come back in here; of two threads that
 * come at once both do it, and the second handler finds nothing to repair.
 */
static void hook_fork(void)
{
	static uintptr_t hooking;
	static bool done;

	/* A C library calls its own malloc at the right time. */
	if (READ_ONCE(done) || READ_ONCE(hooking) == thread_token() ||
	    IS_ENABLED(CONFIG_HAKMEM_LIBC))
		return;
	WRITE_ONCE(hooking, thread_token());
	WRITE_ONCE(done, !pthread_atfork(NULL, NULL, init_fork_child));
	WRITE_ONCE(hooking, 0);
}

/* Once, however often the start fails: sizes depend on it from then on. */
static void read_environment(void)
{
	static bool done;

	if (done)
		return;
	knobs_init();
	fallback_init();
	foreign_init();
	fault_init();
	class_limits_init();
	huge_init();
	depots_init();
	harden_init();
	/* Last: a child that was forked before reads all of it. */
	done = true;
}

/* A child that was forked in the midst of it begins anew. */
static void start_locked(void)
{
	read_environment();
	if (vm_page_size() > SLAB_SIZE)
		report_fatal("the kernel's pages are larger than 64 KiB");
	if (!registry_init())
		return;
	thread_init();
	/* Release: pairs with the acquire in init_ensure(). */
	__atomic_store_n(&init_done, true, __ATOMIC_RELEASE);
	harden_seal();
}

static void AT_EXIT verify_at_exit(void)
{
	cache_verify();
}

void init_slow(void)
{
	int saved = errno;

	if (lock_owned(&init_lock))
		return;
	hook_fork();
	lock_acquire(&init_lock);
	if (!init_done)
		start_locked();
	lock_release(&init_lock);
	/* Unlocked: who holds the dynamic loader's lock may come in here. */
	fallback_start();
	errno = saved;
}
