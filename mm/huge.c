// SPDX-License-Identifier: MIT
/*
 * Huge pages: see include/mm/huge.h.
 */
#include "mm/huge.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/parse.h"
#include "mm/knobs.h"
#include "mm/vm.h"

/* "always [madvise] never", with the one that holds in brackets */
#define MODE_FILE	"/sys/kernel/mm/transparent_hugepage/enabled"
#define MODE_WANTED	"always [madvise]"
#define MODE_SIZE	32

static struct knob from_mb =
	KNOB("HAKMEM_HUGE_PAGES_FROM_MB", 0, 1048576,
	     CONFIG_HAKMEM_HUGE_PAGES_FROM_MB,
	     "MiB of superslabs from which on the next get huge pages, where "
	     "the kernel gives them on request; 0: none; needs "
	     "CONFIG_HAKMEM_HUGE_PAGES");

static bool on_request;		/* constant from huge_init() on */

void huge_init(void)
{
	char mode[MODE_SIZE] = "";
	int saved = errno;
	int fd;

	knob_read(&from_mb);
	fd = open(MODE_FILE, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		on_request = read(fd, mode, sizeof(mode) - 1) > 0 &&
			     parse_prefix(mode, MODE_WANTED);
		close(fd);
	}
	errno = saved;
}

bool huge_offer(void *addr, size_t size, size_t mapped, bool dense)
{
	if (!on_request || !from_mb.value || mapped >> 20 <= from_mb.value)
		return false;
	return vm_take_huge_page(addr, size, dense);
}
