// SPDX-License-Identifier: MIT
/*
 * Knobs: see include/mm/knobs.h.
 */
#include "mm/knobs.h"

#include <stddef.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "lib/parse.h"
#include "lib/print.h"
#include "mm/report.h"

/* Of a nonsensical value, what is shown of it. */
#define SHOWN_SIZE	40

struct knob knobs[NR_KNOBS] __ro_after_init = {
	[KNOB_ACE_ENABLED] =
	KNOB("HAKMEM_ACE_ENABLED", 0, 1, 1,
	     "0: ACE neither serves requests nor learns, as if it were not "
	     "built in; needs CONFIG_HAKMEM_ACE"),
	[KNOB_TINY_USE_SUPERSLAB] =
	KNOB("HAKMEM_TINY_USE_SUPERSLAB", 0, 1, 1,
	     "0: the tiny tier takes no memory, so that small requests flow to "
	     "the next tier; for finding out which tier a fault is in"),
	[KNOB_TINY_MEM_DIET] =
	KNOB("HAKMEM_TINY_MEM_DIET", 0, 1, 0,
	     "1: the tiny tier keeps little: magazines of 8 objects, 16 KiB "
	     "in a depot, and empty slabs go back to the kernel at once"),
	[KNOB_TINY_REFILL_COUNT_HOT] =
	KNOB("HAKMEM_TINY_REFILL_COUNT_HOT", 0, 124, 0,
	     "objects fetched per refill of a hot class, one that the thread "
	     "has refilled from the tiny tier 16 times; 0: by their size, as "
	     "for other classes"),
	[KNOB_DECAY_MS] =
	KNOB("HAKMEM_DECAY_MS", 0, 60000, CONFIG_HAKMEM_DECAY_MS,
	     "milliseconds between two rounds of giving free memory back"),
	[KNOB_STATS] =
	KNOB("HAKMEM_STATS", 0, 1, 0,
	     "1: print what each tier and size class did, at exit and when a "
	     "bad pointer ends the program; needs CONFIG_HAKMEM_STATS"),
};

/* Whether a text is the first of some words. */
static bool is_first_word(const char *words, const char *text)
{
	while (*words && *words != ' ') {
		if (*text++ != *words++)
			return false;
	}
	return !*text;
}

static const char *next_word(const char *words)
{
	while (*words && *words != ' ')
		words++;
	return *words ? words + 1 : NULL;
}

static bool parse_word(const char *words, const char *text,
		       unsigned int *value)
{
	unsigned int index = 0;

	for (; words; words = next_word(words), index++) {
		if (is_first_word(words, text)) {
			*value = index;
			return true;
		}
	}
	return false;
}

bool knob_parse(const struct knob *knob, const char *text,
		unsigned int *value)
{
	unsigned long number;

	if (knob->words)
		return parse_word(knob->words, text, value);
	if (!parse_number(&text, &number) || *text ||
	    number < knob->min || number > knob->max)
		return false;
	*value = (unsigned int)number;
	return true;
}

const char *knob_environment(const char *name)
{
	const char *behind;
	char **entry;

	/* A C library's own malloc has no variables. */
	if (IS_ENABLED(CONFIG_HAKMEM_LIBC) || getauxval(AT_SECURE))
		return NULL;
	for (entry = environ; entry && *entry; entry++) {
		behind = parse_prefix(*entry, name);
		if (behind && *behind == '=')
			return behind + 1;
	}
	return NULL;
}

static void __cold report_nonsense(const struct knob *knob, const char *text)
{
	char shown[SHOWN_SIZE];

	format_buffer(shown, sizeof(shown), "%s", text);
	if (knob->words) {
		report_line("%s=%s: none of: %s: using the default",
			    knob->name, shown, knob->words);
		return;
	}
	report_line("%s=%s: not a number from %u to %u: using %u", knob->name,
		    shown, knob->min, knob->max, knob->value);
}

void knob_read(struct knob *knob)
{
	const char *text = knob_environment(knob->name);

	if (text && !knob_parse(knob, text, &knob->value))
		report_nonsense(knob, text);
}

void knobs_init(void)
{
	struct knob *knob;

	for (knob = knobs; knob < knobs + NR_KNOBS; knob++)
		knob_read(knob);
}
