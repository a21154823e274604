// SPDX-License-Identifier: MIT
/*
 * Reading files: see file.h.
 */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int file_open(const char *path)
{
	int saved = errno;
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);

	errno = saved;
	return (int)fd;
}

size_t file_read(int fd, char *buf, size_t size)
{
	int saved = errno;
	long got = syscall(SYS_read, fd, buf, size);

	errno = saved;
	return got > 0 ? (size_t)got : 0;
}

void file_close(int fd)
{
	int saved = errno;

	syscall(SYS_close, fd);
	errno = saved;
}
