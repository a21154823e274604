#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every header compiles alone, the installed one in any C and in C++ as well.
set -u

cc=${CC:-gcc}
cxx=${CXX:-g++}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
verdict=0
srctree=$PWD
export srctree

mkdir -p "$scratch/include/config" "$scratch/include/generated"
(
	cd "$scratch" &&
	"${KCONFIG_CONF:-kconfig-conf}" -s --alldefconfig Kconfig &&
	"${KCONFIG_CONF:-kconfig-conf}" -s --silentoldconfig Kconfig
) >/dev/null 2>&1 || { echo "headers.sh: no configuration"; exit 1; }

for header in $(find include mm \( -path include/generated -o \
		-path include/config \) -prune -o -name '*.h' -print | sort); do
	$cc -std=gnu11 -fsyntax-only -Wall -Wextra -Werror -D_GNU_SOURCE= \
		-I"$scratch/include" -Iinclude -I"${header%/*}" \
		-include include/lib/kconfig.h -x c \
		-include "$header" /dev/null || verdict=1
done

installed=include/hakmem.h
if test -e $installed; then
	for standard in c99 c11 gnu17; do
		$cc -std=$standard -pedantic -Wall -Wextra -Werror \
			-fsyntax-only -x c -include $installed /dev/null ||
			verdict=1
	done
	if command -v "$cxx" >/dev/null; then
		$cxx -std=c++11 -pedantic -Wall -Wextra -Werror \
			-fsyntax-only -x c++ -include $installed /dev/null ||
			verdict=1
	fi
fi
exit $verdict
