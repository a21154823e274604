// SPDX-License-Identifier: MIT
/*
 * mlockall(MCL_FUTURE) where little may be locked: what is mapped from then on
 * is in memory at once, and counts.
 */
#include <grp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program.h"

#define NOBODY	65534

static const size_t sizes[] = { 16, 100, 1000, 5000, 20000, 100000 };

int main(void)
{
	const struct rlimit limit = { 8 * MIB, 8 * MIB };
	size_t i, j, bytes = 0, ahead = 0;

	need_hakmem();
	CHECK(!setrlimit(RLIMIT_MEMLOCK, &limit));
	/* The limit is not for who has CAP_IPC_LOCK. */
	if (!getuid())
		CHECK(!setgroups(0, NULL) && !setgid(NOBODY) &&
		      !setuid(NOBODY));
	CHECK(!mlockall(MCL_FUTURE));
	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < 20; j++) {
			char *p = malloc(sizes[i]);

			CHECK(p);
			memset(p, 1, sizes[i]);
			ahead += sizes[i];
		}
	while (malloc(1000) && bytes < 64 * MIB)
		bytes += 1000;
	CHECK(munlockall() == 0);
	CHECK(malloc(1000));
	/* What was there before is not locked. */
	at_most("MiB got, with 8 that may be locked",
		(double)(ahead + bytes) / MIB, 8 + 2);
	at_least("MiB got, with 8 that may be locked",
		 (double)(ahead + bytes) / MIB, 4);
	return finish();
}
