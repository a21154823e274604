// SPDX-License-Identifier: MIT
/*
 * How often locks are taken: see lock_stats.h.
 */
#include "lib/lock_stats.h"

#include <string.h>

bool locks_are_counted;

static __thread unsigned int *counts_here
	__attribute__((tls_model("initial-exec")));

/* Pushed with release, never less. */
static struct lock *all_locks;
static unsigned int nr_locks;

static void enlist(struct lock *lock, const char *name)
{
	lock->name = name;
	lock->number = __atomic_fetch_add(&nr_locks, 1, __ATOMIC_RELAXED);
	lock->next = READ_ONCE(all_locks);
	/* Release: pairs with the acquire in first_lock(). */
	while (!__atomic_compare_exchange_n(&all_locks, &lock->next, lock,
					    false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

void lock_count(struct lock *lock, const char *name)
{
	if (!locks_are_counted)
		return;
	if (unlikely(!lock->name))
		enlist(lock, name);
	lock->taken++;
	if (counts_here)
		counts_here[min(lock->number, LOCK_NUMBERS - 1)]++;
}

void lock_count_here(unsigned int *counts)
{
	counts_here = counts;
}

static const struct lock *first_lock(void)
{
	return __atomic_load_n(&all_locks, __ATOMIC_ACQUIRE);
}

static void add(struct lock_stats *stats, const struct lock *lock)
{
	unsigned long taken = UNSEEN(lock->taken);

	stats->locks++;
	stats->taken += taken;
	stats->busiest = max(stats->busiest, taken);
	stats->contended += UNSEEN(lock->contended);
}

/* Is there one of its name behind it on the list? */
static bool is_last_of_name(const struct lock *lock)
{
	const struct lock *other;

	for (other = lock->next; other; other = other->next) {
		if (!strcmp(other->name, lock->name))
			return false;
	}
	return true;
}

bool lock_stats_next(struct lock_stats *stats)
{
	const struct lock *lock = stats->at ? stats->at->next : first_lock();
	const struct lock *other;

	while (lock && !is_last_of_name(lock))
		lock = lock->next;
	if (!lock)
		return false;
	*stats = (struct lock_stats){ .at = lock, .name = lock->name };
	for (other = first_lock(); other; other = other->next) {
		if (!strcmp(other->name, lock->name))
			add(stats, other);
	}
	return true;
}

const char *lock_name(unsigned int number)
{
	const struct lock *lock;

	for (lock = first_lock(); lock; lock = lock->next) {
		if (lock->number == number)
			return lock->name;
	}
	return NULL;
}
