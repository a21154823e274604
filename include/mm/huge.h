/* SPDX-License-Identifier: MIT */
/*
 * Huge pages: one page fault, and one entry of the processor's address cache,
 * for a superslab in place of 512, once a process has grown enough that what
 * is left over in its last superslab does not show.
 */
#ifndef HAKMEM_MM_HUGE_H
#define HAKMEM_MM_HUGE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef CONFIG_HAKMEM_HUGE_PAGES

/* Ask the kernel whether it gives huge pages to who asks. */
void huge_init(void);

/**
 * huge_offer() - Put a huge page behind a range that was just mapped.
 * @addr: of the range
 * @size: bytes, of one huge page
 * @mapped: bytes that are mapped for the same purpose, with these
 * @dense: whether all of it will be used soon
 *
 * Not before a process has grown, and not if little of it will be used: then it
 * is kept from getting one, where the kernel gives them unasked. One that gets
 * it is kept from getting another when its owner has given parts of it back;
 * sparse ones have the same mark, so that neighbours remain one mapping.
 *
 * Return: whether all of the range has memory behind it now, or may have.
 */
bool huge_offer(void *addr, size_t size, size_t mapped, bool dense);

/**
 * huge_advise() - Let an object that was just mapped get huge pages.
 * @addr: of it
 * @size: bytes
 * @mapped: bytes of such objects there were before; any will do for one that is
 *	many times what may be left over of it
 *
 * Where its owner touches it, and not before; while those that huge_learn() saw
 * last were touched nearly all over.
 *
 * Return: whether it may, and is so small that what is resident of it will not
 * tell what was touched.
 */
bool huge_advise(void *addr, size_t size, size_t mapped);

/**
 * huge_follow() - Let an object that has grown get huge pages.
 * @addr: of it, now
 * @filled: bytes it had before
 * @size: bytes it has now
 *
 * Who lets an object grow is about to fill it, and has filled what there was:
 * the end of that is looked at.
 *
 * Return: whether it may.
 */
bool huge_follow(void *addr, size_t filled, size_t size);

/* See what a program touched of an object that came without any memory. */
void huge_learn(const void *addr, size_t size);

#else /* CONFIG_HAKMEM_HUGE_PAGES */

static inline void huge_init(void)
{
}

static inline bool huge_offer(void *addr, size_t size, size_t mapped,
			      bool dense)
{
	(void)addr;
	(void)size;
	(void)mapped;
	(void)dense;
	return false;
}

static inline bool huge_advise(void *addr, size_t size, size_t mapped)
{
	(void)addr;
	(void)size;
	(void)mapped;
	return false;
}

static inline bool huge_follow(void *addr, size_t filled, size_t size)
{
	(void)addr;
	(void)filled;
	(void)size;
	return false;
}

static inline void huge_learn(const void *addr, size_t size)
{
	(void)addr;
	(void)size;
}

#endif /* CONFIG_HAKMEM_HUGE_PAGES */

#endif /* HAKMEM_MM_HUGE_H */
