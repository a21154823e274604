// SPDX-License-Identifier: MIT
/*
 * The contended half of the lock: spin briefly, then sleep on a futex.
 */
#include "lib/lock.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Critical sections are at most some hundred instructions: waiting this long
 * is cheaper than two system calls, unless the owner has lost its processor.
 */
#define SPIN_ROUNDS	100

/* The kernel's numbers: its headers are not with every C library. */
#define FUTEX_WAIT_PRIVATE	128
#define FUTEX_WAKE_PRIVATE	129

static void cpu_relax(void)
{
	/* What cpu_relax() must be to a compiler; the pause is a courtesy. */
	__asm__ volatile(CPU_PAUSE ::: "memory");
}

/* The half of the word that holds LOCK_WAITERS, as the futex sees it. */
static uint32_t *futex_word(struct lock *lock)
{
	const union { uint16_t half; uint8_t low; } probe = { .half = 1 };
	size_t index = probe.low ? 0 : sizeof(uintptr_t) / 4 - 1;

	return (uint32_t *)(void *)&lock->word + index;
}

static void futex(uint32_t *word, int op, uint32_t value)
{
	int saved = errno;

	syscall(SYS_FUTEX_NATIVE, word, op, value, NULL, NULL, 0);
	errno = saved;
}

void lock_slow(struct lock *lock)
{
	uintptr_t self = thread_token();
	uintptr_t seen;
	int round;

	for (round = 0; round < SPIN_ROUNDS; round++) {
		if (!READ_ONCE(lock->word) && lock_take(lock)) {
			lock->contended++;
			return;
		}
		cpu_relax();
	}
	for (;;) {
		seen = READ_ONCE(lock->word);
		if (!seen) {
			/*
			 * Others may be asleep beside us, so the waiters bit
			 * stays. Acquire: pairs with lock_release().
			 */
			if (__atomic_compare_exchange_n(&lock->word, &seen,
							self | LOCK_WAITERS,
							false,
							__ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED))
				break;
			continue;
		}
		if (!(seen & LOCK_WAITERS) &&
		    !__atomic_compare_exchange_n(&lock->word, &seen,
						 seen | LOCK_WAITERS, false,
						 __ATOMIC_RELAXED,
						 __ATOMIC_RELAXED))
			continue;
		futex(futex_word(lock), FUTEX_WAIT_PRIVATE,
		      (uint32_t)(seen | LOCK_WAITERS));
	}
	lock->contended++;
}

void unlock_slow(struct lock *lock)
{
	futex(futex_word(lock), FUTEX_WAKE_PRIVATE, 1);
}
