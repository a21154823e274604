// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"

enum { NR_THREADS = 3, NR_BLOCKS = 200, NR_FORKS = 30 };

static atomic_bool stop;
static pthread_key_t late_key;

static void churn(void)
{
	char *blocks[NR_BLOCKS];

	for (size_t i = 0; i < NR_BLOCKS; i++) {
		size_t size = 1 + i * i % 9000;

		blocks[i] = malloc(size);
		CHECK(blocks[i]);
		memset(blocks[i], (int)i, size);
	}
	for (size_t i = 0; i < NR_BLOCKS; i++) {
		CHECK(blocks[i][0] == (char)i);
		free(blocks[i]);
	}
}

/* Runs among the key destructors, maybe after the library's own */
static void allocate_late(void *block)
{
	free(block);
	churn();
}

static void *run_short_thread(void *unused)
{
	(void)unused;
	CHECK(pthread_setspecific(late_key, malloc(30)) == 0);
	churn();
	return NULL;
}

static void *run_thread(void *unused)
{
	pthread_t thread;

	(void)unused;
	while (!atomic_load(&stop)) {
		churn();
		CHECK(!pthread_create(&thread, NULL, run_short_thread, NULL));
		CHECK(!pthread_join(thread, NULL));
	}
	return NULL;
}

static void run_child(void)
{
	pthread_t thread;

	churn();
	CHECK(!pthread_create(&thread, NULL, run_short_thread, NULL));
	CHECK(!pthread_join(thread, NULL));
	_exit(0);
}

void use_threads_and_fork(void)
{
	pthread_t threads[NR_THREADS];
	/* An emulator may hang in the child of a process with threads. */
	int nr_threads = getenv("EMULATOR") ? 0 : NR_THREADS;

	CHECK(!pthread_key_create(&late_key, allocate_late));
	for (int i = 0; i < nr_threads; i++)
		CHECK(!pthread_create(&threads[i], NULL, run_thread, NULL));
	for (int i = 0; i < NR_FORKS; i++) {
		int status;
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0)
			run_child();
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < nr_threads; i++)
		CHECK(!pthread_join(threads[i], NULL));
}
