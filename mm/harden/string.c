// SPDX-License-Identifier: MIT
/*
 * memcpy() and its like, which look first whether what they read and write is
 * inside of a block, where it begins in one. Then libc does the work: its
 * functions for fortified programs are the same under other names.
 */
#include <stddef.h>
#include <stdint.h>

#include "mm/harden.h"
#include "mm/report.h"

#define FAULT_BEYOND	"goes on behind the end of the block"

/*
 * A compiler that knew which function it calls would make a call of memcpy()
 * of it, which is the caller.
 */
#define LIBC(symbol)	__asm__(symbol)
#define UNKNOWN(function) ({						\
	__typeof__(&(function)) unknown = (function);			\
	__asm__("" : "+r"(unknown));					\
	unknown; })

extern void *libc_memcpy(void *to, const void *from, size_t size, size_t room)
	LIBC("__memcpy_chk");
extern void *libc_memmove(void *to, const void *from, size_t size, size_t room)
	LIBC("__memmove_chk");
extern void *libc_mempcpy(void *to, const void *from, size_t size, size_t room)
	LIBC("__mempcpy_chk");
extern void *libc_memset(void *to, int byte, size_t size, size_t room)
	LIBC("__memset_chk");

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *mempcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

static __always_inline void check(const char *function, const void *addr,
				  size_t size)
{
	if (unlikely(size > harden_room(addr)))
		report_bad_pointer(function, addr, FAULT_BEYOND);
}

__export void *memcpy(void *to, const void *from, size_t size)
{
	check("memcpy", to, size);
	check("memcpy", from, size);
	return UNKNOWN(libc_memcpy)(to, from, size, SIZE_MAX);
}

__export void *memmove(void *to, const void *from, size_t size)
{
	check("memmove", to, size);
	check("memmove", from, size);
	return UNKNOWN(libc_memmove)(to, from, size, SIZE_MAX);
}

__export void *mempcpy(void *to, const void *from, size_t size)
{
	check("mempcpy", to, size);
	check("mempcpy", from, size);
	return UNKNOWN(libc_mempcpy)(to, from, size, SIZE_MAX);
}

__export void *memset(void *to, int byte, size_t size)
{
	check("memset", to, size);
	return UNKNOWN(libc_memset)(to, byte, size, SIZE_MAX);
}
