/* SPDX-License-Identifier: MIT */
/*
 * A map of the address space beside the allocator's own: which bytes are in a
 * live block. Two blocks that overlap are found when the second is entered.
 *
 * Without a lock, so that it does not keep threads apart. 16 bytes are a bit;
 * whole units of 64 KiB inside a large block are entered at once.
 */
#ifndef SELFTESTS_SHADOW_H
#define SELFTESTS_SHADOW_H

#include <stdbool.h>
#include <stddef.h>

/* Map enough for so many GiB of addresses before memory gets short. */
void shadow_reserve(size_t gib);

/* Return: false if a part of it is in another live block. */
bool shadow_enter(const void *ptr, size_t size);

/* Return: false if a part of it is in no live block. */
bool shadow_leave(const void *ptr, size_t size);

#endif /* SELFTESTS_SHADOW_H */
