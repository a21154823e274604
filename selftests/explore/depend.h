/* SPDX-License-Identifier: MIT */
/*
 * Which steps of threads have to do with each other: see explore.h.
 *
 * Known of each step, by the word that it begins at, are the words that it was
 * ever seen to read or to change up to the next one. What all processes know
 * is in memory that they share.
 */
#ifndef SELFTESTS_DEPEND_H
#define SELFTESTS_DEPEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

/* What a thread is about to do, and to which word. */
struct step {
	enum yield yield;
	uintptr_t what;
};

/* Nothing is known, for another scenario. */
void depend_forget(void);

/* A round begins, in a process of its own. */
void depend_begin(void);

/* Return: whether anything was learned since that was last asked. */
bool depend_learned(void);

/* The step at @by has to do with @word, too. */
void depend_note(uintptr_t word, uintptr_t by, enum yield yield,
		 unsigned int thread);

/* Around each step; behind it, known words are looked at for changes. */
void depend_begin_step(const struct step *step, unsigned int thread);
void depend_end_step(const struct step *step, unsigned int thread);

/* Does one change what the other reads or changes? */
bool steps_depend(const struct step *a, const struct step *b);

/* Has no step of any other thread ever had to do with what this one does? */
bool step_is_private(const struct step *step, unsigned int thread);

#endif /* SELFTESTS_DEPEND_H */
