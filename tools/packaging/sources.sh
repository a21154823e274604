#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sources.sh SRCTREE FOLDER: copy the sources without what was built there.
set -eu

mkdir -p "$2"
tar -c -C "$1" --exclude='*.o' --exclude='*.a' --exclude='.*.cmd' \
	--exclude=include/config --exclude=include/generated \
	Kconfig LICENSE Makefile README.md include lib mm selftests tools |
	tar -x -C "$2"
