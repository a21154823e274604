// SPDX-License-Identifier: MIT
/*
 * How a program ends whose locks were taken out of order: lib/lock_rank.c
 * notices, and knows of no reports.
 */
#include "lib/lock.h"
#include "lib/print.h"
#include "mm/report.h"

#define TEXT_SIZE	128

void lock_order_broken(const struct lock *taken, const struct lock *held)
{
	char text[TEXT_SIZE];
	size_t len;

	len = format_buffer(text, sizeof(text) - 1,
			    "lock %p of rank %u taken under lock %p of rank %u",
			    (const void *)taken, taken->rank,
			    (const void *)held, held->rank);
	text[len] = '\0';
	report_fatal(text);
}
