/* SPDX-License-Identifier: MIT */
/*
 * Fault injection: memory calls that fail on purpose.
 *
 * HAKMEM_FAULT in the environment, or a test, says which. The variable is
 *
 *	CALLS,WHICH[,WHICH]...
 *
 * CALLS is "all" or kinds joined by "+": map unmap purge remap commit reserve.
 * The calls of these kinds are numbered from 1 in the order they are made, and
 * WHICH is nth=N, that one; every=N, each Nth; from=N, that one and all behind
 * it; or permille=N, so many of a thousand by chance, with seed=N for another
 * sequence of chances: HAKMEM_FAULT=map+commit,every=3
 */
#ifndef HAKMEM_MM_FAULT_H
#define HAKMEM_MM_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/compiler.h"

enum vm_call {
	VM_CALL_MAP,
	VM_CALL_UNMAP,
	VM_CALL_PURGE,
	VM_CALL_REMAP,
	VM_CALL_COMMIT,
	VM_CALL_RESERVE,
	NR_VM_CALLS,
};

#define VM_CALL_BIT(call)	(1U << (call))
#define VM_CALLS_ALL		(VM_CALL_BIT(NR_VM_CALLS) - 1)

/**
 * struct fault_plan - which calls fail
 * @calls: kinds that are numbered, by VM_CALL_BIT()
 * @first: number of the first that fails, 0 for none
 * @interval: from one that fails to the next, 0 if there is no next
 * @permille: of a thousand, how many fail by chance
 * @seed: of that chance
 */
struct fault_plan {
	unsigned int calls;
	unsigned long first;
	unsigned long interval;
	unsigned long permille;
	unsigned long seed;
};

/**
 * struct fault_machine - another kernel, as far as addresses go
 * @page_size: bytes of its pages, more than the real one's; 0: as they are
 * @address_bits: all it maps is below this power of two; 0: anywhere
 */
struct fault_machine {
	size_t page_size;
	unsigned int address_bits;
};

#ifdef CONFIG_HAKMEM_FAULT_INJECTION

/* Counts the call. Return: whether it has to fail. */
bool fault_strikes(enum vm_call call);

/* Begin a plan, counting from 1; NULL: none. Not in two threads at once. */
void fault_set(const struct fault_plan *plan);

/* Calls counted since fault_set(), and how many of them were failed. */
unsigned long fault_calls(void);
unsigned long fault_strikes_so_far(void);

extern struct fault_machine fault_machine __hidden;

/* What vm.c is to behave as, from before the first request on. */
static inline void fault_set_machine(const struct fault_machine *machine)
{
	fault_machine = *machine;
}

static inline size_t fault_page_size(void)
{
	return fault_machine.page_size;
}

static inline unsigned int fault_address_bits(void)
{
	return fault_machine.address_bits;
}

/* Read a plan as HAKMEM_FAULT has it. Return: false if it is none. */
bool fault_parse(const char *text, struct fault_plan *plan);

/* Follow HAKMEM_FAULT, if it is set. */
void fault_init(void);

#else /* CONFIG_HAKMEM_FAULT_INJECTION */

static inline bool fault_strikes(enum vm_call call)
{
	(void)call;
	return false;
}

static inline void fault_set(const struct fault_plan *plan)
{
	(void)plan;
}

static inline void fault_set_machine(const struct fault_machine *machine)
{
	(void)machine;
}

static inline size_t fault_page_size(void)
{
	return 0;
}

static inline unsigned int fault_address_bits(void)
{
	return 0;
}

static inline unsigned long fault_calls(void)
{
	return 0;
}

static inline unsigned long fault_strikes_so_far(void)
{
	return 0;
}

static inline bool fault_parse(const char *text, struct fault_plan *plan)
{
	(void)text;
	(void)plan;
	return false;
}

static inline void fault_init(void)
{
}

#endif /* CONFIG_HAKMEM_FAULT_INJECTION */

#endif /* HAKMEM_MM_FAULT_H */
