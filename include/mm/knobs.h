/* SPDX-License-Identifier: MIT */
/*
 * Knobs: what the environment says about this run.
 *
 * They are read once, before the first memory is mapped, with no allocation,
 * stdio or locale. A process whose user gains rights by it (AT_SECURE) has the
 * defaults; so has one that allocates before libc knows its environment, in an
 * IFUNC resolver.
 */
#ifndef HAKMEM_MM_KNOBS_H
#define HAKMEM_MM_KNOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/compiler.h"
#include "mm/sizes.h"

enum knob_id {
	KNOB_ACE_ENABLED,
	KNOB_TINY_USE_SUPERSLAB,
	KNOB_TINY_MEM_DIET,
	KNOB_TINY_REFILL_COUNT_HOT,
	KNOB_DECAY_MS,
	KNOB_STATS,
	NR_KNOBS,
};

/**
 * struct knob - a variable of the environment that holds a number or a word
 * @name: of the variable
 * @min: least value
 * @max: greatest value
 * @value: the default, then what the environment says
 * @words: NULL, or words with a space between them of which it holds one: its
 *	value is then how many come before it
 */
struct knob {
	const char *name;
	unsigned int min;
	unsigned int max;
	unsigned int value;
	const char *words;
};

/* The help is README.md's: tools/check/knobs.sh compares the two. */
#define KNOB(name, min, max, initial, help) \
	{ name, min, max, initial, NULL }
#define KNOB_WORDS(name, words, initial, help) \
	{ name, 0, 0, initial, words }

/* Constant from knobs_init() on. */
extern struct knob knobs[NR_KNOBS] __hidden;

static inline unsigned int knob(enum knob_id id)
{
	return knobs[id].value;
}

/**
 * knob_parse() - Read a knob's value.
 * @knob: whose range it must lie in
 * @text: decimal digits, or one of its words, and nothing else
 * @value: out: the value; unchanged if it is none
 *
 * Return: whether it is one.
 */
bool knob_parse(const struct knob *knob, const char *text,
		unsigned int *value);

/* Return: the text of a variable, NULL without it or when AT_SECURE. */
const char *knob_environment(const char *name);

/* Read one knob; a line on standard error if what is there is nonsense. */
void knob_read(struct knob *knob);

/* Read all of @knobs. */
void knobs_init(void);

static inline bool ace_is_on(void)
{
	return IS_ENABLED(CONFIG_HAKMEM_ACE) && knob(KNOB_ACE_ENABLED);
}

/* Whether HAKMEM_TINY_MEM_DIET is for this class. */
static inline bool class_on_diet(unsigned int class)
{
	return class <= TINY_CLASS_LAST && knob(KNOB_TINY_MEM_DIET);
}

#endif /* HAKMEM_MM_KNOBS_H */
