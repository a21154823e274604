// SPDX-License-Identifier: MIT
/*
 * Threads that free what the one before them has allocated.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_THREADS	8
#define NR_BLOCKS	4000

struct work {
	pthread_t thread;
	char *blocks[NR_BLOCKS];
	char **inherited;
	int wrong;
};

static size_t size_of(unsigned int block)
{
	return 1 + block * 37 % 5000;
}

static void *run(void *data)
{
	struct work *work = data;
	unsigned int i;

	for (i = 0; i < NR_BLOCKS; i++) {
		work->blocks[i] = malloc(size_of(i));
		if (!work->blocks[i])
			abort();
		memset(work->blocks[i], (int)i, size_of(i));
		if (!work->inherited)
			continue;
		if (work->inherited[i][size_of(i) - 1] != (char)i)
			work->wrong++;
		free(work->inherited[i]);
	}
	return NULL;
}

int main(void)
{
	struct work *works = calloc(NR_THREADS, sizeof(*works));
	int wrong = 0;
	unsigned int i;

	/* Two at a time: the second pair frees what the first has left. */
	for (i = 0; works && i < NR_THREADS; i++) {
		works[i].inherited = i < 2 ? NULL : works[i - 2].blocks;
		if (i >= 2)
			pthread_join(works[i - 2].thread, NULL);
		if (pthread_create(&works[i].thread, NULL, run, &works[i]))
			return 1;
	}
	for (i = NR_THREADS - 2; works && i < NR_THREADS; i++)
		pthread_join(works[i].thread, NULL);
	for (i = 0; works && i < NR_THREADS; i++)
		wrong += works[i].wrong;
	free(works);
	printf("%d wrong bytes\n", wrong);
	if (!works || wrong)
		return 1;
	puts("done");
	return 0;
}
