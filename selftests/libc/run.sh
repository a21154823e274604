#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Our malloc as that of a C library: the object, the tools that put it into one,
# and a program linked with a musl that has it. An argument is a glob that
# selects cases.
#
# The environment gives srctree; MUSL_CC: the compiler for musl; MUSL_SOURCE: a
# source tree of musl, for one more case, which builds that.

set -u

: "${srctree:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${MUSL_CC:=musl-gcc}" "${MUSL_SOURCE:=}"
here=$srctree/selftests/libc
tools=$srctree/tools/libc

# shellcheck source=selftests/programs/tap.sh
. "$srctree/selftests/programs/tap.sh"

# For the machine that runs this, with its own tools
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CROSS_COMPILE
unset AR NM READELF OBJCOPY KBUILD_CFLAGS KBUILD_CPPFLAGS objtree O
unset CK_RUN_CASE KCONFIG_CONFIG EMULATOR

build_object()
{
	make -s -C "$srctree" O="$scratch/tree" libc_defconfig &&
		make -s -C "$srctree" O="$scratch/tree" CC="$MUSL_CC" W=e \
			hakmem-libc.o all
}

object_is_fit()
{
	"$tools/verify-syms" "$object"
}

# The same with operators, constructors and all names of our own
other_object_is_not_fit()
{
	"$tools/verify-syms" "$scratch/tree/hakmem.o" >"$scratch/said" &&
		return 1
	cat "$scratch/said"
	grep -q 'does not define __libc_malloc_impl' "$scratch/said" &&
		grep -q 'defines hak_malloc$' "$scratch/said"
}

object_that_reads_the_environment_is_not_fit()
{
	printf 'char *getenv(const char *);\n%s\n%s\n' \
		'static __thread int here;' \
		'int also(void) { return here++ + !getenv("X"); }' |
		$MUSL_CC -x c -c -fPIC -o "$scratch/also.o" - &&
		ld -r -o "$scratch/bad.o" "$object" "$scratch/also.o" || return
	"$tools/verify-syms" "$scratch/bad.o" >"$scratch/said" && return 1
	cat "$scratch/said"
	grep -q 'needs getenv' "$scratch/said" &&
		grep -q 'thread-local' "$scratch/said"
}

library_is_patched_and_restored()
{
	copy=$scratch/undone/libc.a
	mkdir "$scratch/undone" && cp "$musl" "$copy" &&
		"$tools/patch-libc-a" "$copy" "$object" &&
		"$tools/patch-libc-a" --check "$copy" || return
	! cmp -s "$musl" "$copy" || return
	! "$tools/patch-libc-a" "$copy" "$object" || return
	"$tools/patch-libc-a" --undo "$copy" && cmp "$musl" "$copy"
}

glibc_is_refused()
{
	copy=$scratch/glibc.a
	cp "$(gcc -print-file-name=libc.a)" "$copy" &&
		! "$tools/patch-libc-a" "$copy" "$object" &&
		cmp "$(gcc -print-file-name=libc.a)" "$copy" &&
		test ! -e "$copy.before-hakmem"
}

# run_program PROGRAM: it works, and it is our malloc that finds its faults
run_program()
{
	test "$(timeout -k 5 120 "$1")" = "done" || return
	timeout -k 5 60 "$1" misuse 2>"$scratch/said"
	test $? -gt 128 && cat "$scratch/said" &&
		grep -q '^hakmem: free(): not the start of an object' \
			"$scratch/said"
}

static_program_runs_on_it()
{
	mkdir -p "$scratch/lib" && cp "$musl" "$scratch/lib/libc.a" &&
		"$tools/patch-libc-a" "$scratch/lib/libc.a" "$object" &&
		$MUSL_CC -static -O1 -fno-builtin -L"$scratch/lib" \
			-o "$scratch/program" "$here/program.c" &&
		run_program "$scratch/program"
}

# Against the system's headers, as musl's own Makefile would compile it
folder_compiles_as_musl_does()
{
	"$tools/musl-malloc-dir" "$scratch/tree" "$scratch/hakmem" || return
	headers=$(printf '#include <stdlib.h>\n' | $MUSL_CC -E - |
		sed -n 's|^# .*"\(/.*\)/stdlib\.h".*|\1|p' | head -n 1)
	(
		cd "$scratch/hakmem" &&
		$MUSL_CC -std=c99 -ffreestanding -nostdinc \
			-isystem "$headers" -O2 -fPIC -Wall -Werror -c ./*.c &&
			ld -r -o all.o ./*.o && nm -g all.o
	) >"$scratch/names" || { cat "$scratch/names"; return 1; }
	! readelf -sW "$scratch/hakmem/all.o" |
		grep -E 'GLOBAL +DEFAULT +[0-9]' |
		grep -vwE 'aligned_alloc|malloc_usable_size' &&
		! grep -w __libc_calloc "$scratch/names"
}

musl_builds_with_it()
{
	cp -r "$MUSL_SOURCE" "$scratch/musl" && (
		cd "$scratch/musl" &&
		"$tools/musl-malloc-dir" "$scratch/tree" src/malloc/hakmem &&
		./configure --with-malloc=hakmem --prefix="$scratch/root" &&
		make && make install
	) >"$scratch/said" 2>&1 || { tail -n 20 "$scratch/said"; return 1; }
	"$scratch/root/bin/musl-gcc" -static -O1 -fno-builtin \
		-o "$scratch/static" "$here/program.c" &&
		run_program "$scratch/static" &&
		"$scratch/root/bin/musl-gcc" -O1 -fno-builtin \
			-Wl,--dynamic-linker="$scratch/root/lib/libc.so" \
			-o "$scratch/dynamic" "$here/program.c" &&
		run_program "$scratch/dynamic"
}

run_case()
{
	if [ "$1" = musl_builds_with_it ] && [ -z "$MUSL_SOURCE" ]; then
		tap_skip "$1" "no MUSL_SOURCE"
	elif "$1" >"$scratch/verdict" 2>&1; then
		tap_pass "$1"
	else
		tap_fail "$1"
		tap_notes <"$scratch/verdict"
	fi
}

if ! command -v "$MUSL_CC" >/dev/null; then
	echo "KTAP version 1"
	echo "1..0 # SKIP no $MUSL_CC; 'make setup-cross' brings it"
	exit 4
fi

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
object=$scratch/tree/hakmem-libc.o
musl=$(echo 'int main(void) { return 0; }' |
	$MUSL_CC -static -x c -Wl,-t -o "$scratch/none" - |
	sed -n 's|^(\{0,1\}\(/.*/libc\.a\).*|\1|p' | head -n 1)

glob=${1:-*}
set --
for name in object_is_fit other_object_is_not_fit \
	object_that_reads_the_environment_is_not_fit \
	library_is_patched_and_restored glibc_is_refused \
	static_program_runs_on_it folder_compiles_as_musl_does \
	musl_builds_with_it; do
	tap_matches libc "$name" "$glob" && set -- "$@" "$name"
done
tap_plan $#
build_object >"$scratch/built" 2>&1 || {
	tap_notes <"$scratch/built"
	exit 1
}
for name in "$@"; do
	run_case "$name"
done
tap_end
