// SPDX-License-Identifier: MIT
/*
 * What the library was built from: see include/mm/build.h.
 */
#include "mm/build.h"

#include <generated/config_text.h>

#include "hakmem.h"

const char build_text[] __retained =
	"\n"
	"# HAKMEM " HAKMEM_VERSION ", compiled by " COMPILER_NAME "\n"
	CONFIG_TEXT
	"# HAKMEM end\n";
const size_t build_text_size = sizeof(build_text) - 1;
