// SPDX-License-Identifier: MIT
/*
 * Where things lie: in another order in each process.
 */
#include "lib/random.h"

#include "mm/harden.h"
#include "mm/sizes.h"
#include "private.h"

static uint64_t state;

void random_start(uint64_t seed)
{
	WRITE_ONCE(state, seed);
}

/* A thread's own stretch of the sequence. */
static uint64_t draw_state(void)
{
	uint64_t mine = __atomic_fetch_add(&state, 0x9e3779b97f4a7c15u,
					   __ATOMIC_RELAXED);

	return random_next(&mine);
}

void harden_shuffle(void **objs, unsigned int n)
{
	uint64_t mine = draw_state();
	unsigned int i, other;
	void *obj;

	for (i = n; i > 1; i--) {
		other = (unsigned int)((random_next(&mine) >> 32) * i >> 32);
		obj = objs[i - 1];
		objs[i - 1] = objs[other];
		objs[other] = obj;
	}
}

uintptr_t harden_offset(uintptr_t room)
{
	uint64_t mine = draw_state();
	uint64_t places = room >> SUPERSLAB_SHIFT;

	return places ? (uintptr_t)(random_next(&mine) % places)
			<< SUPERSLAB_SHIFT : 0;
}
