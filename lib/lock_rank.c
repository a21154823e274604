// SPDX-License-Identifier: MIT
/*
 * The order of locks, looked at whenever one is taken: see lock.h.
 */
#include "lib/lock.h"

__thread struct locks_held locks_held
	__attribute__((tls_model("initial-exec")));

void lock_check_rank(const struct lock *lock)
{
	unsigned int i;

	for (i = 0; i < locks_held.n; i++) {
		if (locks_held.locks[i]->rank <= lock->rank)
			lock_order_broken(lock, locks_held.locks[i]);
	}
}

/* One too many is also one under a lock that nothing may be taken under. */
void lock_note_taken(const struct lock *lock)
{
	if (locks_held.n == LOCKS_HELD_MAX)
		lock_order_broken(lock, locks_held.locks[locks_held.n - 1]);
	locks_held.locks[locks_held.n++] = lock;
}

void lock_note_released(const struct lock *lock)
{
	unsigned int i;

	for (i = locks_held.n; i-- > 0;) {
		if (locks_held.locks[i] != lock)
			continue;
		locks_held.locks[i] = locks_held.locks[--locks_held.n];
		return;
	}
}

bool lock_held_to_rank(unsigned int rank)
{
	unsigned int i;

	for (i = 0; i < locks_held.n; i++) {
		if (locks_held.locks[i]->rank <= rank)
			return true;
	}
	return false;
}
