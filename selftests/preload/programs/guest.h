/* SPDX-License-Identifier: MIT */
/*
 * What a program does that has a malloc of its own: every name that its malloc
 * may lack and the preloaded library has, and what libc allocates inside.
 */
#ifndef SELFTESTS_GUEST_H
#define SELFTESTS_GUEST_H

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

#define GUEST_BLOCKS	200

static void *volatile guest_hidden;

/* The library must be there, and malloc must not be its. */
static inline void need_guest(void)
{
	Dl_info info;

	CHECK(dlsym(RTLD_DEFAULT, "hak_malloc"));
	CHECK(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info));
	CHECK(!strstr(info.dli_fname, "libhakmem"));
}

static inline void *hide(void *block)
{
	guest_hidden = block;
	return guest_hidden;
}

static inline void reallocate(void)
{
	const volatile size_t huge = SIZE_MAX / 2;
	char *block = hide(reallocarray(NULL, 10, 10));

	CHECK(block);
	strcpy(block, "content");
	block = hide(reallocarray(block, 100, 100));
	CHECK(block && !strcmp(block, "content"));
	block = hide(realloc(block, 50));
	block = hide(reallocarray(block, 3, 7));
	CHECK(block && !strcmp(block, "content"));
	CHECK(!reallocarray(block, huge, huge));
	free(block);
}

static inline void libc_allocates(void)
{
	char *line = NULL, *text = NULL;
	size_t size = 0;
	FILE *stream;

	text = strdup("some text");
	CHECK(text);
	free(text);
	CHECK(asprintf(&text, "%d and %s", 42, "more") > 0);
	stream = fmemopen(text, strlen(text), "r");
	CHECK(stream && getline(&line, &size, stream) > 0);
	fclose(stream);
	free(line);
	free(text);
	CHECK((text = realpath("/proc/self", NULL)));
	free(text);
	CHECK(!dlopen("/no/such/library", RTLD_LAZY) && dlerror());
	malloc_trim(0);
}

static inline void *churn(void *unused)
{
	void *blocks[GUEST_BLOCKS];
	size_t i;

	for (i = 0; i < GUEST_BLOCKS; i++) {
		CHECK((blocks[i] = hide(malloc(i * 37))));
		memset(blocks[i], 1, i * 37);
	}
	for (i = 0; i < GUEST_BLOCKS; i++)
		free(blocks[i]);
	return unused;
}

static inline void threads_and_children(void)
{
	pthread_t thread;
	int status;
	pid_t pid;

	CHECK(!pthread_create(&thread, NULL, churn, NULL));
	CHECK(!pthread_join(thread, NULL));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		churn(NULL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status);
}

static inline int be_a_guest(void)
{
	need_guest();
	reallocate();
	libc_allocates();
	threads_and_children();
	return finish();
}

#endif /* SELFTESTS_GUEST_H */
