#!/bin/sh
# SPDX-License-Identifier: MIT
#
# memcheck over a program with planted mistakes and over its twin without, in
# each way that a program can come by the library. An argument is a glob that
# selects cases.
#
# The environment gives srctree and objtree, and may give CC.

set -u

: "${srctree:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${objtree:=$srctree}"
: "${CC:=gcc}"

# shellcheck source=selftests/programs/tap.sh
. "$srctree/selftests/programs/tap.sh"

# build PROGRAM WAY FLAG...
build()
{
	program=$1
	way=$2
	shift 2
	set -- -g -O0 -fno-builtin -w -o "$program" "$@" \
		"$srctree/selftests/valgrind/planted.c"
	case $way in
	preload) ;;
	object) set -- "$@" "$objtree/hakmem.o" ;;
	static) set -- -static "$@" "$objtree/hakmem.o" ;;
	prefixed) set -- -DHAK_NAMES -I"$srctree/include" "$@" \
		"$objtree/libhakmem-prefixed.a" -pthread ;;
	esac
	$CC "$@"
}

# memcheck PROGRAM WAY: leaves what it says in $scratch/said
memcheck()
{
	preload=
	[ "$2" != preload ] || preload=$objtree/libhakmem.so
	LD_PRELOAD=$preload timeout -k 5 100 valgrind --leak-check=full \
		"$1" >"$scratch/out" 2>"$scratch/said" &&
		grep -qx fine "$scratch/out" && return
	echo "the program did not end well"
	return 1
}

# expect PATTERN FUNCTION: the pattern, and within ten lines the function
expect()
{
	grep -A10 -E "$1" "$scratch/said" | grep -q "[ (]$2 (planted.c" &&
		return
	echo "memcheck does not say '$1' of $2()"
	return 1
}

finds_mistakes()
{
	build "$scratch/planted" "$1" && memcheck "$scratch/planted" "$1" &&
		expect '1,234 bytes in 1 blocks are definitely lost' leak &&
		expect 'Invalid read of size 1' read_behind &&
		expect ' 0 bytes after a .*block of size 100 ' main &&
		expect ' 0 bytes after a .*block of size 4,096 ' main &&
		expect 'Invalid read of size 1' read_freed &&
		expect '3 bytes inside a block of size 100 free' main
}

# A static C library has findings of its own, none in this program.
finds_nothing_else()
{
	build "$scratch/plain" "$1" -DPLAIN &&
		memcheck "$scratch/plain" "$1" || return
	! grep -B10 '(planted.c' "$scratch/said" || return
	[ "$1" = static ] && return
	grep -E 'ERROR SUMMARY: 0 errors|no leaks are possible' \
		"$scratch/said" >/dev/null && return
	echo "memcheck found something"
	return 1
}

test_way()
{
	case $1 in
	static|prefixed)
		grep -qx CONFIG_HAKMEM_VALGRIND=y \
			"$objtree/include/config/auto.conf" || {
			tap_skip "$1" "CONFIG_HAKMEM_VALGRIND is not set"
			return
		} ;;
	esac
	if { finds_mistakes "$1" && finds_nothing_else "$1"; } \
	   >"$scratch/verdict" 2>&1; then
		tap_pass "$1"
		return
	fi
	tap_fail "$1"
	cat "$scratch/verdict" "$scratch/said" | head -n 40 | tap_notes
}

command -v valgrind >/dev/null || {
	echo "KTAP version 1"
	echo "1..0 # SKIP valgrind is not installed"
	exit 4
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

glob=${1:-*}
set --
for way in preload object static prefixed; do
	tap_matches valgrind "$way" "$glob" && set -- "$@" "$way"
done
tap_plan $#
for way; do
	test_way "$way"
done
tap_end
