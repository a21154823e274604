/* SPDX-License-Identifier: MIT */
/*
 * Reading files by system calls. The C library's functions for it are
 * cancellation points, which malloc() and free() are not: a thread that ended
 * in one would keep the locks that it holds.
 */
#ifndef HAKMEM_LIB_FILE_H
#define HAKMEM_LIB_FILE_H

#include <stddef.h>

/* All keep errno. Return: a descriptor for reading, negative without one. */
int file_open(const char *path);

/* Return: bytes that were read, 0 at the end and when there is an error. */
size_t file_read(int fd, char *buf, size_t size);

void file_close(int fd);

#endif /* HAKMEM_LIB_FILE_H */
