// SPDX-License-Identifier: MIT
/*
 * Ends of processes that nobody chose: exit() beside threads that come and go,
 * and in a signal handler that interrupted malloc() or free(). No child may
 * hang, crash, or find a mistake in what it was just doing.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

#define ROUNDS		40
#define SPAWNERS	3
#define OBJECTS		64

/* Sizes of all tiers, so that exit() finds any of them at work. */
static size_t size_of(unsigned int i)
{
	return i % 50 ? i * 37 % 3000 + 1 : i * 4099 % 200000 + 1;
}

static void churn(unsigned int rounds)
{
	void *objects[OBJECTS] = { NULL };
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		free(objects[i % OBJECTS]);
		objects[i % OBJECTS] = malloc(size_of(i));
		CHECK(objects[i % OBJECTS]);
	}
	for (i = 0; i < OBJECTS; i++)
		free(objects[i]);
}

static void *live_shortly(void *arg)
{
	churn(300);
	return arg;
}

static void *spawn(void *arg)
{
	pthread_t thread;

	for (;;) {
		if (pthread_create(&thread, NULL, live_shortly, NULL))
			continue;
		live_shortly(NULL);
		pthread_join(thread, NULL);
	}
	return arg;
}

static void exit_beside_threads(unsigned int round)
{
	pthread_t thread;
	int i;

	for (i = 0; i < SPAWNERS; i++)
		CHECK(!pthread_create(&thread, NULL, spawn, NULL));
	usleep(round * 150);
	churn(100);
	exit(0);
}

static void end(int signal)
{
	exit(signal == SIGPROF ? 0 : 1);
}

static void exit_in_a_handler(unsigned int round)
{
	const struct itimerval timer = {
		.it_value.tv_usec = 500 + 37 * (suseconds_t)round,
	};

	CHECK(signal(SIGPROF, end) != SIG_ERR);
	CHECK(!setitimer(ITIMER_PROF, &timer, NULL));
	for (;;)
		churn(10000);
}

static void in_children(void (*fn)(unsigned int round))
{
	unsigned int round;
	int status;
	pid_t pid;

	for (round = 0; round < ROUNDS; round++) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			alarm(20);
			fn(round);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(!status);
	}
}

int main(void)
{
	need_hakmem();
	in_children(exit_beside_threads);
	in_children(exit_in_a_handler);
	return finish();
}
