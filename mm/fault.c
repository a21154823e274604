// SPDX-License-Identifier: MIT
/*
 * Fault injection: see include/mm/fault.h.
 */
#include "mm/fault.h"

#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "lib/parse.h"
#include "lib/random.h"
#include "mm/knobs.h"
#include "mm/report.h"

#define ENVIRONMENT_NAME	"HAKMEM_FAULT"
#define PERMILLE_MAX		1000

struct fault_machine fault_machine;

/* Each word by itself is atomic; @calls is 0 while the others change. */
static struct fault_plan plan;
static unsigned long nr_calls, nr_strikes;

/* The same for the same seed and number, whichever thread makes the call. */
static bool by_chance(unsigned long n)
{
	uint64_t state = READ_ONCE(plan.seed) + (n - 1) * RANDOM_STEP;

	return random_next(&state) % PERMILLE_MAX < READ_ONCE(plan.permille);
}

static bool by_number(unsigned long n)
{
	unsigned long first = READ_ONCE(plan.first);
	unsigned long interval = READ_ONCE(plan.interval);

	if (!first || n < first)
		return false;
	return n == first || (interval && (n - first) % interval == 0);
}

bool fault_strikes(enum vm_call call)
{
	unsigned long n;

	if (likely(!(READ_ONCE(plan.calls) & VM_CALL_BIT(call))))
		return false;
	n = __atomic_add_fetch(&nr_calls, 1, __ATOMIC_RELAXED);
	if (!by_number(n) && !by_chance(n))
		return false;
	__atomic_add_fetch(&nr_strikes, 1, __ATOMIC_RELAXED);
	return true;
}

void fault_set(const struct fault_plan *next)
{
	WRITE_ONCE(plan.calls, 0);
	WRITE_ONCE(nr_calls, 0);
	WRITE_ONCE(nr_strikes, 0);
	if (!next)
		return;
	WRITE_ONCE(plan.first, next->first);
	WRITE_ONCE(plan.interval, next->interval);
	WRITE_ONCE(plan.permille, next->permille);
	WRITE_ONCE(plan.seed, next->seed);
	WRITE_ONCE(plan.calls, next->calls);
}

unsigned long fault_calls(void)
{
	return READ_ONCE(nr_calls);
}

unsigned long fault_strikes_so_far(void)
{
	return READ_ONCE(nr_strikes);
}

static const char *const call_names[NR_VM_CALLS] = {
	[VM_CALL_MAP] = "map",
	[VM_CALL_UNMAP] = "unmap",
	[VM_CALL_PURGE] = "purge",
	[VM_CALL_REMAP] = "remap",
	[VM_CALL_COMMIT] = "commit",
	[VM_CALL_RESERVE] = "reserve",
};

/* One name of a kind, or "all". Return: what follows it, NULL if none. */
static const char *parse_call(const char *text, unsigned int *calls)
{
	const char *behind = parse_prefix(text, "all");
	unsigned int call;

	if (behind) {
		*calls |= VM_CALLS_ALL;
		return behind;
	}
	for (call = 0; call < NR_VM_CALLS; call++) {
		behind = parse_prefix(text, call_names[call]);
		if (behind) {
			*calls |= VM_CALL_BIT(call);
			return behind;
		}
	}
	return NULL;
}

/* ",NAME=" and a number. Return: what follows it, NULL if it is not that. */
static const char *parse_option(const char *text, const char *name,
				unsigned long *value)
{
	text = parse_prefix(text, name);
	return text && parse_number(&text, value) ? text : NULL;
}

static const char *parse_which(const char *text, struct fault_plan *parsed)
{
	const char *behind;

	behind = parse_option(text, ",nth=", &parsed->first);
	if (behind)
		return behind;
	behind = parse_option(text, ",every=", &parsed->first);
	if (behind) {
		parsed->interval = parsed->first;
		return behind;
	}
	behind = parse_option(text, ",from=", &parsed->first);
	if (behind) {
		parsed->interval = 1;
		return behind;
	}
	behind = parse_option(text, ",permille=", &parsed->permille);
	if (behind)
		return behind;
	return parse_option(text, ",seed=", &parsed->seed);
}

bool fault_parse(const char *text, struct fault_plan *result)
{
	struct fault_plan parsed = { 0 };

	text = parse_call(text, &parsed.calls);
	while (text && *text == '+')
		text = parse_call(text + 1, &parsed.calls);
	while (text && *text)
		text = parse_which(text, &parsed);
	if (!text || parsed.permille > PERMILLE_MAX ||
	    (!parsed.first && !parsed.permille))
		return false;
	*result = parsed;
	return true;
}

void fault_init(void)
{
	const char *text = knob_environment(ENVIRONMENT_NAME);
	struct fault_plan parsed;

	if (!text)
		return;
	if (fault_parse(text, &parsed))
		fault_set(&parsed);
	else
		report_line("%s: not understood: no memory call will fail",
			    ENVIRONMENT_NAME);
}
