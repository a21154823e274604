// SPDX-License-Identifier: MIT
/*
 * What to do with pointers of other allocators: see include/mm/foreign.h.
 */
#include "mm/foreign.h"

#include <errno.h>

#include "mm/init.h"
#include "mm/knobs.h"
#include "mm/next.h"
#include "mm/registry.h"
#include "mm/report.h"
#include "mm/vm.h"

#define LINES_MAX	3

enum foreign_policy {
	FOREIGN_ABORT,
	FOREIGN_IGNORE,
	FOREIGN_FORWARD,
};

static struct knob policy __ro_after_init =
	KNOB_WORDS("HAKMEM_FOREIGN", "abort ignore forward", 0,
		   "what happens to a pointer that another allocator handed "
		   "out: abort ends the program and says whose it is, ignore "
		   "leaves it alone, forward passes it to the next allocator "
		   "in the order of linking; needs CONFIG_HAKMEM_FOREIGN");

enum next_function {
	NEXT_FREE,
	NEXT_REALLOC,
	NEXT_USABLE_SIZE,
	NR_NEXT_FUNCTIONS,
};

/* Two threads that look for one find the same. */
static void *find_next(enum next_function which)
{
	static const char *const names[NR_NEXT_FUNCTIONS] = {
		[NEXT_FREE] = "free",
		[NEXT_REALLOC] = "realloc",
		[NEXT_USABLE_SIZE] = "malloc_usable_size",
	};
	static void *found[NR_NEXT_FUNCTIONS];
	void *function = READ_ONCE(found[which]);
	int saved = errno;

	if (!function) {
		function = next_symbol(names[which]);
		WRITE_ONCE(found[which], function);
		errno = saved;
	}
	return function;
}

void foreign_init(void)
{
	knob_read(&policy);
}

static bool forwards(void)
{
	return policy.value == FOREIGN_FORWARD;
}

static void say(const char *function, const void *ptr)
{
	static unsigned int lines;
	char owner[OWNER_SIZE];

	if (__atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED) >= LINES_MAX)
		return;
	foreign_owner(owner, sizeof(owner), ptr);
	report_line("%s(): %s: %p%s: %s", function, FAULT_FOREIGN, ptr, owner,
		    forwards() ? "forwarded" : "ignored");
}

bool foreign_passes(const char *function, const void *ptr, const char *fault)
{
	int saved = errno;

	if (fault != FAULT_FOREIGN)
		return false;
	/* It may be the first pointer that the process shows us. */
	init_ensure();
	if (policy.value == FOREIGN_ABORT || registry_superslab(ptr) ||
	    !vm_readable(ptr) || (forwards() && !find_next(NEXT_FREE)))
		return false;
	say(function, ptr);
	errno = saved;
	return true;
}

void foreign_free(void *ptr)
{
	void (*next)(void *ptr);

	if (!forwards())
		return;
	next = (void (*)(void *))find_next(NEXT_FREE);
	next(ptr);
}

size_t foreign_usable(void *ptr)
{
	size_t (*next)(void *ptr);

	if (!forwards())
		return 0;
	next = (size_t (*)(void *))find_next(NEXT_USABLE_SIZE);
	return next ? next(ptr) : 0;
}

void *foreign_realloc(void *ptr, size_t size)
{
	void *(*next)(void *ptr, size_t size) = NULL;

	if (forwards())
		next = (void *(*)(void *, size_t))find_next(NEXT_REALLOC);
	if (next)
		return next(ptr, size);
	errno = ENOMEM;
	return NULL;
}
