// SPDX-License-Identifier: MIT
/*
 * Forks in many situations, for a while. A child that does not end within ten
 * seconds counts as one that hangs.
 *
 *	fork_storm KIND,SECONDS
 *
 * KIND is busy: beside four threads that allocate; rate: the same with children
 * that do little, and how many of them in half a second; two: from two threads
 * at once; stdio: beside threads that hold stdio's locks; handler: in a signal
 * handler, which interrupts fork() and the allocator; spawn: by posix_spawn(),
 * vfork() and system().
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

#define HANG_SECONDS	10
#define RATE_LEAST	600

static atomic_bool stop;
static atomic_int forks;
static double end;

static void *allocate(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg;
	void *p[64] = { NULL };
	int i;

	while (!stop) {
		i = rand_r(&seed) % 64;
		free(p[i]);
		p[i] = malloc((size_t)rand_r(&seed) %
			      (rand_r(&seed) % 50 ? 3000 : 400000));
	}
	for (i = 0; i < 64; i++)
		free(p[i]);
	return NULL;
}

static void *print(void *arg)
{
	FILE *file = fopen("/dev/null", "we");
	char *text = NULL;
	size_t size = 0;
	FILE *memory;

	CHECK(file);
	while (!stop) {
		memory = open_memstream(&text, &size);
		CHECK(memory && fprintf(memory, "%p %1000d\n", arg, 1) > 0);
		fclose(memory);
		CHECK(fputs(text, file) >= 0);
		free(text);
		fflush(NULL);
	}
	fclose(file);
	return NULL;
}

static void use_memory(void)
{
	static const size_t sizes[] = { 30, 700, 5000, 30000, 400000, 3000000 };
	char *p[ARRAY_LENGTH(sizes)];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		p[i] = malloc(sizes[i]);
		CHECK(p[i]);
		p[i][0] = p[i][sizes[i] - 1] = 1;
	}
	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		free(p[i]);
}

/* Its default action ends the child, and the parent sees that it did. */
static _Noreturn void live_as_child(void)
{
	signal(SIGALRM, SIG_DFL);
	alarm(HANG_SECONDS);
	use_memory();
	_exit(0);
}

static void reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(!status);
	forks++;
}

static void *fork_on(void *arg)
{
	pid_t pid;

	while (milliseconds() < end) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			live_as_child();
		reap(pid);
	}
	return arg;
}

static void fork_from_two(void)
{
	pthread_t other;

	CHECK(!pthread_create(&other, NULL, fork_on, NULL));
	fork_on(NULL);
	pthread_join(other, NULL);
}

static _Noreturn void live_briefly(void)
{
	alarm(HANG_SECONDS);
	free(malloc(100));
	free(malloc(100000));
	_exit(0);
}

/* The machine may have other things to do: the best of many looks. */
static void fork_at_full_rate(void)
{
	double start, stop_at, rate, best = 0;
	int before;
	pid_t pid;

	while (milliseconds() < end && best < RATE_LEAST) {
		before = forks;
		start = milliseconds();
		stop_at = start + 500;
		while (milliseconds() < stop_at) {
			pid = fork();
			CHECK(pid >= 0);
			if (!pid)
				live_briefly();
			reap(pid);
		}
		rate = (forks - before) * 2000 / (milliseconds() - start);
		if (rate > best)
			best = rate;
	}
	at_least("forks in 2 s beside four busy threads", best, RATE_LEAST);
}

static volatile sig_atomic_t depth;

static void fork_in_handler(int signal)
{
	int saved = errno;
	pid_t pid;

	(void)signal;
	if (depth)
		return;
	depth++;
	pid = fork();
	CHECK(pid >= 0);
	/* Goes back to what was interrupted, and must be able to end it. */
	if (!pid) {
		alarm(HANG_SECONDS);
		end = 0;
		return;
	}
	reap(pid);
	depth--;
	errno = saved;
}

static void fork_in_handlers(void)
{
	const struct sigaction action = {
		.sa_handler = fork_in_handler,
		.sa_flags = SA_RESTART,
	};
	const struct itimerval tick = { { 0, 1500 }, { 0, 1500 } };
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };
	pid_t pid;

	CHECK(!sigaction(SIGVTALRM, &action, NULL));
	while (milliseconds() < end) {
		CHECK(!setitimer(ITIMER_VIRTUAL, &tick, NULL));
		pid = fork();
		CHECK(pid >= 0);
		if (!pid || !end) {
			setitimer(ITIMER_VIRTUAL, &none, NULL);
			live_as_child();
		}
		use_memory();
		if (!end)
			live_as_child();
		setitimer(ITIMER_VIRTUAL, &none, NULL);
		if (!end)
			live_as_child();
		reap(pid);
	}
}

static void spawn_on(void)
{
	static char program[] = "/bin/true";
	char *const argv[] = { program, NULL };
	char *const environment[] = { NULL };
	pid_t pid;

	while (milliseconds() < end) {
		CHECK(!posix_spawn(&pid, program, NULL, NULL, argv,
				   environment));
		reap(pid);
		pid = vfork();
		if (!pid) {
			execve(program, argv, environment);
			_exit(1);
		}
		CHECK(pid > 0);
		reap(pid);
		CHECK(!system("exit 0"));
		forks++;
	}
}

static void run(const char *kind)
{
	if (!strncmp(kind, "two", 3))
		fork_from_two();
	else if (!strncmp(kind, "handler", 7))
		fork_in_handlers();
	else if (!strncmp(kind, "spawn", 5))
		spawn_on();
	else if (!strncmp(kind, "rate", 4))
		fork_at_full_rate();
	else
		fork_on(NULL);
}

int main(int argc, char **argv)
{
	void *(*work)(void *arg);
	pthread_t threads[4];
	double seconds;
	size_t i, n;

	need_hakmem();
	CHECK(argc == 2 && strchr(argv[1], ','));
	seconds = strtod(strchr(argv[1], ',') + 1, NULL);
	work = strncmp(argv[1], "stdio", 5) ? allocate : print;
	/* Nothing but forks is interrupted there. */
	n = strncmp(argv[1], "handler", 7) ? ARRAY_LENGTH(threads) : 0;
	for (i = 0; i < n; i++)
		CHECK(!pthread_create(&threads[i], NULL, work,
				      (void *)(i + 1)));
	end = milliseconds() + seconds * 1000;
	run(argv[1]);
	stop = true;
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("# %s seconds: %d children, none hung\n", argv[1], forks);
	return finish();
}
