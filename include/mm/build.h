/* SPDX-License-Identifier: MIT */
/*
 * What the library was built from, inside of it.
 */
#ifndef HAKMEM_MM_BUILD_H
#define HAKMEM_MM_BUILD_H

#include <stddef.h>

#include "lib/compiler.h"

/*
 * A newline, then lines that are all valid in a .config, from "# HAKMEM" to
 * "# HAKMEM end": hakmem-config cuts them out of whatever file they ended up
 * in. They stay in what is linked, though no call needs them.
 */
extern const char build_text[] __hidden;
extern const size_t build_text_size __hidden;

#endif /* HAKMEM_MM_BUILD_H */
