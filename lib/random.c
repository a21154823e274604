// SPDX-License-Identifier: MIT
/*
 * Seeds: see include/lib/random.h.
 */
#include "lib/random.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Before the kernel has gathered any, the 16 bytes it gave at the start. */
static uint64_t start_seed(void)
{
	const void *bytes = (const void *)getauxval(AT_RANDOM);
	uint64_t parts[2] = { 0 };

	if (bytes)
		memcpy(parts, bytes, sizeof(parts));
	return random_next(&parts[0]) ^ parts[1];
}

uint64_t random_seed(void)
{
	uint64_t seed;
	int saved = errno;

	/* Not getrandom(): that is a cancellation point, malloc is none. */
	if (syscall(SYS_getrandom, &seed, sizeof(seed), GRND_NONBLOCK) !=
	    (long)sizeof(seed))
		seed = start_seed();
	errno = saved;
	return seed;
}
