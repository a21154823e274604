/* SPDX-License-Identifier: MIT */
/*
 * What differs between processors, in one place.
 */
#ifndef HAKMEM_LIB_ARCH_H
#define HAKMEM_LIB_ARCH_H

#include <stdint.h>
#include <sys/syscall.h>

#include "lib/compiler.h"

#if defined(__x86_64__) || defined(__i386__)
#define CPU_PAUSE	"pause"
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
#define CPU_PAUSE	"yield"
#else
#define CPU_PAUSE	""
#endif

/* Bytes of a page, at most. */
#if defined(__x86_64__) || defined(__i386__)
#define ARCH_PAGE_MAX	4096
#else
#define ARCH_PAGE_MAX	65536
#endif

/*
 * What one thread writes often and no other should find in its way: lines are
 * of 64 bytes and fetched in pairs, or of 128 bytes.
 */
#define ARCH_LINES_BYTES	128

/*
 * Have a value in a register; of x86-64, in that one. Left to themselves,
 * compilers take the one that functions return theirs in, and need a further
 * instruction to move the result there at the end.
 */
#if defined(__x86_64__)
#define arch_keep_in(reg, value)	__asm__("" : "+" reg(value))
#else
#define arch_keep_in(reg, value)	__asm__("" : "+r"(value))
#endif

/*
 * A function where a program begins: on x86 a called one would find its return
 * address on the stack, and the rest aligned behind that.
 */
#if defined(__x86_64__) || defined(__i386__)
#define ARCH_ENTRY	__attribute__((__force_align_arg_pointer__))
#else
#define ARCH_ENTRY
#endif

/* Write a byte back as it is. A page that was never touched faults once so. */
#if defined(__x86_64__) || defined(__i386__)
#define arch_write_back(byte)	__asm__ volatile("orb $0, %0" : "+m"(*(byte)))
#else
#define arch_write_back(byte)						\
	((void)__atomic_fetch_or((byte), 0, __ATOMIC_RELAXED))
#endif

/*
 * Rotations that change nothing, and a move that valgrind takes for a request:
 * its public interface. It puts an answer in the place of the zero.
 */
#if defined(__x86_64__)
#define VALGRIND_REQUEST(answer, args)					\
	__asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"		\
			 "rolq $61, %%rdi; rolq $51, %%rdi\n\t"		\
			 "xchgq %%rbx, %%rbx"				\
			 : "=d"(answer) : "a"(args), "0"(0L)		\
			 : "cc", "memory")
#elif defined(__i386__)
#define VALGRIND_REQUEST(answer, args)					\
	__asm__ volatile("roll $3, %%edi; roll $13, %%edi\n\t"		\
			 "roll $29, %%edi; roll $19, %%edi\n\t"		\
			 "xchgl %%ebx, %%ebx"				\
			 : "=d"(answer) : "a"(args), "0"(0L)		\
			 : "cc", "memory")
#elif defined(__aarch64__)
#define VALGRIND_REQUEST(answer, args)					\
	__asm__ volatile("mov x3, #0; mov x4, %1\n\t"			\
			 "ror x12, x12, #3; ror x12, x12, #13\n\t"	\
			 "ror x12, x12, #51; ror x12, x12, #61\n\t"	\
			 "orr x10, x10, x10\n\t"			\
			 "mov %0, x3"					\
			 : "=r"(answer) : "r"(args)			\
			 : "cc", "memory", "x3", "x4", "x12")
#else
#define VALGRIND_REQUEST(answer, args)					\
	((void)(args), (answer) = 0)
#endif

/* 32-bit machines that came after the year-2038 work have only the second. */
#ifdef SYS_futex
#define SYS_FUTEX_NATIVE	SYS_futex
#define SYS_PPOLL_NATIVE	SYS_ppoll
#else
#define SYS_FUTEX_NATIVE	SYS_futex_time64
#define SYS_PPOLL_NATIVE	SYS_ppoll_time64
#endif

/* The thread pointer: not 0, even, and no other live thread's. */
#if defined(__x86_64__)
static __always_inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t self;

	__asm__("mov %%fs:0, %0" : "=r"(self));
	return self;
}
#elif defined(__i386__)
static __always_inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t self;

	__asm__("mov %%gs:0, %0" : "=r"(self));
	return self;
}
#else
static __always_inline uintptr_t arch_thread_pointer(void)
{
	return (uintptr_t)__builtin_thread_pointer();
}
#endif

#endif /* HAKMEM_LIB_ARCH_H */
