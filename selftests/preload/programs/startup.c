// SPDX-License-Identifier: MIT
/*
 * What a process pays for the library before it does anything, and the growth
 * of sixty threads to where nothing is left.
 *
 *	startup self|true|python|grow
 */
#include <link.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

#define RUNS	200

/**
 * struct cost - of running /bin/true
 * @ms: median, from start to end
 * @kib: largest resident size
 */
struct cost {
	double ms;
	double kib;
};

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static struct cost run_true(char *const *environment)
{
	static char program[] = "/bin/true";
	char *const argv[] = { program, NULL };
	double ms[RUNS], start;
	struct rusage usage;
	int i, status;
	pid_t pid;

	for (i = 0; i < RUNS; i++) {
		start = milliseconds();
		CHECK(!posix_spawn(&pid, program, NULL, NULL, argv,
				   environment));
		CHECK(wait4(pid, &status, 0, &usage) == pid && !status);
		ms[i] = milliseconds() - start;
	}
	qsort(ms, RUNS, sizeof(*ms), compare);
	return (struct cost){ ms[RUNS / 2], (double)usage.ru_maxrss };
}

static void start_another(void)
{
	char preload[4096 + 16];
	char *const with[] = { preload, NULL };
	char *const without[] = { NULL };
	struct cost ours, bare;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
		 getenv("LD_PRELOAD"));
	ours = run_true(with);
	bare = run_true(without);
	at_most("start of /bin/true, ms longer", ours.ms - bare.ms, 1);
	at_most("start of /bin/true, KiB more", ours.kib - bare.kib, 1024);
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t *tls = arg;
	int i;

	(void)size;
	if (!strstr(info->dlpi_name, "libhakmem"))
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			*tls = info->dlpi_phdr[i].p_memsz;
	return 1;
}

static void look_at_oneself(void)
{
	size_t tls = 0;

	free(malloc(1));
	at_most("VmData at the start, MiB", status_kib("VmData:") / 1024, 16);
	CHECK(dl_iterate_phdr(look_at_object, &tls) == 1);
	at_most("static TLS, bytes", (double)tls, 64);
}

/* The largest program that is about everywhere. */
static void start_with_few_addresses(void)
{
	static char program[] = "/usr/bin/python3";
	char *const argv[] = { program, "-c", "print('x' * 1000)", NULL };
	const struct rlimit limit = { 20 * MIB, 20 * MIB };
	int status;
	pid_t pid;

	if (access(program, X_OK)) {
		printf("# %s is not installed\n", program);
		return;
	}
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		CHECK(freopen("/dev/null", "w", stdout));
		CHECK(!setrlimit(RLIMIT_AS, &limit));
		execv(program, argv);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("# python3 with 20 MiB of addresses: %s\n",
	       status ? "fails" : "works");
	CHECK(!status);
}

/* As LTP's mallocstress: 50 blocks, each so many times the one before. */
static void *grow(void *arg)
{
	const size_t factor = 2 + (size_t)arg % 3;
	char *objs[50];
	size_t size;
	int i, n;

	for (i = 0; i < 10; i++) {
		size = 5;
		for (n = 0; n < 50 && (objs[n] = malloc(size)); n++) {
			objs[n][0] = 1;
			objs[n][size - 1] = 1;
			size *= factor;
		}
		CHECK(n > 10 && n < 50);
		while (n)
			free(objs[--n]);
	}
	return arg;
}

static void grow_in_threads(void)
{
	double start = milliseconds();
	pthread_t threads[60];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		CHECK(!pthread_create(&threads[i], NULL, grow, (void *)i));
	for (i = 0; i < ARRAY_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	at_most("60 threads that grow till NULL ten times, s",
		(milliseconds() - start) / 1000, 10);
}

int main(int argc, char **argv)
{
	need_hakmem();
	CHECK(argc == 2);
	if (!strcmp(argv[1], "self"))
		look_at_oneself();
	else if (!strcmp(argv[1], "true"))
		start_another();
	else if (!strcmp(argv[1], "python"))
		start_with_few_addresses();
	else
		grow_in_threads();
	return finish();
}
