#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Real programs, run once without and once with the library preloaded: what
# they print must be the same. An argument is a glob that selects cases. A case
# is a file NAME.case: its line "# needs:" lists the programs without which it
# is skipped, with a line "# slow" it is left out of quick runs, its standard
# output is compared, and lines it writes to file descriptor 3 become
# diagnostics.
#
# The environment gives srctree and objtree, and may give HAKMEM_LIB, another
# library to preload.

set -u

: "${srctree:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${objtree:=$srctree}"
here=$srctree/selftests/programs
limit=60

# shellcheck source=selftests/programs/tap.sh
. "$here/tap.sh"

# The dynamic loader lists what it would load into PROGRAM and ends there
is_preloaded_into()
{
	LD_TRACE_LOADED_OBJECTS=1 LD_PRELOAD=$library \
		timeout 5 "$1" </dev/null 2>&1 | grep -qF "$library"
}

# run_once VARIANT LIBRARY: both variants see the same paths
run_once()
{
	rm -rf "$scratch/work"
	mkdir "$scratch/work"
	(
		cd "$scratch/work" || exit 1
		unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL V O W Q quiet
		unset KCONFIG_CONFIG CC CXX AR NM OBJCOPY CFLAGS
		export LC_ALL=C TMPDIR="$scratch/work" srctree preload="$2"
		exec env ${2:+"LD_PRELOAD=$2"} timeout -k 5 $limit \
			sh -eu "$here/$name.case" </dev/null \
			>"$scratch/$1.out" 2>"$scratch/$1.err" \
			3>"$scratch/$1.notes"
	)
	status=$?
	[ $status -eq 0 ] && [ -s "$scratch/$1.out" ] && return
	echo "$1: exit status $status"
	tail -n 20 "$scratch/$1.err"
	return 1
}

compare_runs()
{
	run_once plain "" || return 1
	run_once preloaded "$library" || return 1
	if grep -F "ERROR: ld.so" "$scratch/preloaded.err"; then
		return 1
	fi
	cmp -s "$scratch/plain.out" "$scratch/preloaded.out" && return
	echo "the output differs:"
	diff "$scratch/plain.out" "$scratch/preloaded.out" | head -n 20
	return 1
}

run_case()
{
	name=$1
	needs=$(sed -n 's/^# needs: //p' "$here/$name.case")
	for program in $needs; do
		if ! command -v "$program" >/dev/null; then
			tap_skip "$name" "$program not found"
			return
		fi
		if ! is_preloaded_into "$(command -v "$program")"; then
			tap_fail "$name"
			echo "$program does not load $library" | tap_notes
			return
		fi
	done
	if compare_runs >"$scratch/verdict"; then
		tap_pass "$name"
	else
		tap_fail "$name"
	fi
	cat "$scratch/verdict" "$scratch/plain.notes" | tap_notes
}

library=${HAKMEM_LIB:-$objtree/libhakmem.so}
if [ ! -f "$library" ]; then
	echo "Bail out! no $library"
	exit 1
fi
library=$(readlink -f "$library")

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

glob=${1:-*}
set --
for file in "$here"/*.case; do
	name=$(basename "$file" .case)
	test -z "${QUICK-}" || ! grep -qx '# slow' "$file" || continue
	tap_matches programs "$name" "$glob" && set -- "$@" "$name"
done
tap_plan $#
for name in "$@"; do
	run_case "$name"
done
tap_end
