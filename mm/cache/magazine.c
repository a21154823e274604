// SPDX-License-Identifier: MIT
/*
 * The cache layer: see include/mm/cache.h.
 *
 *   cache_alloc_slow()                 cache_free_slow()
 *     the spare, if it has objects       the spare, if it has room
 *     depot_take_full()                  depot_put_full()
 *     refill() from the tier             drain() to the tier
 */
#include "mm/cache.h"

#include "depot.h"
#include "magazine.h"
#include "mm/harden.h"
#include "mm/knobs.h"
#include "mm/report.h"
#include "mm/thread.h"
#include "mm/tier.h"

#define SINGLES_KEEP	((size_t)CONFIG_HAKMEM_MAGAZINE_SINGLES_KB << 10)

#define FIRST_REFILL_BYTES	((size_t)1024)

/* So often in a row are singles of two classes freed to have magazines. */
#define SINGLE_WANTED	2

/* A class whose cache was refilled this often is hot. */
#define HOT_REFILLS	16

/* Of slow calls that follow each other closely, one in so many is timed. */
#define TICK_EVERY	8

void *no_magazine[MAGAZINE_WORDS] __aligned_to(MAGAZINE_BYTES);

#define NO_MAGAZINES \
	{ .top = { [0 ... NR_REGISTRY_CLASSES - 1] = NO_MAGAZINE_TOP } }

struct cache cache_detached = NO_MAGAZINES;

#define SIZES(class)							\
	[CLASS_SIZE((class) - 1) / OBJECT_ALIGN + ((class) > 1) ...	\
	 CLASS_SIZE(class) / OBJECT_ALIGN] = (class)

#define MULTIPLIER(size) \
	((uint32_t)(UINT32_MAX / (size) + 1))
#define CHECK_OF_SIZE(size) {						\
	MULTIPLIER(size),						\
	UNITS_WASTE_LITTLE(size, 1) ?					\
	(uint32_t)(SLAB_SIZE / (size) - 1) *				\
	(uint32_t)(MULTIPLIER(size) * (size)) + 1 : 0 }
#define CHECK(class)	[class] = CHECK_OF_SIZE(CLASS_SIZE(class))

#define FOUR(entry, class) \
	entry((class)), entry((class) + 1), entry((class) + 2), \
	entry((class) + 3)
#define EIGHT(entry, class) FOUR(entry, class), FOUR(entry, (class) + 4)

const struct cache_tables cache_tables = {
	.boot = NO_MAGAZINES,
	.checks = {
		EIGHT(CHECK, 1), EIGHT(CHECK, 9), EIGHT(CHECK, 17),
		EIGHT(CHECK, 25), EIGHT(CHECK, 33), EIGHT(CHECK, 41),
		EIGHT(CHECK, 49), EIGHT(CHECK, 57), FOUR(CHECK, 65),
	},
	.sizes = {
		[0] = 1, [1] = 1, [2] = 2, [3] = 3, [4] = 4,
		FOUR(SIZES, 5), EIGHT(SIZES, 9), FOUR(SIZES, 17),
	},
};

_Static_assert(CLASS_SIZE(68) == SLAB_SIZE && CLASS_SIZE(20) == HOT_SIZE_MAX,
	       "classes that fit a slab of one unit, and the hot path's");

/* Moves on when threads should look for magazines that they do not use. */
static unsigned int cache_epoch;

static bool magazine_empty(const struct magazine *magazine)
{
	return !magazine->top[-1];
}

/*
 * Give all objects of a magazine to their tier. Return: how many.
 *
 * First they leave the magazine: once the tier's lock has been released others
 * may fetch them and free them, and lies_in_magazine() must know them gone.
 * Their words go as well: whoever looks while the magazine's bounds move, or
 * while an object is being put in, must find no object that is elsewhere.
 */
static unsigned int magazine_drain(unsigned int class,
				   struct magazine *magazine)
{
	void **objs = &magazine->words[magazine->first];
	unsigned int n = (unsigned int)magazine_objects(magazine);

	WRITE_ONCE(magazine->top, objs);
	harden_check_free(class, objs, n);
	if (n)
		class_source(class)->drain(class, objs, n);
	if (IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK) ||
	    IS_ENABLED(CONFIG_HAKMEM_VALGRIND))
		cache_forget(objs, n);
	return n;
}

/* So large that a magazine holds one, if any. */
static bool is_single(unsigned int class)
{
	return class >= CLASS_OF(MAGAZINE_KEEP + 1);
}

/* Magazines of a class came into a cache, or left it. */
static void count_single(struct cache *cache, unsigned int class,
			 int magazines)
{
	if (is_single(class))
		cache->single_bytes += (size_t)magazines * class_size(class);
}

static bool may_add(const struct cache *cache, unsigned int class)
{
	return !is_single(class) ||
	       cache->single_bytes + class_size(class) <= SINGLES_KEEP;
}

static struct magazine *unload(struct cache *cache, unsigned int class)
{
	struct magazine *magazine = magazine_of(cache->top[class]);

	if (magazine) {
		magazine->top = cache->top[class];
		count_single(cache, class, -1);
	}
	WRITE_ONCE(cache->top[class], NO_MAGAZINE_TOP);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return magazine;
}

/*
 * Before it goes where others find it: cache_verify(), in a signal handler,
 * must not meet it in two places.
 */
static struct magazine *take_spare(struct cache *cache, unsigned int class)
{
	struct magazine *spare = cache->spare[class];

	WRITE_ONCE(cache->spare[class], NULL);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (spare)
		count_single(cache, class, -1);
	return spare;
}

static void set_spare(struct cache *cache, unsigned int class,
		      struct magazine *spare)
{
	cache->spare[class] = spare;
	if (spare)
		count_single(cache, class, 1);
}

static void load(struct cache *cache, unsigned int class,
		 struct magazine *magazine)
{
	cache->top[class] = magazine->top;
	count_single(cache, class, 1);
}

static void swap_spare(struct cache *cache, unsigned int class)
{
	struct magazine *spare = take_spare(cache, class);

	set_spare(cache, class, unload(cache, class));
	load(cache, class, spare);
}

static bool is_hot(struct cache *cache, unsigned int class)
{
	if (class > TINY_CLASS_LAST)
		return false;
	if (cache->refills[class] == HOT_REFILLS)
		return true;
	cache->refills[class]++;
	return false;
}

/*
 * Objects to fetch at once. Few the first time: most threads want few objects
 * of most classes, and what one thread fetches no other has on its pages.
 */
static unsigned int refill_count(struct cache *cache, unsigned int class,
				 bool first)
{
	unsigned int n = READ_ONCE(class_limits[class].refill);

	/* It has had more than a magazine: such come and go by magazines. */
	if (cache->spare[class])
		n = READ_ONCE(class_limits[class].magazine);
	if (first)
		n = min(n, (unsigned int)(FIRST_REFILL_BYTES /
					  class_size(class)));
	if (is_hot(cache, class) && knob(KNOB_TINY_REFILL_COUNT_HOT))
		n = knob(KNOB_TINY_REFILL_COUNT_HOT);
	return max(n, 1U);
}

/* Part with a magazine. Return: objects that went to the tier. */
static unsigned int magazine_put(unsigned int class,
				 struct magazine *magazine, bool to_tier)
{
	unsigned int drained = 0;

	if (!magazine)
		return 0;
	if (!magazine_empty(magazine)) {
		if (!to_tier && depot_put_full(class, magazine, NULL))
			return 0;
		drained = magazine_drain(class, magazine);
	}
	depot_put_empty(class, magazine);
	return drained;
}

/*
 * Large objects are too much memory to lie about unless they are wanted: what
 * waits in a magazine serves its class, while the tier gives what was touched
 * last to any. A single's class has a magazine from becomes_cached() on.
 */
static bool is_cached(const struct cache *cache, unsigned int class)
{
	if (!READ_ONCE(class_limits[class].magazine))
		return false;
	return !is_single(class) || cache->top[class] != NO_MAGAZINE_TOP;
}

/* The magazines of other singles go, in turns, until there is room. */
static void evict_for(struct cache *cache, unsigned int class)
{
	unsigned int left = NR_CLASSES;
	unsigned int victim;

	for (; left && !may_add(cache, class); left--) {
		victim = cache->victim % CLASS_MAX + 1;
		cache->victim = (uint8_t)victim;
		if (!is_single(victim))
			continue;
		magazine_put(victim, unload(cache, victim), true);
		magazine_put(victim, take_spare(cache, victim), true);
	}
	/* A signal handler that allocated came between count and magazine. */
	if (!left)
		cache->single_bytes = 0;
}

/*
 * One freed a moment ago that is freed again was allocated meanwhile: twice in
 * a row that is no chance among many sizes.
 */
static bool becomes_cached(struct cache *cache, unsigned int class)
{
	if (READ_ONCE(class_limits[class].magazine) == 0 ||
	    class_size(class) > SINGLES_KEEP)
		return false;
	if (cache->freed[0] != class && cache->freed[1] != class) {
		cache->freed[1] = cache->freed[0];
		cache->freed[0] = (uint8_t)class;
		cache->freed_again = 0;
		return false;
	}
	if (++cache->freed_again < SINGLE_WANTED)
		return false;
	cache->freed_again = 0;
	evict_for(cache, class);
	return true;
}

static void *alloc_uncached(unsigned int class)
{
	void *obj;

	return class_source(class)->refill(class, &obj, 1) ? obj : NULL;
}

/* Fill the loaded magazine, which is empty or missing, from the tier. */
static void *refill(struct cache *cache, unsigned int class)
{
	struct magazine *magazine = magazine_of(cache->top[class]);
	unsigned int n = refill_count(cache, class, !magazine);
	void **objs;

	if (!magazine) {
		magazine = depot_take_empty(class);
		if (!magazine)
			return alloc_uncached(class);
		count_single(cache, class, 1);
	}
	magazine_reset(magazine, class);
	objs = magazine->top;
	n = min(n, (unsigned int)(MAGAZINE_WORDS - magazine->first));
	n = class_source(class)->refill(class, objs, n);
	harden_fetched(class, objs, n);
	cache->top[class] = objs + n;
	return cache_pop(cache_tables_base(), class);
}

static uint16_t low_bits(void **top)
{
	return (uint16_t)((uintptr_t)top / sizeof(void *));
}

/* Give to the tiers what was not touched since the last look. */
static void __cold expire_idle(struct cache *cache)
{
	unsigned int class;

	cache->epoch = READ_ONCE(cache_epoch);
	cache_give_returns(cache);
	for (class = 1; class < NR_CLASSES; class++) {
		if (cache->top[class] == NO_MAGAZINE_TOP)
			continue;
		if (low_bits(cache->top[class]) == cache->seen[class]) {
			magazine_put(class, unload(cache, class), true);
			magazine_put(class, take_spare(cache, class), true);
		}
		cache->seen[class] = low_bits(cache->top[class]);
	}
}

void cache_begin_epoch(void)
{
	__atomic_fetch_add(&cache_epoch, 1, __ATOMIC_RELAXED);
}

void cache_tend(uint64_t now_ms)
{
	struct cache *cache = cache_self(&cache_tables);

	if (!cache_is_real(cache))
		return;
	cache->tick_rest = now_ms == cache->tick_ms ? TICK_EVERY - 1 : 0;
	cache->tick_ms = now_ms;
	if (unlikely(cache->epoch != READ_ONCE(cache_epoch)))
		expire_idle(cache);
}

void *cache_alloc_slow(unsigned int class)
{
	struct cache *cache = thread_attach();
	struct magazine *full, *spare;
	void *obj;

	if (unlikely(!cache))
		return alloc_uncached(class);
	/* A cache that was parked comes with objects. */
	obj = cache_pop(cache_tables_base(), class);
	if (obj)
		return obj;
	if (cache->spare[class] && !magazine_empty(cache->spare[class])) {
		swap_spare(cache, class);
		return cache_pop(cache_tables_base(), class);
	}
	spare = take_spare(cache, class);
	full = may_add(cache, class) ? depot_take_full(class, spare) : NULL;
	if (!full) {
		set_spare(cache, class, spare);
		if (!is_cached(cache, class))
			return alloc_uncached(class);
		return refill(cache, class);
	}
	set_spare(cache, class, unload(cache, class));
	load(cache, class, full);
	return cache_pop(cache_tables_base(), class);
}

/* Where the next objects go when neither magazine has room. */
static struct magazine *make_room(struct cache *cache, unsigned int class)
{
	struct magazine *spare = take_spare(cache, class);
	struct magazine *empty = NULL;

	if (!spare)
		return may_add(cache, class) ? depot_take_empty(class) : NULL;
	if (!depot_put_full(class, spare, &empty)) {
		magazine_drain(class, spare);
		return spare;
	}
	return empty ? empty : depot_take_empty(class);
}

/* Without memory for a further magazine, the one that is full has to do. */
static struct magazine *empty_loaded(struct cache *cache, unsigned int class)
{
	struct magazine *loaded = unload(cache, class);

	if (loaded)
		magazine_drain(class, loaded);
	return loaded;
}

/*
 * Is an object still where this thread put it? What a drain takes leaves its
 * word behind for a while, but above the top. Another thread that has the
 * magazine loaded has its top as well, and clears the words of what it takes.
 */
static bool lies_in_magazine(const struct cache *cache, unsigned int class,
			     const void *obj)
{
	void **place = cache->recent[recent_index(obj)];
	struct magazine *magazine = magazine_of(place + 1);
	void **top = cache->top[class];

	if (!IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK) ||
	    UNSEEN(*place) != obj)
		return false;
	if (magazine_of(top) != magazine)
		top = READ_ONCE(magazine->top);
	return place >= &magazine->words[magazine->first] && place < top;
}

/* So that cache_push() does not stumble over what a drain left. */
static void forget_place(struct cache *cache, const void *obj)
{
	if (IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK))
		cache->recent[recent_index(obj)] = no_magazine;
}

void cache_free_slow(unsigned int class, void *obj)
{
	struct cache *cache = thread_attach();
	struct magazine *room;

	if (unlikely(!cache)) {
		class_source(class)->drain(class, &obj, 1);
		return;
	}
	if (unlikely(lies_in_magazine(cache, class, obj)))
		report_bad_pointer("free", obj, FAULT_FREE);
	forget_place(cache, obj);
	if (!is_cached(cache, class) && !becomes_cached(cache, class)) {
		class_source(class)->drain(class, &obj, 1);
		return;
	}
	if (cache_push(cache_tables_base(), class, obj))
		return;
	if (cache->spare[class] && magazine_empty(cache->spare[class])) {
		magazine_reset(cache->spare[class], class);
		swap_spare(cache, class);
	} else {
		/* With what may go now they may empty a superslab. */
		cache_give_returns(cache);
		room = make_room(cache, class);
		if (unlikely(!room))
			room = empty_loaded(cache, class);
		if (unlikely(!room)) {
			class_source(class)->drain(class, &obj, 1);
			return;
		}
		magazine_reset(room, class);
		set_spare(cache, class, unload(cache, class));
		load(cache, class, room);
	}
	cache_push(cache_tables_base(), class, obj);
}

size_t cache_flush(struct cache *cache, bool to_tier)
{
	size_t drained = harden_flush(cache) + cache_give_returns(cache);
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++) {
		drained += magazine_put(class, unload(cache, class), to_tier);
		drained += magazine_put(class, take_spare(cache, class),
					to_tier);
	}
	return drained;
}

static size_t depot_reclaim(unsigned int class)
{
	struct magazine *magazine;
	size_t drained = 0;

	while ((magazine = depot_take_full(class, NULL)))
		drained += magazine_put(class, magazine, true);
	return drained;
}

size_t cache_reclaim(void)
{
	struct cache *cache = cache_self(&cache_tables);
	unsigned int class;
	size_t drained = 0;

	if (cache_is_real(cache))
		drained += cache_flush(cache, true);
	while ((cache = cache_unpark())) {
		drained += cache_flush(cache, true);
		cache_park_bare(cache);
	}
	for (class = 1; class < NR_CLASSES; class++)
		drained += depot_reclaim(class);
	return drained;
}

void cache_expire(void)
{
	struct cache *parked_idle, *next_parked;
	struct magazine *idle, *next;
	unsigned int class;

	for (parked_idle = cache_take_idle(); parked_idle;
	     parked_idle = next_parked) {
		next_parked = parked_idle->next_parked;
		cache_flush(parked_idle, false);
		cache_park_bare(parked_idle);
	}
	for (class = 1; class < NR_CLASSES; class++) {
		for (idle = depot_take_idle(class); idle; idle = next) {
			next = idle->next;
			magazine_put(class, idle, true);
		}
	}
}
