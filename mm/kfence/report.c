// SPDX-License-Identifier: MIT
/*
 * What the sampled guard says: lines, written by write() with no allocation,
 * for a signal handler may say them.
 */
#include <errno.h>
#include <signal.h>

#include "kfence.h"
#include "lib/compiler.h"
#include "mm/report.h"
#include "mm/vm.h"

static struct sigaction former;

static const char *side_of(const struct kfence_object *object, uintptr_t addr)
{
	if (addr < object->addr)
		return "in front of";
	if (addr < object->addr + object->size)
		return "inside of";
	return "behind";
}

static size_t distance(const struct kfence_object *object, uintptr_t addr)
{
	if (addr < object->addr)
		return object->addr - addr;
	if (addr < object->addr + object->size)
		return addr - object->addr;
	return addr - (object->addr + object->size);
}

void kfence_describe(const struct kfence_object *object)
{
	report_line("kfence: a block of %zu bytes at %p, allocated by thread "
		    "%d", object->size, (void *)object->addr,
		    object->allocated_by);
	if (object->state == KFENCE_FREED)
		report_line("kfence: freed by thread %d", object->freed_by);
}

/* Of the blocks at both sides of a page, the one that is nearer. */
static const struct kfence_object *blame(uintptr_t addr)
{
	size_t page = (addr - kfence_pool) / vm_page_size();
	const struct kfence_object *before, *behind;

	if (page % 2)
		return &kfence_objects[page / 2];
	before = page ? &kfence_objects[page / 2 - 1] : NULL;
	behind = page / 2 < KFENCE_OBJECTS ? &kfence_objects[page / 2] : NULL;
	if (!before || !before->addr)
		return behind;
	if (!behind || !behind->addr)
		return before;
	return distance(before, addr) <= distance(behind, addr) ? before :
								  behind;
}

static void report_fault(uintptr_t addr)
{
	const struct kfence_object *object = blame(addr);

	if (!object || object->state == KFENCE_UNUSED) {
		report_line("kfence: no block was ever there: %p",
			    (void *)addr);
		return;
	}
	report_line("kfence: %s: %p: %zu bytes %s a block",
		    object->state == KFENCE_FREED ? "used after free" :
		    "out of bounds", (void *)addr, distance(object, addr),
		    side_of(object, addr));
	kfence_describe(object);
}

/*
 * The program's own handler goes on, or the default: then the instruction is
 * run again, and ends the program.
 */
static void pass_on(int number, siginfo_t *info, void *context)
{
	if (former.sa_flags & SA_SIGINFO)
		former.sa_sigaction(number, info, context);
	else if (former.sa_handler == SIG_DFL || former.sa_handler == SIG_IGN)
		signal(number, SIG_DFL);
	else
		former.sa_handler(number);
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
