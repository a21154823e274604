// SPDX-License-Identifier: MIT
/*
 * Yield points: see compiler.h.
 */
#include "lib/compiler.h"

void (*yield_hook)(enum yield yield, const volatile void *what);
