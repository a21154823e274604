// SPDX-License-Identifier: MIT
/*
 * The half of the harness that runs in the process of one case: call it with
 * its fixtures, note failures, skip.
 */
#include <check.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "run.h"
#include "sanitizer.h"

struct kunit_run kunit_run;

/* The first failure: libcheck can be told of one only. */
static struct {
	atomic_uint count;
	const struct kunit_site *site;
	char text[512];
} failure;

/* Where a failed assertion in the case's own thread returns to. */
static struct {
	pthread_t thread;
	jmp_buf env;
} escape;

/*
 * One write(2), so that lines of several threads do not mix, and no stdio,
 * whose buffers a forked child would print again.
 */
__attribute__((format(printf, 1, 0)))
static void print_remark(const char *format, va_list args)
{
	char line[1024];
	int length = snprintf(line, sizeof(line), "    # ");
	int left = (int)sizeof(line) - length - 1;
	int added = vsnprintf(line + length, (size_t)left, format, args);

	length += added < left ? added : left - 1;
	line[length++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)length) < 0)
		_exit(EXIT_FAILURE);
}

__attribute__((format(printf, 1, 2)))
static void remark(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_remark(format, args);
	va_end(args);
}

void kunit_info(const struct kunit *test, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	remark("%s: %s", test->name, text);
}

static _Noreturn void report_first_failure(void)
{
	_ck_assert_failed(failure.site->file, failure.site->line,
			  failure.site->text, "%s: %s", failure.site->text,
			  failure.text);
	/* Declared noreturn only where the compiler that built check had it. */
	abort();
}

void kunit_fail_at(struct kunit *test, const struct kunit_site *site,
		   const char *format, ...)
{
	char text[sizeof(failure.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	remark("%s: %s FAILED at %s:%d: %s: %s", test->name,
	       site->severity == KUNIT_ASSERTION ? "ASSERTION" : "EXPECTATION",
	       site->file, site->line, site->text, text);

	if (!atomic_fetch_add(&failure.count, 1)) {
		failure.site = site;
		memcpy(failure.text, text, sizeof(text));
	}
	if (site->severity != KUNIT_ASSERTION)
		return;
	if (pthread_equal(pthread_self(), escape.thread))
		longjmp(escape.env, 1);
	_ck_assert_failed(site->file, site->line, site->text, "%s: %s",
			  site->text, text);
}

static void note_skip(int param_index, const char *reason)
{
	struct kunit_status *status = &kunit_run.status[param_index];

	snprintf(status->reason, sizeof(status->reason), "%s", reason);
	status->skipped = true;
}

void kunit_skip(struct kunit *test, const char *format, ...)
{
	char reason[sizeof(kunit_run.status->reason)];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	note_skip(test->param_index, reason);
	longjmp(escape.env, 1);
}

void kunit_need_plain(struct kunit *test)
{
	if (KUNIT_SANITIZER)
		kunit_skip(test, "not with a sanitizer");
	if (process_is_emulated())
		kunit_skip(test, "not in an emulator");
}

static void call_case(struct kunit *test)
{
	static const struct kunit_site init_site = {
		__FILE__, __LINE__, KUNIT_EXPECTATION, "init of the suite"
	};
	const struct kunit_suite *suite = kunit_run.now->suite;
	int err = suite->init ? suite->init(test) : 0;

	if (err)
		kunit_fail_at(test, &init_site, "returned %d", err);
	else
		kunit_run.now->test_case->run(test);
}

void kunit_run_case(int param_index)
{
	const struct kunit_case *row = kunit_run.now->test_case;
	const struct kunit_suite *suite = kunit_run.now->suite;
	/* static: its value must survive longjmp(). */
	static struct kunit test;

	if (kunit_run.now->skip) {
		note_skip(param_index, kunit_run.now->skip);
		return;
	}
	test = (struct kunit){ .name = row->name, .param_index = param_index };
	if (row->params)
		test.param_value = (const char *)row->params +
				   row->param_size * (size_t)param_index;
	escape.thread = pthread_self();
	atomic_store(&failure.count, 0);

	if (!setjmp(escape.env))
		call_case(&test);
	if (!setjmp(escape.env) && suite->exit)
		suite->exit(&test);
	if (atomic_load(&failure.count))
		report_first_failure();
}
