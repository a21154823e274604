// SPDX-License-Identifier: MIT
/*
 * soak MINUTES [SEED]: one bout of random operations after the other, each in a
 * process of its own with other sizes, threads and limits, which change while
 * it runs; with threads that fork beside it and, in builds that have it, with
 * memory calls that fail by chance. A line a minute.
 *
 * soak 0 SEED: the one bout of that seed.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hakmem.h"
#include "memory.h"
#include "mm/fault.h"
#include "mm/init.h"
#include "replay.h"
#include "shadow.h"

/* Of the processor's time; and of the clock, by which one waits for ever. */
#define BOUT_SECONDS_MAX	120
#define HANG_SECONDS		1800
#define SHADOW_GIB		64

/* Of all bouts; shared with the process of each. */
static struct tally {
	struct replay_result sum;
	unsigned long bouts;
	unsigned long limited;
	unsigned long limits;
	unsigned long forks;
	unsigned long struck;
	size_t rss;
} *tally;

static int limited_resource = -1;
static size_t limit_least, limit_most;
static bool over;

/* --- Beside the operations ------------------------------------------------ */

static void set_limit(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(limited_resource, &limit);
	limit.rlim_cur = bytes;
	setrlimit(limited_resource, &limit);
}

static void *change_limits(void *arg)
{
	struct prng *prng = arg;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		usleep(5000);
		set_limit(limit_least + prng_below(prng, limit_most -
						   limit_least));
		tally->limits++;
	}
	set_limit(RLIM_INFINITY);
	return NULL;
}

/* What a child of a busy process does first. */
static void use_a_little(void)
{
	void *p[64];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(p); i++)
		p[i] = hak_malloc(i * i * 8);
	for (i = 0; i < ARRAY_LENGTH(p); i++)
		hak_free(p[i]);
	hak_malloc_trim(0);
	_exit(0);
}

static void *fork_now_and_then(void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		usleep(20000);
		pid = fork();
		if (!pid) {
			alarm(HANG_SECONDS / 2);
			use_a_little();
		}
		if (pid < 0)
			continue;
		waitpid(pid, &status, 0);
		if (status) {
			fprintf(stderr, "soak: a forked child ended with %#x\n",
				status);
			abort();
		}
		tally->forks++;
	}
	return NULL;
}

/* --- A bout --------------------------------------------------------------- */

static void choose_plan(struct prng *prng, struct replay_plan *plan)
{
	static const unsigned char log2s[] = { 8, 11, 14, 14, 17, 20, 24, 30 };

	plan->seed = prng_next(prng);
	plan->worlds = 1 + (unsigned int)prng_below(prng, 6);
	plan->lanes = 1 + (unsigned int)prng_below(prng, 4);
	plan->size_log2 = log2s[prng_below(prng, ARRAY_LENGTH(log2s))];
	plan->live_bytes = (MIB << prng_below(prng, 11)) / plan->worlds;
	plan->operations = plan->size_log2 > 17 ? 20000 : 1000000;
	plan->operations /= plan->worlds;
	plan->refusals = true;
}

static void choose_limit(struct prng *prng, size_t live_bytes)
{
	static const struct { int resource; const char *field; } kinds[] = {
		{ RLIMIT_AS, "VmSize:" }, { RLIMIT_DATA, "VmData:" },
	};
	size_t kind = prng_below(prng, 2 * ARRAY_LENGTH(kinds));

	if (kind >= ARRAY_LENGTH(kinds))
		return;
	limited_resource = kinds[kind].resource;
	limit_least = process_status(kinds[kind].field) + 32 * MIB;
	limit_most = limit_least + 64 * MIB + live_bytes;
	tally->limited++;
}

static void choose_faults(struct prng *prng, struct fault_plan *plan)
{
	if (prng_below(prng, 2))
		return;
	plan->calls = VM_CALLS_ALL & (unsigned int)prng_next(prng);
	plan->permille = prng_below(prng, 100);
	plan->seed = prng_next(prng);
	fault_set(plan);
}

static void add_result(const struct replay_result *result)
{
	tally->sum.operations += result->operations;
	tally->sum.allocations += result->allocations;
	tally->sum.resizes += result->resizes;
	tally->sum.refusals += result->refusals;
	tally->sum.strangers += result->strangers;
	tally->sum.exits += result->exits;
}

static void expect_nothing_left(void)
{
	struct hak_mallinfo2 info;

	fault_set(NULL);
	hak_malloc_trim(0);
	info = hak_mallinfo2();
	if (!info.uordblks && !info.hblkhd)
		return;
	fprintf(stderr, "soak: %zu and %zu bytes are left\n", info.uordblks,
		info.hblkhd);
	abort();
}

static void run_bout(uint64_t seed)
{
	const struct itimerval most = { .it_value.tv_sec = BOUT_SECONDS_MAX };
	struct prng prng = { seed };
	struct replay_plan plan = { 0 };
	struct fault_plan faults = { 0 };
	pthread_t limiter, forker;
	struct replay_result result;
	bool forks;

	alarm(HANG_SECONDS);
	setitimer(ITIMER_PROF, &most, NULL);
	init_ensure();
	shadow_reserve(SHADOW_GIB);
	choose_plan(&prng, &plan);
	choose_limit(&prng, plan.live_bytes * plan.worlds);
	choose_faults(&prng, &faults);
	forks = !prng_below(&prng, 3) &&
		!pthread_create(&forker, NULL, fork_now_and_then, NULL);
	if (limited_resource >= 0 &&
	    pthread_create(&limiter, NULL, change_limits, &prng))
		limited_resource = -1;
	replay_run(&plan, &result);
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	if (limited_resource >= 0)
		pthread_join(limiter, NULL);
	if (forks)
		pthread_join(forker, NULL);
	tally->struck += fault_strikes_so_far();
	expect_nothing_left();
	add_result(&result);
}

/* Return: whether it ended well. */
static bool bout(uint64_t seed)
{
	struct rusage usage;
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		/* Lines about memory that ran out are no news here. */
		run_bout(seed);
		_exit(0);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("soak");
		return false;
	}
	tally->bouts++;
	if ((size_t)usage.ru_maxrss > tally->rss)
		tally->rss = (size_t)usage.ru_maxrss;
	if (!status)
		return true;
	printf("soak: failed: %s %d; again by: soak 0 %ju\n",
	       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
	       (uintmax_t)seed);
	return false;
}

static void print_line(unsigned int minute)
{
	const struct replay_result *sum = &tally->sum;

	printf("soak: minute %u: %lu bouts, %ju operations, %ju blocks, %ju "
	       "resized, %ju freed elsewhere, %ju threads ended, %ju refused, "
	       "%lu limited, %lu limits set, %lu calls failed, %lu forks, "
	       "%zu MiB\n", minute, tally->bouts, (uintmax_t)sum->operations,
	       (uintmax_t)sum->allocations, (uintmax_t)sum->resizes,
	       (uintmax_t)sum->strangers, (uintmax_t)sum->exits,
	       (uintmax_t)sum->refusals, tally->limited, tally->limits,
	       tally->struck, tally->forks, tally->rss >> 10);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long minutes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) :
				   (uint64_t)getpid() << 32;
	double begun = seconds_now();
	unsigned int minute = 1;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return EXIT_FAILURE;
	if (!minutes && argc > 2)
		return bout(seed) ? EXIT_SUCCESS : EXIT_FAILURE;
	printf("soak: %lu minutes, first seed %ju\n", minutes,
	       (uintmax_t)seed);
	fflush(stdout);
	while (minute <= minutes) {
		if (!bout(seed++))
			return EXIT_FAILURE;
		if (seconds_now() - begun < 60.0 * minute)
			continue;
		print_line(minute++);
	}
	return EXIT_SUCCESS;
}
