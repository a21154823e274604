/* SPDX-License-Identifier: MIT */
/*
 * Reading text without stdio, allocation or locale.
 */
#ifndef HAKMEM_LIB_PARSE_H
#define HAKMEM_LIB_PARSE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * parse_number() - Read a decimal number: digits, nothing else.
 * @text: in: where it begins; out: behind its last digit
 * @value: out: the number
 *
 * Return: false, and nothing changed, when there is no digit or the number is
 * too large.
 */
static inline bool parse_number(const char **text, unsigned long *value)
{
	const char *digit = *text;
	unsigned long number = 0;
	unsigned int units;

	for (; *digit >= '0' && *digit <= '9'; digit++) {
		units = (unsigned int)(*digit - '0');
		if (number > (ULONG_MAX - units) / 10)
			return false;
		number = number * 10 + units;
	}
	if (digit == *text)
		return false;
	*text = digit;
	*value = number;
	return true;
}

/**
 * parse_prefix() - Does a text begin with a word?
 * @text: any text
 * @word: the word
 *
 * Return: what follows the word in @text, NULL if it does not begin so.
 */
static inline const char *parse_prefix(const char *text, const char *word)
{
	while (*word) {
		if (*text++ != *word++)
			return NULL;
	}
	return text;
}

#endif /* HAKMEM_LIB_PARSE_H */
