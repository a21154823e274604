// SPDX-License-Identifier: MIT
/*
 * What threads cost that live, and what those leave behind that went.
 *
 *	live_threads live|first|keys|rounds
 */
#include <limits.h>
#include <pthread.h>

#include "program.h"

#define MANY		2000
#define STACK		(64 * KIB)

static pthread_barrier_t started, may_end;

static void *rest(void *arg)
{
	pthread_barrier_wait(&started);
	pthread_barrier_wait(&may_end);
	return arg;
}

static void *hold_one(void *arg)
{
	char *p = malloc(100);

	CHECK(p);
	memset(p, 1, 100);
	rest(arg);
	free(p);
	return arg;
}

static void *hold_two(void *arg)
{
	char *p = malloc(24), *q = malloc(2000);

	CHECK(p && q);
	memset(p, 1, 24);
	memset(q, 2, 2000);
	rest(arg);
	free(p);
	free(q);
	return arg;
}

/* Return: KiB that are resident while so many threads live. */
static double live(void *(*run)(void *arg), unsigned int n)
{
	static pthread_t threads[MANY];
	pthread_attr_t attr;
	unsigned int i;
	double kib;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_barrier_init(&started, NULL, n + 1);
	pthread_barrier_init(&may_end, NULL, n + 1);
	for (i = 0; i < n; i++)
		CHECK(!pthread_create(&threads[i], &attr, run, NULL));
	pthread_barrier_wait(&started);
	kib = status_kib("VmRSS:");
	pthread_barrier_wait(&may_end);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return kib;
}

static void first_request(void)
{
	double none = live(rest, 500), one = live(hold_one, 500);

	at_most("KiB of a thread that allocates once", (one - none) / 500, 16);
}

static pthread_key_t key;

/* In each of the four rounds that POSIX grants. */
static void destroy(void *value)
{
	char *left = value, *p = malloc(700), *q = calloc(1, 30000), *next;

	CHECK(p && q && !q[0]);
	memset(p, 1, 700);
	q[0] = 1;
	if (*left > 1) {
		next = malloc(16);
		CHECK(next);
		*next = (char)(*left - 1);
		pthread_setspecific(key, next);
	}
	free(left);
	free(p);
	free(q);
}

static void *leave_to_destructors(void *arg)
{
	char *left = malloc(16);

	CHECK(left);
	*left = 4;
	pthread_setspecific(key, left);
	return arg;
}

static void run_rounds(void)
{
	double before, most = 0;
	pthread_t thread;
	int round, i;

	CHECK(!pthread_key_create(&key, destroy));
	for (round = 0; round < 4; round++) {
		before = status_kib("VmRSS:");
		for (i = 0; i < 3500; i++) {
			CHECK(!pthread_create(&thread, NULL,
					      leave_to_destructors, NULL));
			pthread_join(thread, NULL);
		}
		if (status_kib("VmRSS:") - before > most)
			most = status_kib("VmRSS:") - before;
	}
	at_most("KiB left by 3500 threads with allocating destructors", most,
		2048);
}

/* All keys are the program's, and stacks are as small as they may be. */
static void take_keys(void)
{
	pthread_attr_t attr;
	pthread_key_t any;
	pthread_t thread;
	int keys = 0, i;
	double before;

	while (!pthread_key_create(&any, NULL))
		keys++;
	at_least("keys that the program could have", keys,
		 PTHREAD_KEYS_MAX - 8);
	pthread_attr_init(&attr);
	CHECK(!pthread_attr_setstacksize(&attr, (size_t)PTHREAD_STACK_MIN));
	pthread_barrier_init(&started, NULL, 1);
	pthread_barrier_init(&may_end, NULL, 1);
	before = status_kib("VmRSS:");
	for (i = 0; i < 3500; i++) {
		CHECK(!pthread_create(&thread, &attr, hold_two, NULL));
		pthread_join(thread, NULL);
	}
	at_most("KiB left by 3500 threads with the least stack",
		status_kib("VmRSS:") - before, 2048);
}

int main(int argc, char **argv)
{
	need_hakmem();
	CHECK(argc == 2);
	if (!strcmp(argv[1], "live"))
		at_most("MiB of a process with 2000 threads that hold two",
			live(hold_two, MANY) / 1024, 40);
	else if (!strcmp(argv[1], "first"))
		first_request();
	else if (!strcmp(argv[1], "keys"))
		take_keys();
	else
		run_rounds();
	return finish();
}
