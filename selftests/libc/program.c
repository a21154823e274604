// SPDX-License-Identifier: MIT
/*
 * A program like any other, for a C library with our malloc in it: blocks of
 * all sizes in several threads, children, streams. With an argument it frees
 * what is no block, and what is said then tells whose malloc it was.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../harness/check_program.h"

#define BLOCKS	200
#define ROUNDS	40

static atomic_bool stop;

static size_t size_of(unsigned int number)
{
	number *= 2654435761U;
	return (number >> 8) % (1U << number % 20) + 1;
}

static void churn(unsigned int seed)
{
	unsigned char *p[BLOCKS] = { NULL };
	size_t sizes[BLOCKS];
	unsigned int i, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = round % 2; i < BLOCKS; i += 2) {
			if (p[i])
				CHECK(p[i][0] == (unsigned char)i &&
				      p[i][sizes[i] - 1] == (unsigned char)i);
			free(p[i]);
			sizes[i] = size_of(seed + i * ROUNDS + round);
			p[i] = i % 3 ? malloc(sizes[i]) : calloc(1, sizes[i]);
			CHECK(p[i] && (i % 3 || !p[i][sizes[i] / 2]));
			CHECK(malloc_usable_size(p[i]) >= sizes[i]);
			memset(p[i], (int)i, sizes[i]);
		}
		i = round * 7 % BLOCKS;
		if (p[i]) {
			p[i] = realloc(p[i], sizes[i] * 2);
			CHECK(p[i] && p[i][0] == (unsigned char)i);
			memset(p[i], (int)i, sizes[i] *= 2);
		}
	}
	for (i = 0; i < BLOCKS; i++)
		free(p[i]);
}

static void *run_thread(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!stop)
		churn(seed++);
	return NULL;
}

static void run_child(void)
{
	pthread_t thread;

	churn(7);
	stop = 1;
	CHECK(!pthread_create(&thread, NULL, run_thread, NULL));
	CHECK(!pthread_join(thread, NULL));
	_exit(0);
}

static void use_threads_and_fork(void)
{
	/* An emulator may hang in the child of a process with threads. */
	unsigned int i, n = getenv("EMULATOR") ? 0 : 3;
	pthread_t threads[3], passing;
	int status;
	pid_t pid;

	for (i = 0; i < n; i++)
		CHECK(!pthread_create(&threads[i], NULL, run_thread,
				      (void *)(uintptr_t)(i * 1000)));
	for (i = 0; i < 40; i++) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			run_child();
		CHECK(waitpid(pid, &status, 0) == pid && !status);
	}
	stop = 1;
	for (i = 0; i < n; i++)
		CHECK(!pthread_join(threads[i], NULL));
	for (i = 0; i < 300; i++) {
		CHECK(!pthread_create(&passing, NULL, run_thread, NULL));
		CHECK(!pthread_join(passing, NULL));
	}
}

static void use_library(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream;
	void *p;

	stream = open_memstream(&text, &size);
	CHECK(stream && fprintf(stream, "%0*d", 100000, 1) == 100000);
	CHECK(!fclose(stream) && size == 100000);
	free(text);
	CHECK(!posix_memalign(&p, 4096, 100) && !((uintptr_t)p % 4096));
	free(p);
	p = aligned_alloc(64, 640);
	CHECK(p && !((uintptr_t)p % 64));
	p = realloc(p, 0);
	CHECK(p);
	free(p);
	CHECK(!malloc((size_t)-1));
}

int main(int argc, char **argv)
{
	char *volatile p;

	(void)argv;
	if (argc > 1) {
		p = malloc(100);
		free(p + 16);
		return 0;
	}
	use_library();
	churn(1);
	use_threads_and_fork();
	puts("done");
	return 0;
}
