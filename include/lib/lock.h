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
	unsigned long contended; /* times another owner was in the way */
#ifdef CONFIG_HAKMEM_LOCK_RANKS
	unsigned int rank;	/* taken only under locks of a higher one */
#endif
#ifdef CONFIG_HAKMEM_LOCK_STATS
	const char *name;	/* where it was taken first; NULL: never */
	struct lock *next;	/* of all that were ever taken */
	unsigned int number;	/* in the order of that, from 0 */
	unsigned long taken;	/* times, by whomever */
#endif
};

#define LOCK_WAITERS	((uintptr_t)1)

/* A lock under which no other is taken, as one that is all zero. */
#define LOCK_INIT	{ .word = 0 }

#ifdef CONFIG_HAKMEM_LOCK_RANKS

#define LOCK_INIT_RANK(number)	{ .rank = (number) }
#define LOCKS_HELD_MAX	36

/* What a thread holds. */
struct locks_held {
	const struct lock *locks[LOCKS_HELD_MAX];
	unsigned int n;
};

extern __thread struct locks_held locks_held
	__attribute__((tls_model("initial-exec"))) __hidden;

/* End the program if it may not be taken under what this thread holds. */
void lock_check_rank(const struct lock *lock);
void lock_note_taken(const struct lock *lock);
void lock_note_released(const struct lock *lock);

/* Return: whether this thread holds a lock of that rank or a lower one. */
bool lock_held_to_rank(unsigned int rank);

/* To end it with; whoever uses locks says how. */
void __attribute__((noreturn)) lock_order_broken(const struct lock *taken,
						 const struct lock *held);

#else /* CONFIG_HAKMEM_LOCK_RANKS */

#define LOCK_INIT_RANK(number)	LOCK_INIT

static inline void lock_check_rank(const struct lock *lock)
{
	(void)lock;
}

static inline void lock_note_taken(const struct lock *lock)
{
	(void)lock;
}

static inline void lock_note_released(const struct lock *lock)
{
	(void)lock;
}

static inline bool lock_held_to_rank(unsigned int rank)
{
	(void)rank;
	return false;
}

#endif /* CONFIG_HAKMEM_LOCK_RANKS */

/* The owner as the word holds it: bit 0 is free for LOCK_WAITERS. */
static __always_inline uintptr_t thread_token(void)
{
	return arch_thread_pointer();
}

void lock_slow(struct lock *lock);
void unlock_slow(struct lock *lock);

/* lock_try() without the book-keeping. */
static inline bool lock_take(struct lock *lock)
{
	uintptr_t expected = 0;

	/* Acquire: pairs with the release in lock_release(). */
	return __atomic_compare_exchange_n(&lock->word, &expected,
					   thread_token(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline bool lock_try(struct lock *lock)
{
	yield_point(YIELD_WRITE, lock);
	if (!lock_take(lock))
		return false;
	lock_note_taken(lock);
	return true;
}

static inline void lock_acquire(struct lock *lock)
{
	lock_check_rank(lock);
	yield_point(YIELD_LOCK, lock);
	if (unlikely(!lock_take(lock)))
		lock_slow(lock);
	lock_note_taken(lock);
}

static inline void lock_release(struct lock *lock)
{
	uintptr_t word;

	lock_note_released(lock);
	/* Release: pairs with the acquire in lock_take() and lock_slow(). */
	word = __atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE);
	if (unlikely(word & LOCK_WAITERS))
		unlock_slow(lock);
}

#ifdef CONFIG_HAKMEM_LOCK_STATS

/* Counts differ from one order of threads to another: not for all tests. */
extern bool locks_are_counted __hidden;

/* By the lock's holder. */
void lock_count(struct lock *lock, const char *name);

#define LOCK_NAME(ptr)	__FILE_NAME__ ": " #ptr

#define lock_try(ptr)	({						\
	struct lock *lock_tried = (ptr);				\
	bool lock_had = lock_try(lock_tried);				\
	if (lock_had)							\
		lock_count(lock_tried, LOCK_NAME(ptr));			\
	lock_had; })

#define lock_acquire(ptr)	do {					\
	struct lock *lock_wanted = (ptr);				\
	lock_acquire(lock_wanted);					\
	lock_count(lock_wanted, LOCK_NAME(ptr));			\
} while (0)

#endif /* CONFIG_HAKMEM_LOCK_STATS */

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
