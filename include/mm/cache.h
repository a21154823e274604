/* SPDX-License-Identifier: MIT */
/*
 * The cache layer: magazines in front of every tier.
 *
 * A magazine is an array of object pointers. Each thread has one loaded for
 * each class it uses: malloc pops, free pushes, whoever allocated the object.
 * One that runs empty or full is exchanged with the thread's spare, and then,
 * whole, with the class's depot, so a thread meets a lock at most once for a
 * magazine of operations. Nothing of an object is ever touched.
 *
 * A magazine is aligned to its size and filled towards its end. That makes
 * both tests of the hot path short: it is full when the top is aligned, and
 * empty when the word below the top is NULL. The top of a class that has no
 * magazine points behind a word of NULL at an aligned address: empty and full
 * at once, so that no hot path asks whether anything is initialised.
 */
#ifndef HAKMEM_MM_CACHE_H
#define HAKMEM_MM_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arch.h"
#include "lib/compiler.h"
#include "mm/sizes.h"

#define MAGAZINE_WORDS		128
#define MAGAZINE_BYTES		(MAGAZINE_WORDS * sizeof(void *))

/* Most bytes of objects in one, unless it is made for a single one. */
#define MAGAZINE_KEEP		((size_t)CONFIG_HAKMEM_MAGAZINE_KB << 10)

/**
 * struct magazine - an array of objects with its header in front
 * @next: in a depot's list
 * @top: where the next object would go; kept here while not loaded
 * @first: index of the first object; changes only while there is none
 * @words: header included; objects end at the last, below the first is NULL
 */
struct magazine {
	union {
		struct {
			struct magazine *next;
			void **top;
			uintptr_t first;
		};
		void *words[MAGAZINE_WORDS];
	};
};

/* By a hash of its address: where this thread has put an object last. */
#define RECENT_BITS		8
#define RECENT_FREES		(1 << RECENT_BITS)
#define RECENT_MULTIPLIER	0x9e3779b1U	/* 2^32 by the golden ratio */

#define MAGAZINE_HEADER_WORDS	4	/* with the NULL below the objects */
#define MAGAZINE_SIZE_MAX	(MAGAZINE_WORDS - MAGAZINE_HEADER_WORDS)

/*
 * Objects of mixed slabs that wait for each other, as there is one lock for all
 * of them. What is free there serves all classes: a few, for a short time.
 */
#define RETURNS_MAX		16

/**
 * struct class_limits - how much of a class is kept at hand
 * @magazine: objects that a magazine is made for; with 0, objects come
 *	straight from the tier and go back there
 * @refill: objects fetched from the tier at once
 * @depot: most objects in the depot
 *
 * May change at any time: each exchange of magazines follows what it finds,
 * and a magazine made for other limits serves on until it is empty.
 */
struct class_limits {
	unsigned int magazine;
	unsigned int refill;
	unsigned int depot;
};

extern struct class_limits class_limits[NR_CLASSES] __hidden;

/* What the configuration and the knobs say. */
struct class_limits class_limits_default(unsigned int class);

/* Of all classes, before the first request. */
void class_limits_init(void);

/* For as many processors as the process has, before the first request. */
void depots_init(void);

/**
 * struct cache - what one thread keeps; on lines that no other thread writes
 * @recent: the words of magazines that this thread, and maybe others, put
 *	objects into last, by recent_index(); who pops an object clears its
 *	word, so one that still has the object is a double free, or was drained
 * @top: of the loaded magazine of each class the registry can name
 * @spare: second magazine of a class, full or empty whenever it is exchanged
 * @next_parked: on the list of caches that wait for a thread
 * @next: on the list of all caches, which only grows
 * @single_bytes: of one object for each magazine of a class so large that it
 *	holds one
 * @freed: those two of these classes of which the tier got objects last
 * @freed_again: objects of only these that it got since
 * @victim: the one that had to make room last
 * @tick_rest: slow calls to come that need not look at the clock
 * @tick_ms: what it said when the last one did
 * @epoch: cache_epoch when its idle magazines were last looked for
 * @returns: objects of mixed slabs that are on their way back there
 * @nr_returns: how many
 * @refills: of each class of the tiny tier, up to when it counts as hot
 * @seen: low bits of each @top at that time
 * @quarantine: of the hardened build; NULL before the first free
 */
struct cache {
	void **top[NR_REGISTRY_CLASSES];
	struct magazine *spare[NR_CLASSES];
	void ***recent;
	struct cache *next_parked;
	struct cache *next;
	size_t single_bytes;
	uint8_t freed[2];
	uint8_t freed_again;
	uint8_t victim;
	uint8_t tick_rest;
	uint64_t tick_ms;
	unsigned int epoch;
	void *returns[RETURNS_MAX];
	unsigned int nr_returns;
	uint8_t refills[TINY_CLASS_LAST + 1];
	uint16_t seen[NR_CLASSES];
#ifdef CONFIG_HAKMEM_HARDEN
	struct quarantine *quarantine;
#endif
} __aligned_to(ARCH_LINES_BYTES);

/* As the boot cache, for a thread whose destructor has run. */
extern struct cache cache_detached __hidden;

/**
 * struct class_check - is an offset into a slab that of an object?
 * @multiplier: M = 2^32 / size, rounded up, so that M * size = 2^32 + e
 * @limit: (objects - 1) * e + 1
 *
 * Exactly then is offset * M, in 32 bits, below the limit: for object k it is
 * k * e, and for any other offset below the end M at least. That holds for
 * slabs of one unit; all else has a limit of 0, and a closer look.
 */
struct class_check {
	uint32_t multiplier;
	uint32_t limit;
};

/**
 * struct cache_tables - what the hot paths read, behind one address
 * @boot: a cache without magazines, that of a thread before its first request
 * @checks: for each class
 * @sizes: the class of a size in units of OBJECT_ALIGN, rounded up
 */
struct cache_tables {
	struct cache boot;
	struct class_check checks[NR_REGISTRY_CLASSES];
	uint8_t sizes[HOT_SIZE_MAX / OBJECT_ALIGN + 1];
};

extern const struct cache_tables cache_tables __hidden;

#ifdef CONFIG_HAKMEM_LIBC

/* This thread's cache, or the boot cache; by a pointer that libc keeps. */
struct cache *thread_cache(void);

#else /* CONFIG_HAKMEM_LIBC */

/*
 * This thread's cache, as the distance from cache_tables. Thread-local memory
 * reads as zero while the dynamic loader still relocates, and IFUNC resolvers
 * may allocate then: 0 has to mean the boot cache.
 */
extern __thread uintptr_t thread_cache_distance
	__attribute__((tls_model("initial-exec"))) __hidden;

#endif /* CONFIG_HAKMEM_LIBC */

/* One address in a register, not one for each table. */
static __always_inline const struct cache_tables *cache_tables_base(void)
{
	const struct cache_tables *tables = &cache_tables;

	arch_keep_in("d", tables);
	return tables;
}

static __always_inline struct cache *
cache_self(const struct cache_tables *tables)
{
#ifdef CONFIG_HAKMEM_LIBC
	(void)tables;
	return thread_cache();
#else
	return (struct cache *)((uintptr_t)tables + thread_cache_distance);
#endif
}

static __always_inline size_t recent_index(const void *obj)
{
	return (uint32_t)(uintptr_t)obj * RECENT_MULTIPLIER >>
	       (32 - RECENT_BITS);
}

/* No word but the program's own may tell memcheck where its objects are. */
static inline void cache_forget(void **objs, size_t n)
{
	while (n--)
		objs[n] = NULL;
}

/**
 * cache_pop() - Take an object of a class from this thread's magazine.
 * @tables: from cache_tables_base()
 * @class: a size class
 *
 * Return: the object, or NULL when cache_alloc_slow() has to be asked.
 */
static __always_inline void *cache_pop(const struct cache_tables *tables,
				       size_t class)
{
	struct cache *cache = cache_self(tables);
	void **top = cache->top[class];
	void *obj;

	arch_keep_in("c", top);
	obj = top[-1];
	if (likely(obj)) {
		cache->top[class] = top - 1;
		if (IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK) ||
		    IS_ENABLED(CONFIG_HAKMEM_VALGRIND))
			top[-1] = NULL;
	}
	return obj;
}

/**
 * cache_push() - Put an object into this thread's magazine.
 * @tables: from cache_tables_base()
 * @class: what the registry says of it
 * @obj: the object
 *
 * Return: false when the magazine is full or the class has none, and when the
 * object lies in a magazine already.
 */
static __always_inline bool cache_push(const struct cache_tables *tables,
				       size_t class, void *obj)
{
	struct cache *cache = cache_self(tables);
	void **top = cache->top[class];
	void ***recent;

	if (unlikely(!((uintptr_t)top & (MAGAZINE_BYTES - 1))))
		return false;
	if (IS_ENABLED(CONFIG_HAKMEM_DOUBLE_FREE_CHECK)) {
		recent = &cache->recent[recent_index(obj)];
		if (unlikely(UNSEEN(**recent) == obj))
			return false;
		*recent = top;
	}
	cache->top[class] = top + 1;
	*top = obj;
	return true;
}

/* Whether the thread has a cache that objects can be kept in. */
static inline bool cache_is_real(const struct cache *cache)
{
	return cache != &cache_tables.boot && cache != &cache_detached;
}

/* After cache_pop() failed. Return: an object or NULL without memory. */
void *cache_alloc_slow(unsigned int class);

/*
 * After cache_push() failed; @class has a tier. Cannot fail, but ends the
 * program over an object that is known to lie in a magazine.
 */
void cache_free_slow(unsigned int class, void *obj);

/* Fetch an object of a class from the magazine or from wherever it is. */
static inline void *cache_alloc(unsigned int class)
{
	void *obj = cache_pop(cache_tables_base(), class);

	return likely(obj) ? obj : cache_alloc_slow(class);
}

static inline void cache_free(unsigned int class, void *obj)
{
	if (unlikely(!cache_push(cache_tables_base(), class, obj)))
		cache_free_slow(class, obj);
}

/**
 * cache_return() - Free an object of a mixed slab.
 * @obj: the registry says CLASS_MIXED of it; ends the program over a bad one
 *
 * Return: whether those that waited are on their way now.
 */
bool cache_return(void *obj);

/* Those of the calling thread that wait go at once. */
void cache_return_all(void);

/**
 * cache_acquire() - Find a cache for a thread that has none.
 *
 * Return: a parked one with what its last thread left in it, a fresh one, or
 * NULL without memory. It belongs to the caller until cache_release().
 */
struct cache *cache_acquire(void);

/* Park a cache for the next thread, or empty it into the depots. */
void cache_release(struct cache *cache);

/**
 * cache_reclaim() - Drain this thread's cache, the parked ones and all depots.
 *
 * Return: objects drained.
 */
size_t cache_reclaim(void);

/* From now on, a thread's magazines that are touched are touched again. */
void cache_begin_epoch(void);

/* Whether this slow call should look at the clock, and then cache_tend(). */
static inline bool cache_tick_due(void)
{
	struct cache *cache = cache_self(&cache_tables);

	if (!cache->tick_rest)
		return true;
	cache->tick_rest--;
	return false;
}

/* Drain what this thread did not touch in the last epoch. */
void cache_tend(uint64_t now_ms);

/* Drain what lay in the depots and in parked caches since the last call. */
void cache_expire(void);

void cache_fork_child(void);

/*
 * At the end of a process: report an object that lies in two magazines, or in
 * one and in its slab, of this thread, of the depots and of threads that have
 * gone. Waits for no lock, so it may be called at any moment of a thread.
 */
void cache_verify(void);

/* Objects of a class in magazines; a snapshot, exact when nothing runs. */
size_t cache_objects(unsigned int class);

/* Magazines of a class that went into its depot or came out of it. */
size_t cache_exchanges(unsigned int class);

/* Caches there are, parked ones included. */
unsigned int cache_count(void);

#endif /* HAKMEM_MM_CACHE_H */
