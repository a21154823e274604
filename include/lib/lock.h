/* SPDX-License-Identifier: MIT */
/*
 * A small lock for short critical sections, which names its owner.
 *
 * The word is 0 or the owner's thread token, bit 0 set while someone may be
 * asleep on it. Knowing the owner is what lets a forked child tell the locks
 * it holds itself (it will unlock them when it returns from the signal handler
 * that forked) from those whose owner exists only in the parent. So no lock is
 * ever taken around fork(), and none can deadlock against it.
 */
#ifndef HAKMEM_LIB_LOCK_H
#define HAKMEM_LIB_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arch.h"
#include "lib/compiler.h"

struct lock {
	uintptr_t word;		/* owner's token | LOCK_WAITERS, 0 when free */
	unsigned long contended; /* times an owner had to be waited for */
};

#define LOCK_WAITERS	((uintptr_t)1)
#define LOCK_INIT	{ 0, 0 }

/* The owner as the word holds it: bit 0 is free for LOCK_WAITERS. */
static __always_inline uintptr_t thread_token(void)
{
	return arch_thread_pointer();
}

void lock_slow(struct lock *lock);
void unlock_slow(struct lock *lock);

static inline bool lock_try(struct lock *lock)
{
	uintptr_t expected = 0;

	/* Acquire: pairs with the release in lock_release(). */
	return __atomic_compare_exchange_n(&lock->word, &expected,
					   thread_token(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void lock_acquire(struct lock *lock)
{
	if (unlikely(!lock_try(lock)))
		lock_slow(lock);
}

static inline void lock_release(struct lock *lock)
{
	uintptr_t word;

	/* Release: pairs with the acquire in lock_try() and lock_slow(). */
	word = __atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE);
	if (unlikely(word & LOCK_WAITERS))
		unlock_slow(lock);
}

static inline bool lock_owned(const struct lock *lock)
{
	return (READ_ONCE(lock->word) & ~LOCK_WAITERS) == thread_token();
}

/**
 * lock_orphaned() - In a forked child: was the owner left in the parent?
 * @lock: the lock to look at
 *
 * Only the thread that called fork() exists in the child, so whatever another
 * thread holds will never be released and what it guards may be half changed.
 *
 * Return: true when the guarded data must be repaired and the lock re-set with
 * lock_reset().
 */
static inline bool lock_orphaned(const struct lock *lock)
{
	uintptr_t owner = READ_ONCE(lock->word) & ~LOCK_WAITERS;

	return owner && owner != thread_token();
}

static inline void lock_reset(struct lock *lock)
{
	WRITE_ONCE(lock->word, 0);
}

#endif /* HAKMEM_LIB_LOCK_H */
