// SPDX-License-Identifier: MIT
/*
 * Allocates in exit handlers and in the last destructor, with the objects of
 * other threads still alive.
 */
#include <pthread.h>
#include <unistd.h>

#include "program.h"

static char *kept;

static __attribute__((destructor(101))) void destruct(void)
{
	char *p = malloc(10000);

	CHECK(p && kept);
	memset(p, 1, 10000);
	free(p);
	free(kept);
	CHECK(write(STDOUT_FILENO, "fine\n", 5) == 5);
}

static void at_exit(void)
{
	kept = realloc(kept, 5000);
	CHECK(kept);
	free(malloc(16));
}

static void *allocate(void *arg)
{
	for (;;)
		free(malloc((size_t)rand() % 5000));
	return arg;
}

int main(void)
{
	pthread_t thread;

	need_hakmem();
	kept = malloc(50);
	atexit(at_exit);
	CHECK(!pthread_create(&thread, NULL, allocate, NULL));
	usleep(1000);
	return 0;
}
