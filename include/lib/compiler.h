/* SPDX-License-Identifier: MIT */
/*
 * Compiler attributes and the helpers that every file uses.
 */
#ifndef HAKMEM_LIB_COMPILER_H
#define HAKMEM_LIB_COMPILER_H

#include <stddef.h>

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif
#define __cold		__attribute__((__cold__, __noinline__))
#define __printf(f, a)	__attribute__((__format__(__printf__, f, a)))
#define __must_check	__attribute__((__warn_unused_result__))
#define __aligned_to(n)	__attribute__((__aligned__(n)))
#define __hidden		__attribute__((__visibility__("hidden")))
#define __export	__attribute__((__visibility__("default")))
/* Stays where the linker drops what nothing refers to. */
#define __retained	__attribute__((__used__, __retain__))

/* Constant once the allocator has started, and read-only if so configured. */
#ifdef CONFIG_HAKMEM_HARDEN_SEAL
#define __ro_after_init	__attribute__((__section__("hakmem_sealed")))
#else
#define __ro_after_init
#endif

#if defined(__clang__)
#define COMPILER_NAME	__VERSION__
#else
#define COMPILER_NAME	"GCC " __VERSION__
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b) ({						\
	__typeof__(a) min_a = (a);				\
	__typeof__(b) min_b = (b);				\
	min_a < min_b ? min_a : min_b; })

#define max(a, b) ({						\
	__typeof__(a) max_a = (a);				\
	__typeof__(b) max_b = (b);				\
	max_a > max_b ? max_a : max_b; })

/*
 * Where another thread may come in between, for tests that try it: @what is
 * about to be read, written or locked. Nothing in other builds.
 */
enum yield { YIELD_READ, YIELD_WRITE, YIELD_LOCK };

#ifdef CONFIG_HAKMEM_YIELD_POINTS

extern void (*yield_hook)(enum yield yield, const volatile void *what) __hidden;

#define yield_point(yield, what) do {				\
	if (yield_hook)						\
		yield_hook((yield), (what));			\
} while (0)

#else
#define yield_point(yield, what)	do { } while (0)
#endif

/* clang's way to ask which sanitizer is on; gcc defines a macro for each. */
#ifndef __has_feature
#define __has_feature(feature)	0
#endif

/*
 * READ_ONCE, WRITE_ONCE: single-copy accesses to data that another thread may
 * change meanwhile. Who holds the lock of such data changes it by plain stores,
 * for a word is stored at once. ThreadSanitizer would call those and the read
 * a race, so it does not see the read, nor that of UNSEEN(), which is a plain
 * one otherwise.
 */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
static void __attribute__((__no_sanitize__("thread"), __noinline__,
			   __unused__))
unseen_read(void *to, const volatile void *from, size_t size)
{
	if (size == 1)
		*(char *)to = *(const volatile char *)from;
	else if (size == 2)
		*(short *)to = *(const volatile short *)from;
	else if (size == 4)
		*(int *)to = *(const volatile int *)from;
	else
		*(long long *)to = *(const volatile long long *)from;
}

#define UNSEEN(x)	({						\
	__typeof__(__atomic_load_n(&(x), __ATOMIC_RELAXED)) unseen;	\
	unseen_read(&unseen, &(x), sizeof(unseen));			\
	unseen; })
#define READ_RELAXED(x)		UNSEEN(x)
#else
#define UNSEEN(x)		(x)
#define READ_RELAXED(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#endif

#define READ_ONCE(x)		({				\
	yield_point(YIELD_READ, &(x));				\
	READ_RELAXED(x); })
#define WRITE_ONCE(x, v)	do {				\
	yield_point(YIELD_WRITE, &(x));				\
	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED);		\
} while (0)

#endif /* HAKMEM_LIB_COMPILER_H */
