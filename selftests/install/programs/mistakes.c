// SPDX-License-Identifier: MIT
/*
 * Two threads that write without a lock, a block that is leaked, and a read
 * behind it: one mistake for each sanitizer.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int *shared;

static void *write_shared(void *arg)
{
	(void)arg;
	shared[0]++;
	return NULL;
}

int main(void)
{
	volatile int behind = 1;
	pthread_t thread;
	int sum;

	shared = malloc(sizeof(*shared));
	if (!shared || pthread_create(&thread, NULL, write_shared, NULL))
		return 2;
	shared[0] = 1;
	pthread_join(thread, NULL);
	sum = shared[0] + shared[behind];
	shared = NULL;
	printf("%s\n", sum ? "done" : "nothing");
	return 0;
}
