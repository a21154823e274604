// SPDX-License-Identifier: MIT
/*
 * Where things lie: in another order in each process.
 */
#include "lib/random.h"

#include "mm/harden.h"
#include "mm/sizes.h"
#include "private.h"

/* Objects that follow one another and come in any order. */
#define SPAN	((unsigned int)CONFIG_HAKMEM_HARDEN_RANDOM_SPAN)

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

static void swap(void **objs, unsigned int a, unsigned int b)
{
	void *obj = objs[a];

	objs[a] = objs[b];
	objs[b] = obj;
}

static void shuffle_near(void **objs, unsigned int n, uint64_t *chance)
{
	unsigned int i;

	for (i = n; i > 1; i--)
		swap(objs, i - 1,
		     (unsigned int)((random_next(chance) >> 32) * i >> 32));
}

/*
 * Neighbours stay near one another, on the same pages and nearly the same lines
 * of the processor's caches: in any order among all of a magazine, they cost
 * programs more than all else here.
 */
void random_shuffle(void **objs, unsigned int n)
{
	uint64_t mine = draw_state();
	unsigned int i;

	for (i = 0; i < n; i += SPAN)
		shuffle_near(objs + i, min(n - i, SPAN), &mine);
}

uintptr_t harden_offset(uintptr_t room)
{
	uint64_t mine = draw_state();
	uint64_t places = room >> SUPERSLAB_SHIFT;

	return places ? (uintptr_t)(random_next(&mine) % places)
			<< SUPERSLAB_SHIFT : 0;
}
