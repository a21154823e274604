// SPDX-License-Identifier: MIT
/*
 * Replay: see replay.h.
 */
#include "replay.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "hakmem.h"
#include "lib/align.h"
#include "lib/compiler.h"
#include "memory.h"
#include "shadow.h"

#define SLOTS		4096
#define FEW_SLOTS	256
#define FEW_SLOTS_LOG2	24
#define EXCHANGE_SLOTS	256
#define SHADOW_GIB	48
#define ERRNO_BEFORE	4711

/* As the low bits of an operation choose it, of 256. */
enum verb {
	MALLOC, CALLOC, ALIGNED_ALLOC, POSIX_MEMALIGN, MEMALIGN, REALLOC,
	FREE, FREE_SIZED, LOOK, EXCHANGE, TRIM, NEXT_LANE, EXIT_LANE, NR_VERBS,
};

static const struct {
	const char *name;
	unsigned char end;	/* verb of the numbers below this */
} verbs[NR_VERBS] = {
	[MALLOC] = { "malloc", 80 },
	[CALLOC] = { "calloc", 100 },
	[ALIGNED_ALLOC] = { "aligned_alloc", 108 },
	[POSIX_MEMALIGN] = { "posix_memalign", 116 },
	[MEMALIGN] = { "memalign", 120 },
	[REALLOC] = { "realloc", 160 },
	[FREE] = { "free", 210 },
	[FREE_SIZED] = { "free_sized", 220 },
	[LOOK] = { "malloc_usable_size", 228 },
	[EXCHANGE] = { "exchange", 248 },
	[TRIM] = { "malloc_trim", 249 },
	[NEXT_LANE] = { "next thread", 253 },
	[EXIT_LANE] = { "end of a thread", 255 },
};

/* Seldom: one of so many of those above. */
#define TRIM_DIVISOR	256
#define EXIT_DIVISOR	16
#define CLEAR_DIVISOR	1024
#define CLEAR_SIZE_MAX	((size_t)1 << 20)

struct operation {
	enum verb verb;
	unsigned int slot;
	size_t size;
	size_t align;
	unsigned int chance;
};

/**
 * struct world - one stream and what it has
 * @plan: of all worlds
 * @number: of this one
 * @prng: of its operations
 * @done: operations so far
 * @now: the operation at hand
 * @thread: the thread at hand: number of the world and of the thread in it
 * @live_bytes: usable bytes of all slots
 * @result: its part
 * @slots: blocks
 */
struct world {
	const struct replay_plan *plan;
	unsigned int number;
	struct prng prng;
	uint64_t done;
	struct operation now;
	unsigned int thread;
	size_t live_bytes;
	struct replay_result result;
	struct block slots[SLOTS];
};

/* Where worlds leave blocks for each other. */
static struct {
	pthread_mutex_t lock;
	struct block block;
} exchange[EXCHANGE_SLOTS];

/* --- What is wrong -------------------------------------------------------- */

__attribute__((noreturn, format(printf, 2, 3)))
static void wrong(const struct world *world, const char *format, ...)
{
	const struct operation *now = &world->now;
	va_list args;

	va_start(args, format);
	fprintf(stderr, "replay: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nreplay: in %s, size %zu, align %zu, slot %u: "
		"operation %ju of world %u of %u, %u lanes, sizes to 2^%u, "
		"%zu live, seed %ju\n", verbs[now->verb].name, now->size,
		now->align, now->slot, (uintmax_t)world->done, world->number,
		world->plan->worlds, world->plan->lanes,
		world->plan->size_log2, world->plan->live_bytes,
		(uintmax_t)world->plan->seed);
	va_end(args);
	abort();
}

static void check_errno(const struct world *world, bool success)
{
	int expected = success ? ERRNO_BEFORE : ENOMEM;

	/* It says so by its value, and keeps errno. */
	if (world->now.verb == POSIX_MEMALIGN)
		expected = ERRNO_BEFORE;
	if (errno != expected)
		wrong(world, "errno %d, not %d", errno, expected);
}

static void check_intact(const struct world *world, const struct block *block,
			 size_t size)
{
	if (!block_intact(block, size))
		wrong(world, "content of %p, %zu bytes, is lost",
		      (void *)block->ptr, block->size);
}

/* --- Blocks --------------------------------------------------------------- */

static void digest(struct world *world, uint64_t value)
{
	uint64_t *stream = &world->result.stream;

	*stream = (*stream ^ value) * 0x9e3779b97f4a7c15u;
	*stream ^= *stream >> 29;
}

/* It is the world's from now on: look at it from all sides and fill it. */
static void adopt(struct world *world, struct block *block, size_t align)
{
	size_t usable = hak_malloc_usable_size(block->ptr);

	if (!is_aligned(block->ptr, max(align, (size_t)16)))
		wrong(world, "%p is not aligned", (void *)block->ptr);
	if (usable < block->size)
		wrong(world, "%p has room for %zu only", (void *)block->ptr,
		      usable);
	if (!shadow_enter(block->ptr, usable))
		wrong(world, "%p to %p overlaps", (void *)block->ptr,
		      (void *)(block->ptr + usable));
	block->usable = usable;
	/* Not of the stream, which does not depend on what is refused. */
	block->seed = prng_next(&(struct prng){ world->done *
						REPLAY_WORLDS_MAX +
						world->number });
	block->thread = world->thread;
	block_fill(block);
	world->live_bytes += usable;
	world->result.largest = max(world->result.largest, block->size);
}

/* It is nobody's until it is freed or resized. */
static void let_go(struct world *world, struct block *block)
{
	check_intact(world, block, block->usable);
	if (hak_malloc_usable_size(block->ptr) != block->usable)
		wrong(world, "%p has room for %zu now, and had for %zu",
		      (void *)block->ptr, hak_malloc_usable_size(block->ptr),
		      block->usable);
	if (!shadow_leave(block->ptr, block->usable))
		wrong(world, "%p was not all live", (void *)block->ptr);
	world->live_bytes -= block->usable;
	world->result.strangers += block->thread != world->thread;
}

static void release(struct world *world, struct block *block)
{
	if (!block->ptr)
		return;
	let_go(world, block);
	errno = ERRNO_BEFORE;
	if (world->now.verb == FREE_SIZED)
		hak_free_sized(block->ptr, block->size);
	else
		hak_free(block->ptr);
	if (errno != ERRNO_BEFORE)
		wrong(world, "free() changed errno");
	block->ptr = NULL;
}

/* Free blocks, not much smaller ones, until there is room for another. */
static void make_room(struct world *world, size_t size)
{
	size_t bound = world->plan->live_bytes;
	struct block *block;
	unsigned int i;

	for (i = 1; i < SLOTS && world->live_bytes + size > bound; i++) {
		block = &world->slots[(world->now.slot + i) % SLOTS];
		if (block->ptr && block->usable >= size / 8)
			release(world, block);
	}
}

static bool is_refused(struct world *world, const void *ptr)
{
	check_errno(world, ptr);
	digest(world, ptr != NULL);
	if (ptr)
		return false;
	if (!world->plan->refusals)
		wrong(world, "no memory, with %zu bytes live",
		      world->live_bytes);
	world->result.refusals++;
	return true;
}

/* Bytes of a block, as calloc() is asked for it in up to four members. */
static size_t asked(const struct operation *now)
{
	size_t members = now->chance % 4 + 1;

	return now->verb != CALLOC ? now->size :
	       DIV_ROUND_UP(now->size, members) * members;
}

static void *call(struct world *world)
{
	const struct operation *now = &world->now;
	void *ptr = NULL;
	int error;

	errno = ERRNO_BEFORE;
	switch (now->verb) {
	case CALLOC:
		return hak_calloc(now->chance % 4 + 1,
				  asked(now) / (now->chance % 4 + 1));
	case ALIGNED_ALLOC:
		return hak_aligned_alloc(now->align, now->size);
	case MEMALIGN:
		return hak_memalign(now->align, now->size);
	case POSIX_MEMALIGN:
		error = hak_posix_memalign(&ptr, now->align, now->size);
		if (error != (ptr ? 0 : ENOMEM))
			wrong(world, "posix_memalign() gave %d", error);
		return ptr;
	default:
		return hak_malloc(now->size);
	}
}

static void allocate(struct world *world, struct block *block)
{
	const struct operation *now = &world->now;
	bool aligned = now->verb >= ALIGNED_ALLOC && now->verb <= MEMALIGN;

	release(world, block);
	make_room(world, now->size);
	block->ptr = call(world);
	if (is_refused(world, block->ptr))
		return;
	block->size = asked(now);
	block->usable = block->size;
	block->seed = now->chance;
	if (now->verb == CALLOC && !block_zero(block, block->size))
		wrong(world, "%p is not zeroed", (void *)block->ptr);
	adopt(world, block, aligned ? now->align : 1);
	world->result.allocations++;
}

static void resize(struct world *world, struct block *block)
{
	size_t size = max(world->now.size, (size_t)1);
	size_t common = min(block->size, size);
	struct block old = *block;
	unsigned char *ptr;

	if (!block->ptr) {
		allocate(world, block);
		return;
	}
	/* Before it leaves: it may be one of those that make room. */
	make_room(world, size);
	if (!block->ptr)
		return;
	let_go(world, block);
	errno = ERRNO_BEFORE;
	ptr = hak_realloc(block->ptr, size);
	if (!is_refused(world, ptr)) {
		block->ptr = ptr;
		block->size = size;
		world->result.resizes++;
	}
	old.ptr = block->ptr;
	check_intact(world, &old, ptr ? common : old.usable);
	adopt(world, block, 1);
}

/* Lock and all, so that what was written to it is seen. */
static void swap(struct world *world, struct block *block)
{
	unsigned int i = world->now.chance % EXCHANGE_SLOTS;
	struct block other;

	pthread_mutex_lock(&exchange[i].lock);
	other = exchange[i].block;
	exchange[i].block = *block;
	pthread_mutex_unlock(&exchange[i].lock);
	if (block->ptr)
		world->live_bytes -= block->usable;
	if (other.ptr)
		world->live_bytes += other.usable;
	*block = other;
}

/* --- Streams -------------------------------------------------------------- */

/* Most alignments are small ones, a few of those beyond a slab. */
static size_t decode_align(unsigned int bits)
{
	return (size_t)16 << (bits < 28 ? bits % 9 : 9 + (bits - 28) * 4);
}

static size_t decode_size(unsigned int log2, unsigned int fraction)
{
	if (fraction < 64)
		return 0;
	return (size_t)((65536 + (uint64_t)fraction) << log2 >> 16);
}

static void decode(struct world *world, uint64_t word)
{
	struct operation *now = &world->now;
	enum verb verb = MALLOC;

	while (verb < NR_VERBS - 1 && (word & 0xff) >= verbs[verb].end)
		verb++;
	now->verb = verb;
	/* Where few fit, a slot should still be in use more often than not. */
	now->slot = word >> 8 & (SLOTS - 1);
	if (world->plan->size_log2 > FEW_SLOTS_LOG2)
		now->slot %= FEW_SLOTS;
	now->size = decode_size((word >> 20 & 0xff) % world->plan->size_log2,
				word >> 28 & 0xffff);
	now->align = decode_align(word >> 44 & 31);
	now->chance = (unsigned int)(word >> 49);
	/* To clear a block that was in use takes a second for 1 GiB. */
	if (verb == CALLOC && now->chance % CLEAR_DIVISOR)
		now->size %= CLEAR_SIZE_MAX;
	digest(world, word);
}

static void next_operation(struct world *world)
{
	const uint64_t *input = world->plan->input;
	uint64_t word = input ? input[world->done] : prng_next(&world->prng);

	decode(world, word);
	world->done++;
	world->result.operations++;
}

/* Return: whether this thread goes on with the next operation. */
static bool execute(struct world *world)
{
	struct operation *now = &world->now;
	struct block *block = &world->slots[now->slot];

	switch (now->verb) {
	case REALLOC:
		resize(world, block);
		return true;
	case FREE:
	case FREE_SIZED:
		release(world, block);
		return true;
	case LOOK:
		if (block->ptr)
			check_intact(world, block, block->usable);
		return true;
	case EXCHANGE:
		if (world->plan->worlds > 1)
			swap(world, block);
		return true;
	case TRIM:
		if (now->chance % TRIM_DIVISOR == 0)
			hak_malloc_trim(0);
		return true;
	case NEXT_LANE:
		return false;
	case EXIT_LANE:
		return now->chance % EXIT_DIVISOR != 0;
	default:
		allocate(world, block);
		return true;
	}
}

/**
 * struct lane - a thread of a world
 * @turn: posted when it may go on
 * @over: posted when it is the next one's turn
 * @exits: it has ended
 */
struct lane {
	struct world *world;
	pthread_t thread;
	sem_t turn;
	sem_t over;
	bool exits;
};

static void take_turn(struct lane *lane)
{
	struct world *world = lane->world;

	while (world->done < world->plan->operations) {
		next_operation(world);
		if (!execute(world))
			break;
	}
	lane->exits = world->now.verb == EXIT_LANE ||
		      world->done == world->plan->operations;
}

static void *lane_thread(void *arg)
{
	struct lane *lane = arg;

	do {
		sem_wait(&lane->turn);
		take_turn(lane);
		sem_post(&lane->over);
	} while (!lane->exits);
	return NULL;
}

/* A lane that has ended gets another thread when its turn comes. */
static bool start_lane(struct lane *lane)
{
	int error = 0;

	if (lane->exits)
		error = pthread_create(&lane->thread, NULL, lane_thread, lane);
	if (error && !lane->world->plan->refusals) {
		fprintf(stderr, "replay: no thread: %s\n", strerror(error));
		exit(EXIT_FAILURE);
	}
	lane->exits = error;
	return !error;
}

static void run_lanes(struct world *world, struct lane *lanes)
{
	unsigned int n = world->plan->lanes, i;
	struct lane *lane;

	for (i = 0; i < n; i++) {
		lanes[i] = (struct lane){ .world = world, .exits = true };
		sem_init(&lanes[i].turn, 0, 0);
		sem_init(&lanes[i].over, 0, 0);
	}
	for (i = 0; world->done < world->plan->operations; i = (i + 1) % n) {
		lane = &lanes[i];
		world->thread = world->number << 16 | i;
		if (!start_lane(lane)) {
			take_turn(lane);
			lane->exits = true;
			continue;
		}
		sem_post(&lane->turn);
		sem_wait(&lane->over);
		if (!lane->exits)
			continue;
		pthread_join(lane->thread, NULL);
		world->result.exits++;
	}
	for (i = 0; i < n; i++) {
		if (lanes[i].exits)
			continue;
		sem_post(&lanes[i].turn);
		pthread_join(lanes[i].thread, NULL);
	}
}

static void *world_thread(void *arg)
{
	struct lane lanes[REPLAY_LANES_MAX];
	struct world *world = arg;
	unsigned int i;

	if (world->plan->lanes > 1) {
		run_lanes(world, lanes);
	} else {
		world->thread = world->number << 16;
		lanes[0].world = world;
		while (world->done < world->plan->operations)
			take_turn(&lanes[0]);
	}
	world->now.verb = FREE;
	for (i = 0; i < SLOTS; i++)
		release(world, &world->slots[i]);
	return NULL;
}

/* What worlds have left for others that did not come. */
static void empty_exchange(struct world *world)
{
	unsigned int i;

	for (i = 0; i < EXCHANGE_SLOTS; i++)
		release(world, &exchange[i].block);
}

static void add_result(struct replay_result *sum,
		       const struct replay_result *part)
{
	sum->operations += part->operations;
	sum->allocations += part->allocations;
	sum->resizes += part->resizes;
	sum->refusals += part->refusals;
	sum->strangers += part->strangers;
	sum->exits += part->exits;
	sum->largest = max(sum->largest, part->largest);
	sum->stream ^= part->stream;
}

static struct world *create_worlds(const struct replay_plan *plan)
{
	struct world *worlds = calloc(plan->worlds, sizeof(*worlds));
	unsigned int i;

	if (!worlds) {
		perror("replay");
		exit(EXIT_FAILURE);
	}
	for (i = 0; i < plan->worlds; i++) {
		worlds[i].plan = plan;
		worlds[i].number = i;
		worlds[i].prng.state = plan->seed * REPLAY_WORLDS_MAX + i;
	}
	return worlds;
}

void replay_run(const struct replay_plan *plan, struct replay_result *result)
{
	struct world *worlds = create_worlds(plan);
	pthread_t threads[REPLAY_WORLDS_MAX];
	bool started[REPLAY_WORLDS_MAX];
	unsigned int i;

	shadow_reserve(SHADOW_GIB);
	for (i = 0; i < EXCHANGE_SLOTS; i++)
		pthread_mutex_init(&exchange[i].lock, NULL);
	for (i = 1; i < plan->worlds; i++) {
		started[i] = !pthread_create(&threads[i], NULL, world_thread,
					     &worlds[i]);
		if (!started[i] && !plan->refusals) {
			fprintf(stderr, "replay: no thread\n");
			exit(EXIT_FAILURE);
		}
	}
	world_thread(&worlds[0]);
	for (i = 1; i < plan->worlds; i++) {
		if (started[i])
			pthread_join(threads[i], NULL);
		else
			world_thread(&worlds[i]);
	}
	empty_exchange(&worlds[0]);
	memset(result, 0, sizeof(*result));
	for (i = 0; i < plan->worlds; i++)
		add_result(result, &worlds[i].result);
	free(worlds);
}
