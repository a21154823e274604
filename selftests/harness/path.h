/* SPDX-License-Identifier: MIT */
/*
 * Where the files are that a runner starts or loads: found from the runner's
 * own place, so that it needs no variables and runs from any folder.
 */
#ifndef SELFTESTS_PATH_H
#define SELFTESTS_PATH_H

#include <limits.h>
#include <stddef.h>

/**
 * path_beside_runner() - absolute path of a file in the folder of the runner
 * @path: result
 * @size: its size
 * @name: relative to that folder
 */
void path_beside_runner(char *path, size_t size, const char *name);

#endif /* SELFTESTS_PATH_H */
