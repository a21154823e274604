// SPDX-License-Identifier: MIT
/*
 * Run one test, in a process of its own if that is wanted, and find out how it
 * ended.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"

/* What the test says of itself; in memory that the parent shares. */
struct verdict {
	bool failed;
	int line;
	const char *file;
	char message[sizeof(((TestResult *)NULL)->message)];
};

static struct verdict *verdict;
static bool has_process;	/* of its own, in which the test runs now */
static jmp_buf in_process;

/* The process group of the test that runs, for who interrupts the runner. */
static volatile sig_atomic_t running;

void _ck_assert_failed(const char *file, int line, const char *expression,
		       const char *format, ...)
{
	va_list args;

	(void)expression;
	va_start(args, format);
	vsnprintf(verdict->message, sizeof(verdict->message), format, args);
	va_end(args);
	verdict->file = file;
	verdict->line = line;
	verdict->failed = true;
	if (has_process)
		exit(EXIT_FAILURE);
	longjmp(in_process, 1);
}

static void end_group_too(int signal)
{
	if (running)
		kill(-running, SIGKILL);
	raise(signal);
}

/* Once: the handlers let go of themselves, so that raise() ends the runner. */
static void watch_interrupts(void)
{
	const struct sigaction action = {
		.sa_handler = end_group_too,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void prepare(void)
{
	if (!verdict) {
		verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (verdict == MAP_FAILED)
			abort();
		watch_interrupts();
	}
	verdict->failed = false;
}

static _Noreturn void run_child(const TestResult *result,
				const sigset_t *mask)
{
	setpgid(0, 0);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	has_process = true;
	result->tcase->test->fn(result->repetition);
	exit(EXIT_SUCCESS);
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) +
	       (double)(now.tv_nsec - begin->tv_nsec) * 1e-9;
}

/* SIGCHLD is blocked. Return: false when the child is still there. */
static bool wait_for(pid_t pid, int *status, double timeout,
		     const sigset_t *sigchld)
{
	struct timespec begin, rest;
	double left;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (waitpid(pid, status, WNOHANG) != pid) {
		left = timeout - seconds_since(&begin);
		if (left <= 0)
			return false;
		rest.tv_sec = (time_t)left;
		rest.tv_nsec = (long)((left - (double)rest.tv_sec) * 1e9);
		sigtimedwait(sigchld, NULL, &rest);
	}
	return true;
}

/* Say how the process ended, unless that is how it had to. */
__attribute__((format(printf, 2, 3)))
static void complain(TestResult *result, const char *format, ...)
{
	va_list args;

	result->type = CK_ERROR;
	va_start(args, format);
	vsnprintf(result->message, sizeof(result->message), format, args);
	va_end(args);
}

static void judge(TestResult *result, int status)
{
	int expected = result->tcase->signal;

	if (WIFSIGNALED(status) && WTERMSIG(status) != expected)
		complain(result, "Received signal %d (%s)%s", WTERMSIG(status),
			 strsignal(WTERMSIG(status)),
			 expected ? ", not the expected one" : "");
	else if (WIFEXITED(status) && expected)
		complain(result, "Early exit with return value %d, "
			 "not death from signal %d", WEXITSTATUS(status),
			 expected);
	else if (WIFEXITED(status) &&
		 WEXITSTATUS(status) != result->tcase->exit_code)
		complain(result, "Early exit with return value %d",
			 WEXITSTATUS(status));
}

static void run_in_child(TestResult *result)
{
	sigset_t sigchld, mask;
	int status = 0;
	pid_t pid;
	bool ended;

	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sigchld, &mask);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid)
		run_child(result, &mask);
	/* Here as well: whoever of the two comes first. */
	setpgid(pid, pid);
	running = pid;
	ended = wait_for(pid, &status, result->tcase->timeout, &sigchld);
	/* And what it has left behind */
	kill(-pid, SIGKILL);
	while (!ended && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	running = 0;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (!ended)
		complain(result, "Test timeout expired");
	else if (!verdict->failed)
		judge(result, status);
}

void run_test(TestResult *result, enum fork_status fork_status)
{
	prepare();
	result->file = result->tcase->test->file;
	result->line = result->tcase->test->line;
	if (fork_status == CK_FORK)
		run_in_child(result);
	else if (!setjmp(in_process))
		result->tcase->test->fn(result->repetition);
	if (result->type != CK_PASS || !verdict->failed)
		return;
	result->type = CK_FAILURE;
	result->file = verdict->file;
	result->line = verdict->line;
	memcpy(result->message, verdict->message, sizeof(result->message));
}
