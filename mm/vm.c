// SPDX-License-Identifier: MIT
/*
 * The kernel's memory calls: see include/mm/vm.h for what each promises.
 */
#include "mm/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "lib/align.h"
#include "lib/compiler.h"
#include "lib/lock.h"
#include "mm/fault.h"
#include "mm/lock_order.h"
#include "mm/report.h"

/*
 * Slab memory is planned as a multiple of RAM, for swap and for holes between
 * the program's own mappings; a limited process gets room for its limit to be
 * raised. The registry costs 1/52,000 of this in address space.
 */
#define RAM_MULTIPLE		16
#define LIMIT_MULTIPLE		4
#define ADDRESS_LIMIT_MIN	((uint64_t)4 << 30)
#define ADDRESS_LIMIT_MAX	((uint64_t)16 << 40)

/* What rt_sigprocmask() reads. */
#define SIGNAL_SET_BYTES	((size_t)_NSIG / 8)

/*
 * What the kernel is asked about at once: a superslab's. An emulator of larger
 * pages than its kernel's answers in that one's, which are 4 KiB at least.
 */
#define RESIDENT_BYTES		((size_t)2 << 20)
#define RESIDENT_PAGES		(RESIDENT_BYTES / 4096)

/* Enough for a program to end well; addresses cost nothing. */
#define SPARE_BYTES		((uint64_t)5 << 28)

static size_t page_size __ro_after_init;

/* Where a machine that is only made up has its first mapping's end. */
#define FAKED_BITS		46
#define FAKED_TRIES		1024

/*
 * Addresses set aside for when the kernel has no further mapping to give: of
 * what is in use, below @next, and the rest each is one, and to move the bound
 * between them takes none.
 */
static struct {
	uintptr_t start;
	uintptr_t next;
	uintptr_t end;
} spare;

static size_t kernel_page_size(void)
{
	size_t size = READ_ONCE(page_size);

	if (unlikely(!size)) {
		size = getauxval(AT_PAGESZ);
		WRITE_ONCE(page_size, size);
	}
	return size;
}

size_t vm_page_size(void)
{
	size_t faked = fault_page_size();

	return faked ? faked : kernel_page_size();
}

/* At this place or nowhere. */
static void *map_at(uintptr_t place, size_t size, int prot, int flags)
{
	void *addr = mmap((void *)place, size, prot,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
			  flags, -1, 0);

	if (addr != MAP_FAILED && (uintptr_t)addr != place) {
		munmap(addr, size);
		addr = MAP_FAILED;
	}
	return addr;
}

/* As fault_machine would: from its last address downwards, by its pages. */
static void *map_faked(void *hint, size_t size, int prot, int flags)
{
	static uintptr_t used;
	unsigned int bits = fault_address_bits();
	uintptr_t end = (uintptr_t)1 << (bits ? bits : FAKED_BITS);
	unsigned int tries;
	uintptr_t place;
	void *addr;

	size = ALIGN_UP(size, vm_page_size());
	if (hint && (uintptr_t)hint <= end && size <= end - (uintptr_t)hint) {
		addr = map_at((uintptr_t)hint, size, prot, flags);
		if (addr != MAP_FAILED)
			return addr;
	}
	for (tries = 0; tries < FAKED_TRIES && size < end; tries++) {
		place = __atomic_add_fetch(&used, size, __ATOMIC_RELAXED);
		addr = map_at(end - min(place, end), size, prot, flags);
		if (addr != MAP_FAILED)
			return addr;
	}
	return MAP_FAILED;
}

static bool is_faked(void)
{
	return sizeof(void *) > 4 &&
	       (fault_page_size() || fault_address_bits());
}

/* The kernel may take its time, and a thread that waits has done no wrong. */
static void expect_no_lock(void)
{
	if (unlikely(lock_held_to_rank(LOCK_RANK_POOL)))
		report_fatal("a memory call under a lock");
}

static void *map_pages(void *hint, size_t size, int prot, int flags)
{
	void *addr;

	expect_no_lock();
	addr = is_faked() ? map_faked(hint, size, prot, flags) :
			    mmap(hint, size, prot,
				 MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	return addr == MAP_FAILED ? NULL : addr;
}

static bool in_spare(const void *addr)
{
	return (uintptr_t)addr - spare.start < spare.end - spare.start;
}

static bool move_spare(uintptr_t *from, uintptr_t next)
{
	return __atomic_compare_exchange_n(&spare.next, from, next, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Return: bytes of addresses that the process may have, all counted. */
static uint64_t address_rlimit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) ? 0 : limit.rlim_cur;
}

static bool addresses_limited(void)
{
	return address_rlimit() != RLIM_INFINITY;
}

static void *take_spare(size_t size, size_t align)
{
	uintptr_t next = READ_ONCE(spare.next);
	uintptr_t start, end;

	do {
		start = ALIGN_UP(next, align);
		end = start + size;
		if (start < next || end < start || end > spare.end)
			return NULL;
	} while (!move_spare(&next, end));
	if (vm_commit((void *)next, end - next))
		return (void *)start;
	move_spare(&end, next);
	return NULL;
}

/*
 * A limit was set since, and is not to be evaded; but where it is less than
 * what is set aside alone, that goes back. Return: whether it did.
 */
static bool drop_spare(void)
{
	uintptr_t end = READ_ONCE(spare.end);
	uintptr_t next = READ_ONCE(spare.next);

	if (address_rlimit() > end - spare.start)
		return false;
	do {
		if (next >= end)
			return false;
	} while (!move_spare(&next, end));
	WRITE_ONCE(spare.end, next);
	return !munmap((void *)next, end - next);
}

/* What is behind it may be in use: then it has to be kept. */
static bool return_spare(void *addr, size_t size)
{
	uintptr_t end = (uintptr_t)addr + size;

	return READ_ONCE(spare.next) == end && vm_purge(addr, size) &&
	       move_spare(&end, (uintptr_t)addr);
}

void *vm_keep_spare(size_t *size)
{
	void *addr = NULL;
	int saved = errno;

	*size = 0;
	if (sizeof(void *) > 4 && !addresses_limited() &&
	    !fault_strikes(VM_CALL_RESERVE))
		addr = map_pages(NULL, SPARE_BYTES, PROT_NONE, MAP_NORESERVE);
	errno = saved;
	if (!addr)
		return NULL;
	/* Its first page makes the bound that later only moves. */
	if (!vm_commit(addr, vm_page_size())) {
		vm_unmap(addr, SPARE_BYTES);
		return NULL;
	}
	*size = (size_t)SPARE_BYTES;
	spare.start = (uintptr_t)addr;
	spare.end = spare.start + *size;
	spare.next = spare.start + vm_page_size();
	return addr;
}

static void *map_rw(void *hint, size_t size, size_t align)
{
	int saved = errno;
	void *addr;

	if (fault_strikes(VM_CALL_MAP))
		return NULL;
	addr = map_pages(hint, size, PROT_READ | PROT_WRITE, 0);
	/* EAGAIN is the limit of locked memory, and this is not locked. */
	if (!addr && errno == ENOMEM) {
		if (!addresses_limited())
			addr = take_spare(size, align);
		else if (drop_spare())
			addr = map_pages(hint, size, PROT_READ | PROT_WRITE, 0);
	}
	errno = saved;
	return addr;
}

/* Map with room to spare and trim both ends. */
static void *map_trimmed(size_t size, size_t align)
{
	size_t slack = align - vm_page_size();
	uintptr_t start, aligned;
	size_t tail;
	void *addr;

	if (size + slack < size)
		return NULL;
	addr = map_rw(NULL, size + slack, vm_page_size());
	if (!addr)
		return NULL;
	start = (uintptr_t)addr;
	aligned = ALIGN_UP(start, align);
	tail = slack - (aligned - start);
	/* If the kernel refuses to cut, address space is all that is lost. */
	if (aligned != start)
		vm_unmap(addr, aligned - start);
	if (tail)
		vm_unmap((void *)(aligned + size), tail);
	return (void *)aligned;
}

void *vm_map(void *hint, size_t size, size_t align)
{
	uintptr_t below;
	void *addr;

	addr = map_rw(hint, size, align);
	if (!addr || IS_ALIGNED((uintptr_t)addr, align))
		return addr;
	/* The space below is often free: a tight limit allows no slack. */
	below = ALIGN_DOWN((uintptr_t)addr, align);
	vm_unmap(addr, size);
	addr = map_rw((void *)below, size, align);
	if (!addr || IS_ALIGNED((uintptr_t)addr, align))
		return addr;
	vm_unmap(addr, size);
	return map_trimmed(size, align);
}

bool vm_unmap(void *addr, size_t size)
{
	int saved = errno;
	bool done;

	expect_no_lock();
	if (fault_strikes(VM_CALL_UNMAP))
		return false;
	done = in_spare(addr) ? return_spare(addr, size) :
				!munmap(addr, size);
	errno = saved;
	return done;
}

bool vm_purge(void *addr, size_t size)
{
	int saved = errno;
	bool done;

	expect_no_lock();
	done = !fault_strikes(VM_CALL_PURGE) &&
	       !madvise(addr, size, MADV_DONTNEED);
	errno = saved;
	return done;
}

/* Written to, since a page that was only read is the kernel's page of zeros. */
bool vm_take_huge_page(void *addr, size_t size, bool fill)
{
	int saved = errno;

	expect_no_lock();
	/*
	 * Neighbours with the same mark are one mapping, and remain so when a
	 * part had the other for a while; not if it is touched before.
	 */
	madvise(addr, size, MADV_NOHUGEPAGE);
	fill = fill && !madvise(addr, size, MADV_HUGEPAGE);
	if (fill) {
		*(volatile char *)addr = 0;
		madvise(addr, size, MADV_NOHUGEPAGE);
	}
	errno = saved;
	return fill;
}

void vm_advise_huge_pages(void *addr, size_t size)
{
	int saved = errno;

	expect_no_lock();
	madvise(addr, size, MADV_HUGEPAGE);
	errno = saved;
}

size_t vm_resident(const void *addr, size_t size)
{
	unsigned char in_memory[RESIDENT_PAGES];
	size_t page = kernel_page_size();
	uintptr_t at = (uintptr_t)addr;
	uintptr_t end = at + size;
	size_t bytes = 0, n, i;
	int saved = errno;

	for (; at < end; at += n * page) {
		n = min(end - at, RESIDENT_BYTES) / page;
		if (mincore((void *)at, n * page, in_memory))
			continue;
		for (i = 0; i < n; i++)
			bytes += in_memory[i] & 1 ? page : 0;
	}
	errno = saved;
	return bytes;
}

/* The kernel reads the set of signals before it refuses to do nothing. */
bool vm_readable(const void *addr)
{
	const int how = -1;
	int saved = errno;
	bool readable;

	syscall(SYS_rt_sigprocmask, how, addr, NULL, SIGNAL_SET_BYTES);
	readable = errno != EFAULT;
	errno = saved;
	return readable;
}

void *vm_remap(void *addr, size_t old_size, size_t size)
{
	int saved = errno;
	void *moved;

	expect_no_lock();
	if (fault_strikes(VM_CALL_REMAP) || in_spare(addr) || is_faked())
		return NULL;
	moved = mremap(addr, old_size, size, MREMAP_MAYMOVE);
	errno = saved;
	return moved == MAP_FAILED ? NULL : moved;
}

bool vm_move(void *addr, size_t old_size, void *to, size_t size)
{
	int saved = errno;
	bool done = !fault_strikes(VM_CALL_REMAP) &&
		    mremap(addr, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   to) != MAP_FAILED;

	errno = saved;
	return done;
}

void *vm_reserve(size_t size)
{
	int saved = errno;
	void *addr;

	if (fault_strikes(VM_CALL_RESERVE))
		return NULL;
	addr = map_pages(NULL, size, PROT_READ, MAP_NORESERVE);
	errno = saved;
	return addr;
}

static bool protect(void *addr, size_t size, int prot)
{
	int saved = errno;
	bool done = !fault_strikes(VM_CALL_COMMIT) &&
		    !mprotect(addr, size, prot);

	errno = saved;
	return done;
}

bool vm_commit(void *addr, size_t size)
{
	expect_no_lock();
	return protect(addr, size, PROT_READ | PROT_WRITE);
}

bool vm_deny(void *addr, size_t size)
{
	return protect(addr, size, PROT_NONE);
}

bool vm_freeze(void *addr, size_t size)
{
	return protect(addr, size, PROT_READ);
}

static uint64_t ram_bytes(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return ADDRESS_LIMIT_MIN / RAM_MULTIPLE;
	return (uint64_t)info.totalram * info.mem_unit;
}

uint64_t vm_address_limit(void)
{
	int saved = errno;
	uint64_t bytes = ram_bytes() * RAM_MULTIPLE;
	struct rlimit limit;

	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < bytes / LIMIT_MULTIPLE)
		bytes = (uint64_t)limit.rlim_cur * LIMIT_MULTIPLE;
	errno = saved;
	bytes = min(bytes, ADDRESS_LIMIT_MAX);
	bytes = max(bytes, ADDRESS_LIMIT_MIN);
	return (uint64_t)1 << (63 - __builtin_clzll(bytes));
}
