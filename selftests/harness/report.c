// SPDX-License-Identifier: MIT
/*
 * Run something that may die in a process of its own.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "report.h"

struct stream {
	int fd;
	char *text;
	size_t size;
	size_t used;
};

/* Read what there is; what does not fit is dropped, so the writer goes on. */
static bool read_some(struct stream *stream)
{
	char rest[512];
	size_t room = stream->size - 1 - stream->used;
	ssize_t got;

	if (!room)
		return read(stream->fd, rest, sizeof(rest)) > 0;
	got = read(stream->fd, stream->text + stream->used, room);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	stream->used += (size_t)got;
	stream->text[stream->used] = '\0';
	return true;
}

static void read_streams(struct stream *streams, int count)
{
	struct pollfd fds[2];
	int i, open = count;

	for (i = 0; i < count; i++) {
		fds[i] = (struct pollfd){ streams[i].fd, POLLIN, 0 };
		streams[i].text[0] = '\0';
	}
	while (open) {
		if (poll(fds, (nfds_t)count, -1) < 0 && errno != EINTR)
			abort();
		for (i = 0; i < count; i++) {
			if (!fds[i].revents || read_some(&streams[i]))
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
			open--;
		}
	}
}

/* Deaths are the point of these processes: no core files. */
static void prepare_child(int stderr_pipe[2])
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	dup2(stderr_pipe[1], STDERR_FILENO);
	close(stderr_pipe[0]);
	close(stderr_pipe[1]);
}

static pid_t fork_or_abort(void)
{
	pid_t pid = fork();

	if (pid < 0)
		abort();
	return pid;
}

/* Which the program did not say; without a core file there as well. */
static void drop_words_of_qemu(char *text)
{
	static const char words[] = "qemu: uncaught target signal";
	char *found = strstr(text, words);

	if (found && (found == text || found[-1] == '\n'))
		*found = '\0';
}

static void finish(struct report *report, pid_t pid)
{
	const char *c;

	if (process_is_emulated())
		drop_words_of_qemu(report->line);
	report->lines = 0;
	for (c = report->line; *c; c++)
		report->lines += *c == '\n';
	while (waitpid(pid, &report->status, 0) < 0 && errno == EINTR)
		;
	report->line[strcspn(report->line, "\n")] = '\0';
}

void report_call(struct report *report, void (*fn)(void *arg), void *arg)
{
	struct stream stream = { -1, report->line, sizeof(report->line), 0 };
	int err[2];
	pid_t pid;

	report->output[0] = '\0';
	if (pipe(err))
		abort();
	pid = fork_or_abort();
	if (!pid) {
		prepare_child(err);
		fn(arg);
		_exit(EXIT_SUCCESS);
	}
	close(err[1]);
	stream.fd = err[0];
	read_streams(&stream, 1);
	finish(report, pid);
}

/* Replace the words of a command line that begins with the emulator's. */
static void exec_emulated(char *emulator, const char *preload,
			  const char *const argv[])
{
	const char *words[32];
	char setting[PATH_MAX + sizeof("LD_PRELOAD=")];
	size_t n = 0, max = sizeof(words) / sizeof(words[0]) - 1;
	char *word, *rest;

	for (word = strtok_r(emulator, " ", &rest); word && n < max;
	     word = strtok_r(NULL, " ", &rest))
		words[n++] = word;
	for (; *argv && n < max; argv++)
		words[n++] = *argv;
	words[n] = NULL;
	/* For the program, and not for qemu itself */
	if (preload) {
		snprintf(setting, sizeof(setting), "LD_PRELOAD=%s", preload);
		setenv("QEMU_SET_ENV", setting, 1);
	}
	execvp(words[0], (char *const *)words);
}

static _Noreturn void exec_program(const char *preload,
				   const char *const argv[])
{
	char *emulator = getenv("EMULATOR");

	/* What is found by PATH belongs to this machine. */
	if (emulator && *emulator && strchr(argv[0], '/')) {
		exec_emulated(emulator, preload, argv);
	} else {
		/* Not by env(1): it would be preloaded as well. */
		if (preload)
			setenv("LD_PRELOAD", preload, 1);
		execvp(argv[0], (char *const *)argv);
	}
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void report_exec(struct report *report, const char *preload,
		 const char *const argv[])
{
	struct stream streams[] = {
		{ -1, report->line, sizeof(report->line), 0 },
		{ -1, report->output, sizeof(report->output), 0 },
	};
	int err[2], out[2];
	pid_t pid;

	if (pipe(err) || pipe(out))
		abort();
	pid = fork_or_abort();
	if (!pid) {
		prepare_child(err);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		exec_program(preload, argv);
	}
	close(err[1]);
	close(out[1]);
	streams[0].fd = err[0];
	streams[1].fd = out[0];
	read_streams(streams, 2);
	finish(report, pid);
}

const char *report_describe(const struct report *report)
{
	static char text[sizeof(report->line) + 64];
	int length;

	if (WIFSIGNALED(report->status))
		length = snprintf(text, sizeof(text), "died from signal %d",
				  WTERMSIG(report->status));
	else
		length = snprintf(text, sizeof(text), "exited with %d",
				  WEXITSTATUS(report->status));
	snprintf(text + length, sizeof(text) - (size_t)length,
		 " saying \"%s\"", report->line);
	return text;
}

static bool matches(const char *text, const char *regex)
{
	regex_t compiled;
	bool found;

	if (regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB | REG_NEWLINE))
		abort();
	found = !regexec(&compiled, text, 0, NULL, 0);
	regfree(&compiled);
	return found;
}

bool report_is_death(const struct report *report, int signal,
		     const char *regex)
{
	return WIFSIGNALED(report->status) &&
	       WTERMSIG(report->status) == signal &&
	       matches(report->line, regex);
}

bool report_says(const struct report *report, const char *regex)
{
	const char *others = report->line + strlen(report->line) + 1;

	return matches(report->line, regex) ||
	       (report->lines > 1 && matches(others, regex));
}
