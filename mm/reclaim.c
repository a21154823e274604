// SPDX-License-Identifier: MIT
/*
 * When free memory goes back to the kernel: see include/mm/reclaim.h.
 */
#include "mm/reclaim.h"

#include <time.h>

#include "lib/align.h"
#include "mm/knobs.h"

/* Set by whoever knows better than the knob; 0: nobody. */
static unsigned int learned_decay_ms;

uint64_t reclaim_clock_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

unsigned int reclaim_decay_ms(void)
{
	unsigned int ms = READ_ONCE(learned_decay_ms);

	return ms ? ms : knob(KNOB_DECAY_MS);
}

void reclaim_set_decay_ms(unsigned int ms)
{
	WRITE_ONCE(learned_decay_ms, ms);
}

bool reclaim_time_over(const struct reclaim_pace *pace)
{
	return reclaim_clock_ms() >= READ_ONCE(pace->next_ms);
}

/* What went long ago is not missed any more. */
size_t reclaim_idle(struct reclaim_pace *pace, size_t idle)
{
	size_t least = min(pace->least, idle);

	WRITE_ONCE(pace->next_ms, reclaim_clock_ms() + reclaim_decay_ms());
	pace->least = idle;
	pace->gone /= 2;
	pace->missed -= DIV_ROUND_UP(pace->missed, 4);
	return least;
}

bool reclaim_expire(struct reclaim_pace *pace, size_t idle, size_t used,
		    size_t *keep)
{
	*keep = max(idle - reclaim_idle(pace, idle), reclaim_retain(used));
	return *keep < idle;
}

bool reclaim_due(struct reclaim_pace *pace, size_t idle, size_t used,
		 size_t *keep)
{
	size_t most = reclaim_most(pace, IDLE_BYTES_MAX, used);

	if (likely(idle <= reclaim_retain(used)))
		return false;
	/* Some more than what is too much, so that it is not the next call. */
	if (idle > most) {
		*keep = most - most / 4;
		return true;
	}
	return reclaim_time_over(pace) &&
	       reclaim_expire(pace, idle, used, keep);
}
