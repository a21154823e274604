/* SPDX-License-Identifier: MIT */
/*
 * The kernel's memory calls. mm/vm.c is the only file that makes them.
 *
 * Every address and size here but vm_readable()'s is a multiple of
 * vm_page_size(). No function changes errno, none allocates, none takes a lock;
 * all are thread-safe and signal-safe. None may be called while a tier's lock
 * is held.
 */
#ifndef HAKMEM_MM_VM_H
#define HAKMEM_MM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a page, asked of the kernel once. */
size_t vm_page_size(void);

/**
 * vm_map() - Map zeroed private memory.
 * @hint: where it would be welcome, or NULL
 * @size: bytes, not 0
 * @align: power of two; the result is a multiple of it
 *
 * Return: the address, readable and writable, or NULL when the kernel or a
 * resource limit says no.
 */
void *vm_map(void *hint, size_t size, size_t align);

/**
 * vm_unmap() - Give a range of one or more mappings back.
 * @addr: start
 * @size: bytes
 *
 * Return: false when the kernel refused (cutting a mapping in two can exceed
 * vm.max_map_count); the range is then still mapped and unchanged.
 */
bool vm_unmap(void *addr, size_t size);

/**
 * vm_purge() - Give the pages of a range back and keep the addresses.
 * @addr: start
 * @size: bytes
 *
 * Return: true when the range reads as zero now, false when the kernel
 * refused (locked pages) and the content is unspecified.
 */
bool vm_purge(void *addr, size_t size);

/**
 * vm_take_huge_page() - Get a huge page now, and no further one later.
 * @addr: start of the range; nothing in it was touched
 * @size: of a huge page
 * @fill: false to get none now either
 *
 * Return: whether the range may have memory behind all of it.
 */
bool vm_take_huge_page(void *addr, size_t size, bool fill);

/* Let the kernel put huge pages into a range where it is touched. */
void vm_advise_huge_pages(void *addr, size_t size);

/**
 * vm_resident() - How much of a range has memory behind it?
 * @addr: start
 * @size: bytes
 *
 * Return: bytes of its pages that are in memory now, 0 for parts that are not
 * mapped. A page that was only read may count, one in swap does not.
 */
size_t vm_resident(const void *addr, size_t size);

/* Whether a word at any address can be read, without a signal if not. */
bool vm_readable(const void *addr);

/**
 * vm_remap() - Resize a mapping, moving it if that is what it takes.
 * @addr: start of a whole mapping that vm_map() made
 * @old_size: its bytes
 * @size: bytes wanted; what is added reads as zero
 *
 * Return: where it is now, or NULL with nothing changed.
 */
void *vm_remap(void *addr, size_t old_size, size_t size);

/**
 * vm_move() - Resize a mapping to a place that the caller has.
 * @addr: start of a range of one mapping
 * @old_size: its bytes
 * @to: where to; what is mapped there goes
 * @size: bytes wanted; what is added reads as zero
 *
 * Return: false with the mapping unchanged; what was mapped at @to may be gone
 * all the same.
 */
bool vm_move(void *addr, size_t old_size, void *to, size_t size);

/**
 * vm_reserve() - Take addresses that read as zero and cannot be written.
 * @size: bytes
 *
 * Costs address space only: it is not charged as data and commits nothing.
 *
 * Return: page-aligned address or NULL.
 */
void *vm_reserve(size_t size);

/* Make part of a reservation writable. Return: success. */
bool vm_commit(void *addr, size_t size);

/* Let nobody touch a range; its content stays. Return: success. */
bool vm_deny(void *addr, size_t size);

/* Let nobody write to a range. Return: success. */
bool vm_freeze(void *addr, size_t size);

/**
 * vm_keep_spare() - Set addresses aside for vm_map() when mmap() fails.
 * @size: out: bytes
 *
 * Once. vm.max_map_count bounds the mappings of a process, and beside some
 * other program's, ours may be the one too many. What is taken from here stays
 * in place, and vm_unmap() takes back only the last of it. Costs addresses and
 * two mappings, and nothing where addresses are limited.
 *
 * Return: where they are, or NULL if there are none.
 */
void *vm_keep_spare(size_t *size);

/**
 * vm_address_limit() - How much address space is worth planning for.
 *
 * Return: bytes; the least of RLIMIT_AS with headroom and a multiple of the
 * machine's memory, as a power of two.
 */
uint64_t vm_address_limit(void);

#endif /* HAKMEM_MM_VM_H */
