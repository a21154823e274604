// SPDX-License-Identifier: MIT
/*
 * All interleavings: see explore.h.
 */
#include "explore.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "depend.h"
#include "lib/lock.h"
#include "mm/cache.h"
#include "mm/lock_order.h"
#include "mm/meta.h"

#define STACK_SIZE	((size_t)128 << 10)
#define STATE_SLOTS	((size_t)1 << 21)
#define PATH_MAX_STEPS	2000
#define ROUNDS_MAX	20
#define LINE_WORDS	8

/* A bit for each thread, in the word of a state. */
#define ALL_ASLEEP	((1U << EXPLORE_THREADS_MAX) - 1)

/* Exit codes of an order's process; any other is a death of its own. */
enum { ORDER_GOOD, ORDER_BAD, ORDER_TOO_MANY };

/**
 * struct fiber - a thread
 * @context: where it is
 * @done: at its end
 * @now: the step that it is at, while it runs
 * @next: its next step
 * @stack: its lowest address
 * @frame: how far down it is used
 * @cache: its thread_cache_distance
 * @held: its locks
 */
struct fiber {
	ucontext_t context;
	bool done;
	struct step now;
	struct step next;
	char *stack;
	char *frame;
	uintptr_t cache;
	struct locks_held held;
};

/* Bytes of a state. */
struct area {
	uintptr_t start;
	uintptr_t end;
};

/* What all processes know; only one runs at a time. */
struct knowledge {
	struct explored sum;
	unsigned long orders_max;
	uint64_t states[STATE_SLOTS];
	size_t nr_states;
	struct {
		int turn;
		pid_t pid;
	} waiting[EXPLORE_THREADS_MAX * PATH_MAX_STEPS];
	unsigned int nr_waiting;
	unsigned int depth;
	unsigned char path[PATH_MAX_STEPS];
	struct step path_steps[PATH_MAX_STEPS];
};

/**
 * struct host - what differs between processes in the same state
 * @scheduler: where it is while a thread runs
 * @depth: steps so far
 * @areas: the memory that makes up the state
 * @meta: bytes that there were for records when they were found
 */
struct host {
	ucontext_t scheduler;
	unsigned int depth;
	struct area areas[2];
	size_t meta;
};

static struct knowledge *known;
static struct host *host;
static const struct scenario *scenario_now;
static struct fiber fibers[EXPLORE_THREADS_MAX];
static unsigned int nr_fibers;
static struct fiber *running;

void *explore_map(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* In place of libc's: a state has no time. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (!host)
		return (int)syscall(SYS_clock_gettime, clock, now);
	*now = (struct timespec){ .tv_sec = 1000 };
	return 0;
}

/* --- Failure -------------------------------------------------------------- */

static void print_path(void)
{
	static const char *const names[] = {
		[YIELD_READ] = "read", [YIELD_WRITE] = "write",
		[YIELD_LOCK] = "lock",
	};
	unsigned int i;

	fprintf(stderr, "explore: %s: the order of its %u steps:\n",
		scenario_now->name, host->depth);
	for (i = 0; i < host->depth; i++)
		fprintf(stderr, "explore: thread %u: %s %#jx\n",
			known->path[i], names[known->path_steps[i].yield],
			(uintmax_t)known->path_steps[i].what);
}

void explore_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "explore: %s: ", scenario_now->name);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	print_path();
	fflush(stderr);
	_exit(ORDER_BAD);
}

unsigned int explore_thread(void)
{
	return (unsigned int)(running - fibers);
}

/* --- Threads -------------------------------------------------------------- */

/* Of the thread that hosts all: each of them writes there, none reads. */
static bool is_thread_local(uintptr_t what)
{
	uintptr_t here = (uintptr_t)&thread_cache_distance;

	return what > here - 4096 && what < here + 4096;
}

static void on_yield(enum yield yield, const volatile void *what)
{
	uintptr_t word = (uintptr_t)what & ~(uintptr_t)7;

	if (!running || is_thread_local(word))
		return;
	/* What is done under a leaf is one step: none can tell. */
	if (yield != YIELD_LOCK && lock_held_to_rank(LOCK_RANK_LEAF)) {
		depend_note(word, running->now.what, yield, explore_thread());
		return;
	}
	running->next = (struct step){ yield, word };
	running->frame = __builtin_frame_address(0);
	swapcontext(&running->context, &host->scheduler);
}

static void fiber_main(void)
{
	scenario_now->threads[running - fibers]();
	running->done = true;
	running->frame = running->stack + STACK_SIZE;
	swapcontext(&running->context, &host->scheduler);
}

static void create_fibers(void)
{
	struct fiber *fiber;

	for (nr_fibers = 0; nr_fibers < EXPLORE_THREADS_MAX &&
	     scenario_now->threads[nr_fibers]; nr_fibers++) {
		fiber = &fibers[nr_fibers];
		memset(fiber, 0, sizeof(*fiber));
		fiber->next = (struct step){ YIELD_READ, (uintptr_t)fiber };
		fiber->cache = (uintptr_t)&cache_detached -
			       (uintptr_t)&cache_tables;
		fiber->stack = explore_map(STACK_SIZE, MAP_PRIVATE);
		fiber->frame = fiber->stack + STACK_SIZE;
		getcontext(&fiber->context);
		fiber->context.uc_stack.ss_sp = fiber->stack;
		fiber->context.uc_stack.ss_size = STACK_SIZE;
		makecontext(&fiber->context, fiber_main, 0);
	}
}

static void resume(struct fiber *fiber)
{
	uintptr_t cache = thread_cache_distance;
	struct locks_held held = locks_held;

	thread_cache_distance = fiber->cache;
	locks_held = fiber->held;
	running = fiber;
	swapcontext(&host->scheduler, &fiber->context);
	running = NULL;
	fiber->cache = thread_cache_distance;
	fiber->held = locks_held;
	thread_cache_distance = cache;
	locks_held = held;
}

/* --- States --------------------------------------------------------------- */

static uint64_t hash_words(uint64_t hash, const uint64_t *words, size_t n)
{
	while (n--) {
		hash = (hash ^ *words++) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash;
}

/* Most of it is zero: what is not is hashed with where it is. */
static uint64_t hash_bytes(uint64_t hash, const void *start, size_t size)
{
	const uint64_t *words = start;
	size_t i, j, n = size / sizeof(*words);

	for (i = 0; i < n; i = j) {
		uint64_t any = 0;

		for (j = i; j < n && j < i + LINE_WORDS; j++)
			any |= words[j];
		if (any)
			hash = hash_words(hash ^ i, words + i, j - i);
	}
	return hash;
}

/* All static data, the records, and of each thread what it has on its stack. */
static uint64_t hash_state(void)
{
	uint64_t hash = 0;
	unsigned int i;
	size_t depth;

	for (i = 0; i < sizeof(host->areas) / sizeof(host->areas[0]); i++)
		hash = hash_bytes(hash, (void *)host->areas[i].start,
				  host->areas[i].end - host->areas[i].start);
	for (i = 0; i < nr_fibers; i++) {
		depth = (size_t)(fibers[i].stack + STACK_SIZE -
				 fibers[i].frame);
		hash = hash_bytes(hash, fibers[i].frame, depth & ~(size_t)7);
	}
	return hash;
}

/*
 * Has this state been explored, with no more threads asleep? What the blocks
 * contain is no part of the state, and so is looked at here.
 */
static bool seen_before(unsigned int asleep)
{
	uint64_t hash, slot;

	if (meta_mapped() != host->meta)
		return false;
	hash = hash_state() & ~(uint64_t)ALL_ASLEEP;
	for (slot = hash >> 20; known->states[slot % STATE_SLOTS]; slot++) {
		uint64_t state = known->states[slot % STATE_SLOTS];

		if ((state & ~(uint64_t)ALL_ASLEEP) == hash &&
		    !(state & ALL_ASLEEP & ~asleep)) {
			scenario_now->look();
			return true;
		}
	}
	if (known->nr_states < STATE_SLOTS / 2) {
		known->states[slot % STATE_SLOTS] = hash | asleep;
		known->nr_states++;
	}
	return false;
}

/* The mapping around an address. */
static struct area mapping_around(uintptr_t address)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	struct area area = { 0 };
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		area.start = strtoul(line, NULL, 16);
		area.end = strtoul(strchr(line, '-') + 1, NULL, 16);
		if (address >= area.start && address < area.end)
			break;
	}
	if (!maps || address >= area.end)
		abort();
	fclose(maps);
	return area;
}

/* The linker's: where static data begins and ends. */
extern char __data_start[], end[];

static void find_areas(void)
{
	struct cache *record = cache_acquire();

	cache_release(record);
	host->areas[0] = (struct area){ ((uintptr_t)__data_start + 7) &
					~(uintptr_t)7, (uintptr_t)end };
	host->areas[1] = mapping_around((uintptr_t)record);
	host->meta = meta_mapped();
}

/* --- Orders --------------------------------------------------------------- */

static bool can_go_on(const struct fiber *fiber)
{
	const struct lock *lock = (const struct lock *)fiber->next.what;

	return !fiber->done && (fiber->next.yield != YIELD_LOCK || !lock->word);
}

/* Return: those of the sleeping threads that sleep on. */
static unsigned int take_step(unsigned int i, unsigned int asleep)
{
	struct step step = fibers[i].next;
	unsigned int j;

	if (host->depth == PATH_MAX_STEPS)
		explore_fail("no end");
	known->path[host->depth] = (unsigned char)i;
	known->path_steps[host->depth++] = step;
	known->sum.steps++;
	known->depth = host->depth;
	fibers[i].now = step;
	depend_begin_step(&step, i);
	resume(&fibers[i]);
	depend_end_step(&step, i);
	for (j = 0; j < nr_fibers; j++) {
		if (steps_depend(&fibers[j].next, &step))
			asleep &= ~(1U << j);
	}
	return asleep;
}

/* However this one ended. */
static void count_order(unsigned long *kind)
{
	struct explored *sum = &known->sum;

	++*kind;
	if (sum->orders + sum->same + sum->met > known->orders_max)
		_exit(ORDER_TOO_MANY);
}

static void __attribute__((noreturn)) end_of_order(void)
{
	count_order(&known->sum.orders);
	if (host->depth > known->sum.longest)
		known->sum.longest = host->depth;
	scenario_now->finish();
	_exit(ORDER_GOOD);
}

static void futex(int *word, int operation, int value)
{
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

/*
 * First all orders that begin with this thread; a child waits until these have
 * ended, for those with another. That way around no process has more than a few
 * ancestors, which would make each fork() slow. Return: false in the child.
 */
static bool try_first(void)
{
	unsigned int i = known->nr_waiting;
	int *turn = &known->waiting[i].turn;
	pid_t pid;

	*turn = 0;
	pid = _Fork();
	if (pid < 0)
		explore_fail("no process");
	if (pid) {
		known->waiting[i].pid = pid;
		known->nr_waiting++;
		return true;
	}
	while (!__atomic_load_n(turn, __ATOMIC_ACQUIRE))
		futex(turn, FUTEX_WAIT, 0);
	return false;
}

/* Which threads could go on, by a bit each. Ends the order at its end. */
static unsigned int ready_threads(void)
{
	unsigned int ready = 0, live = 0, i;

	for (i = 0; i < nr_fibers; i++) {
		ready |= can_go_on(&fibers[i]) ? 1U << i : 0;
		live += !fibers[i].done;
	}
	if (!live)
		end_of_order();
	if (!ready)
		explore_fail("nobody can go on");
	return ready;
}

/* One whose step matters to no other has to be tried alone. */
static unsigned int only_private(unsigned int ready)
{
	unsigned int i;

	for (i = 0; i < nr_fibers; i++) {
		if (ready >> i & 1 && step_is_private(&fibers[i].next, i))
			return 1U << i;
	}
	return ready;
}

/* Ends with an order, and leaves children behind for others. */
static void __attribute__((noreturn)) run_orders(void)
{
	unsigned int asleep = 0, ready, i;

	for (;;) {
		ready = only_private(ready_threads()) & ~asleep;
		if (!ready) {
			count_order(&known->sum.same);
			_exit(ORDER_GOOD);
		}
		if (ready & (ready - 1) && seen_before(asleep)) {
			count_order(&known->sum.met);
			_exit(ORDER_GOOD);
		}
		for (;;) {
			i = (unsigned int)__builtin_ctz(ready);
			ready &= ready - 1;
			if (!ready || try_first())
				break;
			asleep |= 1U << i;
		}
		asleep = take_step(i, asleep);
	}
}

static void __attribute__((noreturn)) run_all(void)
{
	host = explore_map(sizeof(*host), MAP_PRIVATE);
	depend_begin();
	/* All are where they were before: each round begins as this one. */
	scenario_now->prepare();
	find_areas();
	create_fibers();
	yield_hook = on_yield;
	run_orders();
}

/* Whose turn it is when the one that runs has ended: the last to wait. */
static void wake_last(void)
{
	int *turn = &known->waiting[--known->nr_waiting].turn;

	__atomic_store_n(turn, 1, __ATOMIC_RELEASE);
	futex(turn, FUTEX_WAKE, 1);
}

/* All become children of this one when their parent ends. */
static void __attribute__((noreturn)) see_to_orders(void)
{
	int status = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	known->nr_waiting = 0;
	if (!fork())
		run_all();
	while (waitpid(-1, &status, 0) > 0 && !status && known->nr_waiting)
		wake_last();
	while (known->nr_waiting)
		kill(known->waiting[--known->nr_waiting].pid, SIGKILL);
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	host = explore_map(sizeof(*host), MAP_PRIVATE);
	host->depth = known->depth;
	explore_fail("death from signal %d", WTERMSIG(status));
}

bool explore(const struct scenario *scenario, unsigned long orders_max,
	     struct explored *explored)
{
	int status = 0;
	pid_t pid;

	known = explore_map(sizeof(*known), MAP_SHARED);
	depend_forget();
	scenario_now = scenario;
	known->orders_max = orders_max;
	do {
		known->sum = (struct explored){ .rounds =
						known->sum.rounds + 1 };
		memset(known->states, 0, sizeof(known->states));
		known->nr_states = 0;
		pid = fork();
		if (!pid)
			see_to_orders();
		waitpid(pid, &status, 0);
	} while (!status && depend_learned() && known->sum.rounds < ROUNDS_MAX);
	*explored = known->sum;
	munmap(known, sizeof(*known));
	return !status && explored->rounds < ROUNDS_MAX;
}
