// SPDX-License-Identifier: MIT
/*
 * What the sampled guard says: lines, written by write() with no allocation,
 * for a signal handler may say them.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>

#include "kfence.h"
#include "lib/compiler.h"
#include "mm/report.h"
#include "mm/vm.h"

static struct sigaction former;

/* Where an address lies, and by how much, in the words of a line. */
static const char *side_of(const struct kfence_object *object, uintptr_t addr,
			   size_t *distance)
{
	uintptr_t end = object->addr + object->size;

	if (addr < object->addr) {
		*distance = object->addr - addr;
		return "in front of";
	}
	*distance = addr < end ? addr - object->addr : addr - end;
	return addr < end ? "inside of" : "behind";
}

void kfence_describe(const struct kfence_object *object)
{
	if (object->state == KFENCE_UNUSED)
		return;
	report_line("kfence: a block of %zu bytes at %p, allocated by thread "
		    "%d", object->size, (void *)object->addr,
		    object->allocated_by);
	if (object->state == KFENCE_FREED)
		report_line("kfence: freed by thread %d", object->freed_by);
}

static void report_fault(uintptr_t addr)
{
	const struct kfence_object *object = kfence_nearest(addr);
	const char *side;
	size_t distance;

	if (object->state == KFENCE_UNUSED) {
		report_line("kfence: no block was ever there: %p",
			    (void *)addr);
		return;
	}
	side = side_of(object, addr, &distance);
	report_line("kfence: %s: %p: %zu bytes %s a block",
		    object->state == KFENCE_FREED ? "used after free" :
		    "out of bounds", (void *)addr, distance, side);
	kfence_describe(object);
}

/*
 * The program's own handler goes on, or the default: then the instruction is
 * run again, and ends the program. A signal that was sent comes by no
 * instruction: it is sent once more, or was to be ignored.
 */
static void pass_on(int number, siginfo_t *info, void *context)
{
	bool sent = info->si_code <= 0;

	if (former.sa_flags & SA_SIGINFO) {
		former.sa_sigaction(number, info, context);
	} else if (former.sa_handler == SIG_DFL ||
		   (former.sa_handler == SIG_IGN && !sent)) {
		signal(number, SIG_DFL);
		if (sent)
			raise(number);
	} else if (former.sa_handler != SIG_IGN) {
		former.sa_handler(number);
	}
}

static void handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code > 0 && kfence_owns(info->si_addr))
		report_fault((uintptr_t)info->si_addr);
	errno = saved;
	pass_on(number, info, context);
}

void kfence_report_start(void)
{
	struct sigaction action = { .sa_sigaction = handle };
	int saved = errno;

	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSEGV, NULL, &former) ||
	    sigaction(SIGSEGV, &action, NULL))
		report_line("kfence: no handler of SIGSEGV");
	errno = saved;
}
