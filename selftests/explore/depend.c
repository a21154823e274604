// SPDX-License-Identifier: MIT
/*
 * Steps and words: see depend.h.
 */
#include "depend.h"

#include <string.h>
#include <sys/mman.h>

#include "explore.h"

#define WORDS_MAX	4096
#define TOUCHES_MAX	8192
#define TABLE_SLOTS	(4 * TOUCHES_MAX)

/**
 * struct word - eight bytes that a step has to do with
 * @address: where
 * @readers: threads with steps that read it, a bit each
 * @changers: with steps that write or lock it, or after which it was another
 * @first: of the touches of steps that begin here, their number; 0 for none
 */
struct word {
	uintptr_t address;
	unsigned int readers;
	unsigned int changers;
	unsigned int first;
};

/**
 * struct touch - a step and a word
 * @word: its address
 * @by: where the step begins
 * @how: bits of what it does to the word, up to the next step
 * @next: another of the same step
 */
struct touch {
	uintptr_t word;
	uintptr_t by;
	unsigned int how;
	unsigned int next;
};

enum { TOUCH_READ = 1, TOUCH_CHANGE = 2 };

/* What all processes know; the slots are hash tables of numbers, from 1. */
static struct knowledge {
	struct word words[WORDS_MAX];
	size_t nr_words;
	struct touch touches[TOUCHES_MAX];
	size_t nr_touches;
	unsigned int word_slots[TABLE_SLOTS];
	unsigned int touch_slots[TABLE_SLOTS];
	bool learned;
} *known;

/* What the words contained after the last step, in this process. */
static struct seen {
	uint64_t values[WORDS_MAX];
	size_t n;
} *seen;

void depend_forget(void)
{
	if (!known)
		known = explore_map(sizeof(*known), MAP_SHARED);
	memset(known, 0, sizeof(*known));
}

/* No part of a state: it depends on what was found before. */
void depend_begin(void)
{
	seen = explore_map(sizeof(*seen), MAP_PRIVATE);
}

bool depend_learned(void)
{
	bool learned = known->learned;

	known->learned = false;
	return learned;
}

static uint64_t value_at(uintptr_t word)
{
	return *(const uint64_t *)word;
}

/* Of what is known, what this process has not looked at yet. */
static void look_at_values(void)
{
	for (; seen->n < known->nr_words; seen->n++)
		seen->values[seen->n] = value_at(known->words[seen->n].address);
}

static size_t slot_of(uintptr_t word, uintptr_t by)
{
	uint64_t hash = (word * 31 + by) * 0x9e3779b97f4a7c15u;

	return (size_t)(hash >> 40) % TABLE_SLOTS;
}

static struct word *find_word(uintptr_t address)
{
	size_t slot = slot_of(address, 0);

	while (known->word_slots[slot] &&
	       known->words[known->word_slots[slot] - 1].address != address)
		slot = (slot + 1) % TABLE_SLOTS;
	if (known->word_slots[slot])
		return &known->words[known->word_slots[slot] - 1];
	if (known->nr_words == WORDS_MAX)
		explore_fail("more than %d words are shared", WORDS_MAX);
	known->words[known->nr_words].address = address;
	known->word_slots[slot] = (unsigned int)++known->nr_words;
	return &known->words[known->nr_words - 1];
}

/* Without @make, NULL if there is none. */
static struct touch *find_touch(uintptr_t word, uintptr_t by, bool make)
{
	size_t slot = slot_of(word, by);
	struct touch *touch;

	for (; known->touch_slots[slot]; slot = (slot + 1) % TABLE_SLOTS) {
		touch = &known->touches[known->touch_slots[slot] - 1];
		if (touch->word == word && touch->by == by)
			return touch;
	}
	if (!make)
		return NULL;
	if (known->nr_touches == TOUCHES_MAX)
		explore_fail("more than %d words at a step", TOUCHES_MAX);
	touch = &known->touches[known->nr_touches];
	*touch = (struct touch){ word, by, 0, find_word(by)->first };
	known->touch_slots[slot] = (unsigned int)++known->nr_touches;
	find_word(by)->first = known->touch_slots[slot];
	return touch;
}

/* What is seen for the first time makes a further round. */
static void learn(unsigned int *set, unsigned int bits)
{
	if ((*set & bits) == bits)
		return;
	*set |= bits;
	known->learned = true;
}

void depend_note(uintptr_t address, uintptr_t by, enum yield yield,
		 unsigned int thread)
{
	unsigned int how = yield == YIELD_READ ? TOUCH_READ : TOUCH_CHANGE;
	struct word *word = find_word(address);

	learn(how == TOUCH_READ ? &word->readers : &word->changers,
	      1U << thread);
	learn(&find_touch(address, by, true)->how, how);
}

void depend_begin_step(const struct step *step, unsigned int thread)
{
	depend_note(step->what, step->what, step->yield, thread);
	look_at_values();
}

void depend_end_step(const struct step *step, unsigned int thread)
{
	uintptr_t address;
	size_t i;

	for (i = 0; i < seen->n; i++) {
		address = known->words[i].address;
		if (seen->values[i] == value_at(address))
			continue;
		seen->values[i] = value_at(address);
		depend_note(address, step->what, YIELD_WRITE, thread);
	}
}

static bool changes_what_is_touched(const struct step *a, const struct step *b)
{
	const struct touch *touch;
	unsigned int i;

	for (i = find_word(a->what)->first; i; i = touch->next) {
		touch = &known->touches[i - 1];
		if (touch->how & TOUCH_CHANGE &&
		    find_touch(touch->word, b->what, false))
			return true;
	}
	return false;
}

bool steps_depend(const struct step *a, const struct step *b)
{
	return changes_what_is_touched(a, b) || changes_what_is_touched(b, a);
}

bool step_is_private(const struct step *step, unsigned int thread)
{
	unsigned int others = ~(1U << thread);
	const struct touch *touch;
	const struct word *word;
	unsigned int i;

	for (i = find_word(step->what)->first; i; i = touch->next) {
		touch = &known->touches[i - 1];
		word = find_word(touch->word);
		if (word->changers & others ||
		    (touch->how & TOUCH_CHANGE && word->readers & others))
			return false;
	}
	return true;
}
