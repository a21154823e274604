// SPDX-License-Identifier: MIT
/*
 * The controller: takes samples, asks the policy, sets the limits.
 *
 * Lock order: tuner.lock, then a pool's.
 */
#include "mm/ace.h"

#include <unistd.h>

#include "hakmem.h"
#include "lib/lock.h"
#include "lib/print.h"
#include "mm/cache.h"
#include "mm/lock_order.h"
#include "mm/reclaim.h"
#include "mm/slab_pool.h"
#include "mm/superslab.h"
#include "policy.h"

#define TICK_MS		((unsigned int)CONFIG_HAKMEM_ACE_TICK_MS)
#define LINE_SIZE	128

/**
 * struct ace_class - what is known of a class
 * @total: counters at the last look
 * @rate: visits a second before that
 */
struct ace_class {
	struct ace_sample total;
	size_t rate;
};

static struct {
	struct lock lock;	/* guards the rest */
	uint64_t next_ms;	/* read without it */
	uint64_t last_ms;
	size_t growth;		/* bytes touched to look at; read without it */
	uint64_t expire_ms;
	size_t bounced;		/* of the superslabs, at the last expiry */
	size_t looks;
	struct ace_class classes[NR_CLASSES];
} tuner = { .lock = LOCK_INIT_RANK(LOCK_RANK_TUNER) };

static struct ace_sample read_counters(unsigned int class)
{
	struct tier_stats stats;

	slab_pool_stats(class, &stats);
	return (struct ace_sample){
		.exchanges = cache_exchanges(class),
		.refills = stats.refills,
		.drains = stats.drains,
	};
}

/* What happened to a class since the last look, in @ms milliseconds. */
static struct ace_sample take_sample_locked(unsigned int class,
					    unsigned int ms)
{
	struct ace_class *known = &tuner.classes[class];
	struct ace_sample total = read_counters(class);
	struct ace_sample sample = {
		.exchanges = total.exchanges - known->total.exchanges,
		.refills = total.refills - known->total.refills,
		.drains = total.drains - known->total.drains,
	};

	known->total = total;
	known->rate = ace_rate(sample.exchanges + sample.refills +
			       sample.drains, ms);
	return sample;
}

static void set_limits(unsigned int class, const struct class_limits *limits)
{
	WRITE_ONCE(class_limits[class].magazine, limits->magazine);
	WRITE_ONCE(class_limits[class].refill, limits->refill);
	WRITE_ONCE(class_limits[class].depot, limits->depot);
}

static size_t used_bytes(const struct superslab_usage *usage)
{
	return usage->mapped > usage->free ? usage->mapped - usage->free : 0;
}

static void look_at_classes_locked(unsigned int ms, size_t used)
{
	unsigned int caches = cache_count();
	size_t budget = ace_budget(used);
	struct class_limits base, next;
	struct ace_sample sample;
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++) {
		if (class_on_diet(class))
			continue;
		sample = take_sample_locked(class, ms);
		base = class_limits_default(class);
		next = ace_next_limits(class_size(class), &sample, ms, &base,
				       &class_limits[class]);
		ace_pay(class_size(class), caches, &base, &next, &budget);
		set_limits(class, &next);
	}
}

/* Return: whether the time has come to let go of what lay unused. */
static bool expire_due_locked(uint64_t now,
			      const struct superslab_usage *usage)
{
	unsigned int decay;

	if (now < tuner.expire_ms)
		return false;
	decay = ace_next_decay(knob(KNOB_DECAY_MS), reclaim_decay_ms(),
			       usage->bounced - tuner.bounced,
			       used_bytes(usage));
	tuner.bounced = usage->bounced;
	tuner.expire_ms = now + max(decay, TICK_MS);
	reclaim_set_decay_ms(decay);
	return true;
}

static bool look_locked(uint64_t now)
{
	unsigned int ms = (unsigned int)min(now - tuner.last_ms,
					    (uint64_t)UINT32_MAX);
	struct superslab_usage usage;
	bool first = !tuner.looks;

	superslab_usage(&usage);
	tuner.looks++;
	tuner.last_ms = now;
	WRITE_ONCE(tuner.next_ms, now + TICK_MS);
	if (first) {
		tuner.expire_ms = now + knob(KNOB_DECAY_MS);
		return false;
	}
	cache_begin_epoch();
	look_at_classes_locked(ms, used_bytes(&usage));
	return expire_due_locked(now, &usage);
}

/*
 * Each size wants slabs of its own. When there are ever more, objects of sizes
 * that are out of use may hold others, from the magazines that they lie in.
 */
static bool grown_locked(void)
{
	size_t touched = superslab_touched();
	/* The first look has nothing to compare with. */
	bool grown = tuner.growth && touched >= tuner.growth;

	if (!tuner.growth || grown || ace_next_growth(touched) < tuner.growth)
		WRITE_ONCE(tuner.growth, ace_next_growth(touched));
	return grown;
}

static bool __cold look(uint64_t now)
{
	bool expire = false, grown;

	if (!lock_try(&tuner.lock))
		return false;
	if (now >= tuner.next_ms)
		expire = look_locked(now);
	grown = grown_locked();
	lock_release(&tuner.lock);
	if (grown) {
		cache_reclaim();
		slab_pool_mix();
	}
	return expire || grown;
}

bool ace_look(uint64_t now_ms)
{
	if (likely(now_ms < READ_ONCE(tuner.next_ms) &&
		   superslab_touched() < READ_ONCE(tuner.growth)))
		return false;
	return look(now_ms);
}

void ace_fork_child(void)
{
	if (lock_orphaned(&tuner.lock))
		lock_reset(&tuner.lock);
}

static void __printf(1, 2) print_line(const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vformat_buffer(line, sizeof(line), fmt, args);
	va_end(args);
	write_all(STDERR_FILENO, line, len);
}

static void print_class(unsigned int class)
{
	struct class_limits base = class_limits_default(class);
	const struct class_limits *now = &class_limits[class];

	print_line("%9zu %9zu %8u -> %3u %6u -> %3u %7u -> %7u\n",
		   class_size(class), tuner.classes[class].rate,
		   base.magazine, now->magazine, base.refill, now->refill,
		   base.depot, now->depot);
}

void hak_ace_stats(void)
{
	const struct ace_sample *total;
	unsigned int class;

	print_line("\nhakmem ACE is %s: %zu looks, free memory stays %u ms\n",
		   ace_is_on() ? "on" : "off", tuner.looks,
		   reclaim_decay_ms());
	print_line("%9s %9s %15s %13s %18s\n", "size", "visits/s",
		   "magazine", "refill", "depot");
	for (class = 1; class < NR_CLASSES; class++) {
		total = &tuner.classes[class].total;
		if (total->exchanges || total->refills || total->drains)
			print_class(class);
	}
}
