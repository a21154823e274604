// SPDX-License-Identifier: MIT
/*
 * What ACE decides: see policy.h.
 */
#include "policy.h"

#include "lib/align.h"

size_t ace_rate(size_t count, unsigned int ms)
{
	size_t thousands;

	if (__builtin_mul_overflow(count, (size_t)1000, &thousands))
		thousands = SIZE_MAX;
	return ms ? thousands / ms : 0;
}

/* One step up, down to the base, or none. */
static unsigned int step(unsigned int now, unsigned int base,
			 unsigned int most, size_t rate)
{
	unsigned int next = now;

	if (rate >= ACE_HOT_RATE)
		next = min(now ? now * 2 : 1, most);
	else if (rate <= ACE_COLD_RATE)
		next = now / 2;
	return max(next, base);
}

struct class_limits ace_next_limits(size_t size,
				    const struct ace_sample *sample,
				    unsigned int ms,
				    const struct class_limits *base,
				    const struct class_limits *now)
{
	size_t tier_calls = min(sample->refills, sample->drains);
	size_t visits = sample->exchanges + sample->refills + sample->drains;
	unsigned int most = (unsigned int)min(ACE_MAGAZINE_BYTES / size,
					      (size_t)MAGAZINE_SIZE_MAX);
	struct class_limits next;

	next.magazine = step(now->magazine, base->magazine, most,
			     ace_rate(visits, ms));
	next.refill = step(now->refill, base->refill, next.magazine,
			   ace_rate(sample->refills, ms));
	next.refill = min(next.refill, next.magazine);
	/* What is drained only to be refilled should have waited. */
	next.depot = step(now->depot, base->depot,
			  (unsigned int)(ACE_DEPOT_BYTES / size),
			  ace_rate(tier_calls, ms));
	return next;
}

size_t ace_budget(size_t used)
{
	return max(used / ACE_BUDGET_DIVISOR, ACE_BUDGET_MIN);
}

void ace_pay(size_t size, unsigned int caches, const struct class_limits *base,
	     struct class_limits *wanted, size_t *budget)
{
	size_t each, extra;

	if (wanted->magazine <= base->magazine)
		return;
	/* Of 32 bits, thousands of caches may want more than there is. */
	if (__builtin_mul_overflow(2 * size, max(caches, 1U), &each))
		each = SIZE_MAX;
	extra = min((size_t)(wanted->magazine - base->magazine),
		    *budget / each);
	*budget -= extra * each;
	wanted->magazine = base->magazine + (unsigned int)extra;
	wanted->refill = min(wanted->refill, wanted->magazine);
}

size_t ace_next_growth(size_t touched)
{
	return touched + max(touched / ACE_GROWTH_DIVISOR, ACE_GROWTH_MIN);
}

unsigned int ace_next_decay(unsigned int base_ms, unsigned int now_ms,
			    size_t bounced, size_t used)
{
	if (bounced > max(used / ACE_BOUNCE_DIVISOR, ACE_BOUNCE_MIN))
		return min(now_ms * 2, base_ms * ACE_DECAY_FACTOR);
	return max(now_ms - now_ms / 4, base_ms);
}
