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
	/* Release: pairs with the acquire in lock_after(). */
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

struct lock *lock_after(const struct lock *lock)
{
	/* Acquire: pairs with the release in enlist(). */
	return lock ? lock->next :
		      __atomic_load_n(&all_locks, __ATOMIC_ACQUIRE);
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
	const struct lock *lock = lock_after(stats->at);
	const struct lock *other = NULL;

	while (lock && !is_last_of_name(lock))
		lock = lock->next;
	if (!lock)
		return false;
	*stats = (struct lock_stats){ .at = lock, .name = lock->name };
	while ((other = lock_after(other))) {
		if (!strcmp(other->name, lock->name))
			add(stats, other);
	}
	return true;
}

const char *lock_name(unsigned int number)
{
	const struct lock *lock = NULL;

	while ((lock = lock_after(lock))) {
		if (lock->number == number)
			return lock->name;
	}
	return NULL;
}
