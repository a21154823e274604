// SPDX-License-Identifier: MIT
/*
 * Forks in a loop beside threads that allocate; the children use libc, which
 * allocates too.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

static atomic_bool stop;

static void *allocate(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg;
	void *p[32] = { NULL };
	int i;

	while (!stop) {
		i = rand_r(&seed) % 32;
		free(p[i]);
		p[i] = malloc((size_t)(rand_r(&seed) % 30000));
	}
	for (i = 0; i < 32; i++)
		free(p[i]);
	return NULL;
}

static _Noreturn void live_as_child(void)
{
	FILE *file = tmpfile();
	char *text = NULL;
	size_t size;

	/* The default action ends a child that hangs, and so the test. */
	alarm(10);
	CHECK(file && fputs("line\n", file) >= 0);
	rewind(file);
	CHECK(getline(&text, &size, file) == 5);
	free(text);
	fclose(file);
	free(malloc(3000000));
	exit(0);
}

int main(void)
{
	pthread_t threads[4];
	/* An emulator may hang in the child of a process with threads. */
	size_t nr_threads = getenv("EMULATOR") ? 0 : 4;
	size_t i;
	int status;
	pid_t pid;

	need_hakmem();
	for (i = 0; i < nr_threads; i++)
		CHECK(!pthread_create(&threads[i], NULL, allocate,
				      (void *)(i + 1)));
	for (i = 0; i < 150; i++) {
		fflush(NULL);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			live_as_child();
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(!status);
	}
	stop = true;
	for (i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	return finish();
}
