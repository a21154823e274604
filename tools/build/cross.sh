#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cross.sh [KIND...]: build for other processors and with musl, warnings being
# errors, and run the selftests.
#
#	arm-linux-gnueabihf	a processor, as Debian's compilers name them;
#				runs in qemu-user, i686 on an x86-64 kernel
#	aarch64-linux-gnu:65536	in an emulator with pages of so many bytes
#	musl			with musl-gcc, on this processor
#
# Without arguments: all that "make setup-cross" brings. Prints a line for each
# and, at the end, the whole log of those that failed. One whose tools are
# missing is skipped.
#
# Environment: TARGETS: the selftests; CASE; JOBS: kinds at a time.

set -u

srctree=$(cd "$(dirname "$0")/../.." && pwd)
runners="harness lib vm registry cache tiny mid ace large api"
: "${TARGETS:=$runners preload static}"

# What an outer make exports would be taken for ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
unset KCONFIG_CONFIG CC CXX AR NM OBJCOPY CROSS_COMPILE EMULATOR
unset KBUILD_CFLAGS KBUILD_CPPFLAGS KBUILD_LDFLAGS O W V Q quiet objtree

# An emulator takes ten times as long.
: "${CK_TIMEOUT_MULTIPLIER:=10}" "${TIMEOUT:=3600}"
export CK_TIMEOUT_MULTIPLIER TIMEOUT

build()
{
	make -s -C "$srctree" O="$tree" W=e "$@"
}

# Leaves the tools as variables of make in $tools, and the emulator's page size
choose_tools()
{
	case $1 in
	musl)
		tools="CC=musl-gcc CXX="
		command -v musl-gcc >/dev/null
		;;
	*)
		prefix=${1%:*}-
		tools="CROSS_COMPILE=$prefix"
		case $1 in
		*:*) export QEMU_PAGESIZE="${1#*:}" ;;
		esac
		command -v "${prefix}gcc" >/dev/null
		;;
	esac
}

test_one()
{
	choose_tools "$1" || {
		echo "no compiler; 'make setup-cross'"
		return 4
	}
	# shellcheck disable=SC2086 # lists of words
	build defconfig &&
		build $tools -j"$(nproc)" all &&
		build $tools TARGETS="$TARGETS" selftests
}

. "$srctree/tools/build/report-each.sh"

test $# -gt 0 || set -- aarch64-linux-gnu aarch64-linux-gnu:16384 \
	aarch64-linux-gnu:65536 arm-linux-gnueabihf riscv64-linux-gnu \
	i686-linux-gnu musl

report_each cross "passed or were skipped" "$@"
