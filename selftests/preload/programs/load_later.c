// SPDX-License-Identifier: MIT
/*
 * Not preloaded: loads the library named by the argument into a running
 * program that has a heap and threads of its own, 50 times.
 */
#include <pthread.h>
#include <semaphore.h>

#include "program.h"

static sem_t loaded;
static void *(*hak_malloc)(size_t size);
static void (*hak_free)(void *p);

static void *wait_and_allocate(void *arg)
{
	char *p;

	sem_wait(&loaded);
	p = hak_malloc(1000);
	CHECK(p);
	memset(p, 1, 1000);
	hak_free(p);
	return arg;
}

int main(int argc, char **argv)
{
	char *mine = malloc(1000);
	pthread_t thread;
	int i;

	CHECK(argc == 2);
	sem_init(&loaded, 0, 0);
	CHECK(!pthread_create(&thread, NULL, wait_and_allocate, NULL));
	for (i = 0; i < 50; i++) {
		void *library = dlopen(argv[1], RTLD_NOW);

		if (!library)
			fprintf(stderr, "%s\n", dlerror());
		CHECK(library);
		*(void **)&hak_malloc = dlsym(library, "hak_malloc");
		*(void **)&hak_free = dlsym(library, "hak_free");
		CHECK(hak_malloc && hak_free);
		hak_free(hak_malloc(100));
		free(malloc(100));
		CHECK(!dlclose(library));
	}
	sem_post(&loaded);
	pthread_join(thread, NULL);
	free(mine);
	return finish();
}
