// SPDX-License-Identifier: MIT
/*
 * A program that was linked with the static jemalloc.
 */
#include "guest.h"

/* Only jemalloc has it, so that its archive is linked. */
int mallctl(const char *name, void *old, size_t *old_size, void *value,
	    size_t size);

int main(void)
{
	const char *version;
	size_t size = sizeof(version);

	CHECK(!mallctl("version", &version, &size, NULL, 0));
	return be_a_guest();
}
