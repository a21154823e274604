// SPDX-License-Identifier: MIT
/*
 * Must die, must live: what is done to a sampled block, by which thread, and
 * the lines that have to say so.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"
#include "sampled.h"

/**
 * struct deed - what happens to a block
 * @touch: done to it at last
 * @size: of the block
 * @at_end: of its page, or at the start
 * @freed: before that, by a thread of its own
 * @offset: what @touch is done to, from the start of the block
 */
struct deed {
	void (*touch)(volatile char *byte);
	size_t size;
	bool at_end;
	bool freed;
	ptrdiff_t offset;
};

/**
 * struct scene - and where, in memory that its process shares
 * @deed: what
 * @block: out: where it is
 * @allocated_by: out: thread
 * @freed_by: out: thread
 */
struct scene {
	struct deed deed;
	char *block;
	int allocated_by;
	int freed_by;
};

static void read_byte(volatile char *byte)
{
	(void)*byte;
}

static void write_byte(volatile char *byte)
{
	*byte = 1;
}

static void free_it(volatile char *byte)
{
	hak_free(opaque((char *)byte));
}

static void resize_it(volatile char *byte)
{
	opaque(hak_realloc(opaque((char *)byte), 2000));
}

static void ask_its_size(volatile char *byte)
{
	opaque_size(hak_malloc_usable_size(opaque((char *)byte)));
}

static void *allocate(void *arg)
{
	struct scene *scene = arg;

	scene->allocated_by = (int)syscall(SYS_gettid);
	scene->block = sampled_at(scene->deed.size, scene->deed.at_end);
	memset(scene->block, 1, scene->deed.size);
	return NULL;
}

static void *release(void *arg)
{
	struct scene *scene = arg;

	scene->freed_by = (int)syscall(SYS_gettid);
	hak_free(scene->block);
	return NULL;
}

static void in_a_thread(void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg))
		abort();
	pthread_join(thread, NULL);
}

static void play(void *arg)
{
	struct scene *scene = arg;

	in_a_thread(allocate, scene);
	if (scene->deed.freed)
		in_a_thread(release, scene);
	scene->deed.touch(scene->block + scene->deed.offset);
	/* What is beside the block is looked at now. */
	if (!scene->deed.freed && scene->deed.touch == write_byte)
		release(scene);
}

/**
 * struct fault - a deed and how it has to end
 * @name: of it
 * @deed: what is done
 * @signal: that ends the program
 * @line: what is said, in front of the address
 * @distance: what is said behind it, of a page that cannot be touched
 */
struct fault {
	const char *name;
	struct deed deed;
	int signal;
	const char *line;
	const char *distance;
};

#define OUT		"kfence: out of bounds"
#define LATE		"kfence: used after free"
#define BEHIND		"free\\(\\): written behind its end"
#define IN_FRONT	"free\\(\\): written in front of it"

static const struct fault faults[] = {
	{ "read behind", { read_byte, 64, true, false, 64 }, SIGSEGV, OUT,
	  "0 bytes behind a block" },
	{ "write behind", { write_byte, 1024, true, false, 1024 }, SIGSEGV,
	  OUT, "0 bytes behind a block" },
	{ "write far behind", { write_byte, 48, true, false, 1048 }, SIGSEGV,
	  OUT, "1000 bytes behind a block" },
	{ "read in front", { read_byte, 64, false, false, -1 }, SIGSEGV, OUT,
	  "1 bytes in front of a block" },
	{ "write in front", { write_byte, 1000, false, false, -16 }, SIGSEGV,
	  OUT, "16 bytes in front of a block" },
	{ "read after free", { read_byte, 100, true, true, 0 }, SIGSEGV, LATE,
	  "0 bytes inside of a block" },
	{ "write after free", { write_byte, 100, false, true, 99 }, SIGSEGV,
	  LATE, "99 bytes inside of a block" },
	{ "behind after free", { write_byte, 100, false, true, 300 }, SIGSEGV,
	  LATE, "200 bytes behind a block" },
	{ "one byte behind", { write_byte, 64, false, false, 64 }, SIGABRT,
	  BEHIND, NULL },
	{ "in the rounding", { write_byte, 50, true, false, 50 }, SIGABRT,
	  BEHIND, NULL },
	{ "far in the page", { write_byte, 64, false, false, 3000 }, SIGABRT,
	  BEHIND, NULL },
	{ "one byte in front", { write_byte, 64, true, false, -1 }, SIGABRT,
	  IN_FRONT, NULL },
	{ "start of the page", { write_byte, 96, true, false, -3000 },
	  SIGABRT, IN_FRONT, NULL },
	{ "double free", { free_it, 100, true, true, 0 }, SIGABRT,
	  "free\\(\\): double free", NULL },
	{ "free inside", { free_it, 100, false, false, 16 }, SIGABRT,
	  "free\\(\\): not the start", NULL },
	{ "free in front", { free_it, 100, false, false, -16 }, SIGABRT,
	  "free\\(\\): not the start", NULL },
	{ "realloc after free", { resize_it, 100, true, true, 0 }, SIGABRT,
	  "realloc\\(\\): double free", NULL },
	{ "realloc inside", { resize_it, 100, true, false, 8 }, SIGABRT,
	  "realloc\\(\\): not the start", NULL },
	{ "size after free", { ask_its_size, 100, false, true, 0 }, SIGABRT,
	  "malloc_usable_size\\(\\): double free", NULL },
};

static void describe(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", ((const struct fault *)param)->name);
}

static struct scene *share(struct kunit *test, const struct deed *deed)
{
	struct scene *shared = mmap(NULL, sizeof(*shared),
				    PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	KUNIT_ASSERT_TRUE(test, shared != MAP_FAILED);
	shared->deed = *deed;
	return shared;
}

#define EXPECT_SAID(test, report, ...)					\
	do {								\
		char said_regex[256];					\
		snprintf(said_regex, sizeof(said_regex), __VA_ARGS__);	\
		KUNIT_EXPECT_MSG(test, report_says(report, said_regex),	\
				 "%s, not \"%s\"",			\
				 report_describe(report), said_regex);	\
	} while (0)

/* What was touched, or the block, when that is found at its free(). */
static void expect_line(struct kunit *test, const struct report *report,
			const struct fault *fault, const struct scene *scene)
{
	const char *place = scene->block + fault->deed.offset;

	if (fault->distance)
		EXPECT_SAID(test, report, "^hakmem: %s: %p: %s$", fault->line,
			    (const void *)place, fault->distance);
	else if (fault->deed.touch == write_byte)
		EXPECT_SAID(test, report, "^hakmem: %s: %p$", fault->line,
			    (const void *)scene->block);
	else
		EXPECT_SAID(test, report, "^hakmem: %s.*: %p", fault->line,
			    (const void *)place);
}

static void fault_is_reported(struct kunit *test)
{
	const struct fault *fault = test->param_value;
	struct scene *scene = share(test, &fault->deed);
	struct report report;

	report_call(&report, play, scene);
	KUNIT_EXPECT_MSG(test, report_is_death(&report, fault->signal,
					       "^hakmem: "),
			 "%s", report_describe(&report));
	KUNIT_EXPECT_EQ(test, report.lines, scene->freed_by ? 3 : 2);
	expect_line(test, &report, fault, scene);
	EXPECT_SAID(test, &report, "^hakmem: kfence: a block of %zu bytes at "
		    "%p, allocated by thread %d$", fault->deed.size,
		    (void *)scene->block, scene->allocated_by);
	if (scene->freed_by)
		EXPECT_SAID(test, &report, "^hakmem: kfence: freed by thread "
			    "%d$", scene->freed_by);
}

/* The same without the error. */
static void good_twin_lives(struct kunit *test)
{
	static const size_t sizes[] = { 1, 15, 16, 100, 1024, 4000 };
	struct scene scene = { .deed.touch = write_byte };
	struct report report;
	size_t i;

	for (i = 0; i < 2 * ARRAY_LENGTH(sizes); i++) {
		scene.deed.size = sizes[i / 2];
		scene.deed.at_end = i % 2;
		scene.deed.offset = (ptrdiff_t)sizes[i / 2] - 1;
		report_call(&report, play, &scene);
		KUNIT_EXPECT_MSG(test, !report.status && !report.lines, "%s",
				 report_describe(&report));
	}
}

static void touch_no_pool(void *arg)
{
	hak_free(sampled(1, 100));
	*(volatile char *)arg = 1;
}

static void other_faults_are_not_ours(struct kunit *test)
{
	struct report report;

	report_call(&report, touch_no_pool, (void *)64);
	KUNIT_EXPECT_TRUE(test, report_is_death(&report, SIGSEGV, "^$"));
	report_call(&report, touch_no_pool, (void *)(uintptr_t)touch_no_pool);
	KUNIT_EXPECT_TRUE(test, report_is_death(&report, SIGSEGV, "^$"));
}

/* --- Handlers of the program ---------------------------------------------- */

static void say_so_and_end(int signal)
{
	static const char words[] = "the program's own\n";

	(void)signal;
	if (write(STDERR_FILENO, words, sizeof(words) - 1) > 0)
		_exit(7);
}

static void say_where_and_end(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (kfence_owns(info->si_addr))
		say_so_and_end(number);
}

enum handlers { SIMPLE_BEFORE, FULL_BEFORE, IGNORED_BEFORE, LATER };

static void set_handler(enum handlers kind)
{
	struct sigaction action = { .sa_handler = say_so_and_end };

	if (kind == FULL_BEFORE) {
		action.sa_flags = SA_SIGINFO;
		action.sa_sigaction = say_where_and_end;
	} else if (kind == IGNORED_BEFORE) {
		action.sa_handler = SIG_IGN;
	}
	if (sigaction(SIGSEGV, &action, NULL))
		abort();
}

static void fault_with_handler(void *arg)
{
	enum handlers kind = (enum handlers)(uintptr_t)arg;
	char *p;

	if (kind != LATER)
		set_handler(kind);
	p = sampled_at(64, true);
	if (kind == LATER)
		set_handler(kind);
	write_byte(p + 64);
}

static void handlers_of_the_program_go_on(struct kunit *test)
{
	struct report report;

	report_call(&report, fault_with_handler, (void *)SIMPLE_BEFORE);
	EXPECT_SAID(test, &report, OUT);
	EXPECT_SAID(test, &report, "^the program's own$");
	KUNIT_EXPECT_EQ(test, report.status, 7 << 8);
	report_call(&report, fault_with_handler, (void *)FULL_BEFORE);
	EXPECT_SAID(test, &report, OUT);
	EXPECT_SAID(test, &report, "^the program's own$");
	KUNIT_EXPECT_EQ(test, report.status, 7 << 8);
	report_call(&report, fault_with_handler, (void *)IGNORED_BEFORE);
	KUNIT_EXPECT_TRUE(test, report_is_death(&report, SIGSEGV, OUT));
	report_call(&report, fault_with_handler, (void *)LATER);
	KUNIT_EXPECT_FALSE(test, report_says(&report, OUT));
	EXPECT_SAID(test, &report, "^the program's own$");
}

/* No instruction made it, so none will make it again. */
static void send_a_fault(void *arg)
{
	if (arg)
		set_handler(IGNORED_BEFORE);
	hak_free(sampled(1, 100));
	raise(SIGSEGV);
	raise(SIGSEGV);
	_exit(7);
}

static void signal_that_was_sent_does_its_work(struct kunit *test)
{
	struct report report;

	report_call(&report, send_a_fault, NULL);
	KUNIT_EXPECT_TRUE(test, report_is_death(&report, SIGSEGV, "^$"));
	report_call(&report, send_a_fault, test);
	KUNIT_EXPECT_EQ(test, report.status, 7 << 8);
}

static const struct kunit_case fault_cases[] = {
	KUNIT_CASE_PARAM(fault_is_reported, faults, describe),
	KUNIT_CASE(good_twin_lives),
	KUNIT_CASE(other_faults_are_not_ours),
	KUNIT_CASE(handlers_of_the_program_go_on),
	KUNIT_CASE(signal_that_was_sent_does_its_work),
	{}
};

static const struct kunit_suite fault_suite = {
	.name = "fault",
	.init = sample_every_request,
	.test_cases = fault_cases,
};
kunit_test_suite(fault_suite);
