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

/* An object has so many. */
#define NEIGHBOURS	2

static uint64_t state;

void random_start(uint64_t seed)
{
	WRITE_ONCE(state, seed);
}

/* A thread's own stretch of the sequence. */
static uint64_t draw_state(void)
{
	uint64_t mine = __atomic_fetch_add(&state, RANDOM_STEP,
					   __ATOMIC_RELAXED);

	return random_next(&mine);
}

static void swap(void **objs, unsigned int a, unsigned int b)
{
	void *obj = objs[a];

	objs[a] = objs[b];
	objs[b] = obj;
}

static bool are_neighbours(const void *a, const void *b, size_t size)
{
	size_t up = (uintptr_t)a - (uintptr_t)b;

	return up == size || -up == size;
}

/* Return: the last; as few as there may be left, all may be neighbours. */
static const void *shuffle_near(void **objs, unsigned int n, size_t size,
				const void *before, uint64_t *chance)
{
	unsigned int pick, tries;

	for (; n; n--) {
		pick = (unsigned int)((random_next(chance) >> 32) * n >> 32);
		for (tries = 0; tries < NEIGHBOURS &&
		     are_neighbours(objs[pick], before, size); tries++)
			pick = pick ? pick - 1 : n - 1;
		swap(objs, n - 1, pick);
		before = objs[n - 1];
	}
	return before;
}

/*
 * What leaves a magazine first is last. SPAN that lie side by side are followed
 * by as many, so that objects of one structure share pages and nearly share
 * lines of the processor's caches: in any order among all of a magazine, they
 * cost programs more than all else here. But each is no neighbour of the one
 * before it: who goes further than what is checked behind one meets what is not
 * in use yet, and will be looked at then.
 */
void random_shuffle(void **objs, unsigned int n, size_t size)
{
	uint64_t mine = draw_state();
	const void *before = NULL;
	unsigned int first;

	for (; n; n = first) {
		first = n - min(n, SPAN);
		before = shuffle_near(objs + first, n - first, size, before,
				      &mine);
	}
}

uintptr_t harden_offset(uintptr_t room)
{
	uint64_t mine = draw_state();
	uint64_t places = room >> SUPERSLAB_SHIFT;

	return places ? (uintptr_t)(random_next(&mine) % places)
			<< SUPERSLAB_SHIFT : 0;
}
