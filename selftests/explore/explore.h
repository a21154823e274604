/* SPDX-License-Identifier: MIT */
/*
 * All interleavings of a few threads.
 *
 * The threads are contexts of one thread, which change at the yield points of
 * include/lib/compiler.h only. Wherever more than one could go on, the process
 * forks and tries each. Orders that differ only in steps that have nothing to
 * do with each other are one: sleep sets leave out all but the first, and a
 * step that has nothing to do with any of another thread is taken at once.
 * Steps on the same word or lock have, unless both read; so have a read and a
 * step that was ever seen to change what is read. That is learned on the way,
 * and with anything new all begins once more. Orders also end where they meet
 * another's state: all static data, records and stacks are the same.
 */
#ifndef SELFTESTS_EXPLORE_H
#define SELFTESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_THREADS_MAX	3

/**
 * struct scenario - what runs
 * @name: in the output
 * @prepare: before the threads, once
 * @threads: what each does, up to the first NULL
 * @look: now and then; looks at what must be true at any time
 * @finish: behind the threads in each order; looks at the result
 */
struct scenario {
	const char *name;
	void (*prepare)(void);
	void (*threads[EXPLORE_THREADS_MAX])(void);
	void (*look)(void);
	void (*finish)(void);
};

/**
 * struct explored - what was run
 * @orders: to the end of all threads
 * @same: orders left when it showed that another had been the same
 * @met: orders left in a state that another had been in
 * @steps: from yield point to yield point
 * @longest: steps of the longest order
 * @rounds: times that all began
 */
struct explored {
	unsigned long orders;
	unsigned long same;
	unsigned long met;
	unsigned long steps;
	unsigned long longest;
	unsigned int rounds;
};

/**
 * explore() - Run a scenario in every order.
 * @scenario: which
 * @orders_max: give up then; those that are left early count as well
 * @explored: out
 *
 * Return: false when one of them failed, with the order on stderr, or when
 * there were too many.
 */
bool explore(const struct scenario *scenario, unsigned long orders_max,
	     struct explored *explored);

/* In a thread or in finish(): this order is a failure. */
void __attribute__((noreturn, format(printf, 1, 2)))
explore_fail(const char *format, ...);

/* Zeroed memory of its own. */
void *explore_map(size_t size, int flags);

/* Which thread runs, from 0. */
unsigned int explore_thread(void);

#endif /* SELFTESTS_EXPLORE_H */
