// SPDX-License-Identifier: MIT
/*
 * What a case needs of the machine: see memory.h. Apart from the rest of that,
 * which programs without the harness use as well.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "kunit.h"
#include "memory.h"

void need_limits(struct kunit *test)
{
	if (process_is_emulated())
		kunit_skip(test, "the emulator sets no limits of memory");
}

void need_mremap(struct kunit *test)
{
	if (process_is_emulated() && sizeof(void *) == 4)
		kunit_skip(test, "the emulator's mremap() loses memory");
}

void need_fork_of_threads(struct kunit *test)
{
	if (process_is_emulated())
		kunit_skip(test, "the emulator may hang in such a child");
}

static bool pages_are_emulated(void)
{
	return process_is_emulated() && getenv("QEMU_PAGESIZE");
}

void need_mincore(struct kunit *test)
{
	if (pages_are_emulated())
		kunit_skip(test, "the emulator's mincore() counts other pages");
}

void need_maps(struct kunit *test)
{
	if (pages_are_emulated())
		kunit_skip(test, "the emulator's maps have holes");
}

void limit_process(struct kunit *test, int resource, size_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	need_limits(test);
	KUNIT_ASSERT_EQ(test, setrlimit((unsigned int)resource, &limit), 0);
}
