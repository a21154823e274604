// SPDX-License-Identifier: MIT
/*
 * Huge pages: see include/mm/huge.h.
 */
#include "mm/huge.h"

#include "lib/align.h"
#include "lib/file.h"
#include "lib/parse.h"
#include "mm/knobs.h"
#include "mm/sizes.h"
#include "mm/vm.h"

/* "always [madvise] never", with the one that holds in brackets */
#define MODE_FILE	"/sys/kernel/mm/transparent_hugepage/enabled"
#define MODE_ALWAYS	"[always]"
#define MODE_ON_REQUEST	"always [madvise]"
#define MODE_SIZE	32

/* To learn of larger objects would take long. */
#define ADVISED_MAX	((size_t)64 << 20)

/* However small the process is, what is left over of these does not show. */
#define ALWAYS_FROM	(2 * SUPERSLAB_SIZE)
/* Of what it had, so much is looked at. */
#define SEEN_MAX	SUPERSLAB_SIZE

/* So many dense objects in a row, and the next get huge pages... */
#define DENSE_ENOUGH	2
/* ...but for one in so many, to see whether they are dense still. */
#define PROBE_EVERY	8

/* With these, huge pages that nobody touched show as well. */
#define SHOWS_MIN	(4 * SUPERSLAB_SIZE)
#define PROBE_SELDOM	32

static struct knob from_mb __ro_after_init =
	KNOB("HAKMEM_HUGE_PAGES_FROM_MB", 0, 1048576,
	     CONFIG_HAKMEM_HUGE_PAGES_FROM_MB,
	     "MiB of superslabs, or of large objects, from which on the next "
	     "get huge pages, unless the kernel gives none; 0: none; needs "
	     "CONFIG_HAKMEM_HUGE_PAGES");

static bool on_request __ro_after_init;	/* gives them to who asks */
static bool unasked __ro_after_init;	/* and to who does not */
static int dense_in_a_row;

void huge_init(void)
{
	char mode[MODE_SIZE] = "";
	int fd;

	knob_read(&from_mb);
	fd = file_open(MODE_FILE);
	if (fd < 0)
		return;
	if (file_read(fd, mode, sizeof(mode) - 1)) {
		unasked = parse_prefix(mode, MODE_ALWAYS);
		on_request = parse_prefix(mode, MODE_ON_REQUEST);
	}
	file_close(fd);
}

static bool enabled(void)
{
	return on_request && from_mb.value;
}

static bool grown(size_t mapped)
{
	return from_mb.value && mapped >> 20 > from_mb.value;
}

bool huge_offer(void *addr, size_t size, size_t mapped, bool dense)
{
	if (!unasked && !(on_request && grown(mapped)))
		return false;
	return vm_take_huge_page(addr, size, dense && grown(mapped));
}

static bool is_advisable(size_t size)
{
	return size >= SUPERSLAB_SIZE && size <= ADVISED_MAX;
}

bool huge_advise(void *addr, size_t size, size_t mapped)
{
	bool shows = size >= SHOWS_MIN;
	static unsigned int probes;

	if (!is_advisable(size) || !enabled() ||
	    (size < ALWAYS_FROM && !grown(mapped)) ||
	    READ_ONCE(dense_in_a_row) < DENSE_ENOUGH ||
	    !(__atomic_fetch_add(&probes, 1, __ATOMIC_RELAXED) %
	      (shows ? PROBE_SELDOM : PROBE_EVERY)))
		return false;
	vm_advise_huge_pages(addr, size);
	return !shows;
}

static bool is_dense(const void *addr, size_t size)
{
	return vm_resident(addr, size) >= size - size / 8;
}

bool huge_follow(void *addr, size_t filled, size_t size)
{
	size_t seen = min(filled, SEEN_MAX);

	if (!enabled() || size < ALWAYS_FROM ||
	    !is_dense((char *)addr + filled - seen, seen))
		return false;
	vm_advise_huge_pages(addr, size);
	return true;
}

/* Two threads at once may count one too few. */
void huge_learn(const void *addr, size_t size)
{
	bool dense;

	if (!on_request || !is_advisable(size))
		return;
	dense = is_dense(addr, size);
	WRITE_ONCE(dense_in_a_row, dense ? min(READ_ONCE(dense_in_a_row) + 1,
					       DENSE_ENOUGH) : 0);
}
