/* SPDX-License-Identifier: MIT */
#ifndef HAKMEM_LIB_KCONFIG_H
#define HAKMEM_LIB_KCONFIG_H

#include <generated/autoconf.h>

/*
 * An option that is on is defined as 1, one that is off is not defined. The
 * 1 pastes to a placeholder with a comma in it, which shifts the 1 into the
 * second place; anything else leaves the 0 there.
 */
#define KCONFIG_PLACEHOLDER_1 0,
#define KCONFIG_SECOND(ignored, value, ...) value
#define KCONFIG_IS_1(shift) KCONFIG_SECOND(shift 1, 0, 0)
#define KCONFIG_PASTE(value) KCONFIG_IS_1(KCONFIG_PLACEHOLDER_##value)

/* 1 if the bool @option is on, else 0; for #if and for plain if. */
#define IS_ENABLED(option) KCONFIG_PASTE(option)

#endif
