#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run larson many times on the preloaded library and count the successes.
# A run succeeds when it exits with 0 and prints its throughput.

set -u

usage()
{
	cat <<'EOF'
usage: tools/stability.sh [-n RUNS] [-s SECONDS] [-t LIMIT] [-l LIBRARY]
			  [-b LARSON] [MIN MAX CHUNKS ROUNDS SEED THREADS]
  -n RUNS     how many runs, 100 unless told
  -s SECONDS  length of one run, 10 unless told
  -t LIMIT    seconds after which a run counts as hung, SECONDS + 60
  -l LIBRARY  what to preload, $objtree/libhakmem.so
  -b LARSON   the benchmark, $objtree/tools/bench/larson
The six arguments that follow larson's SECONDS are 8 128 1024 1 12345 4
unless given. objtree is the environment's, else the source tree.
EOF
}

die()
{
	echo "stability: $*" >&2
	exit 1
}

# No name of the malloc family may be left for libc to provide
check_imports()
{
	imports=$(nm -D --undefined-only "$library" | awk '{
		name = $NF
		sub(/@.*/, "", name)
		sub(/^__libc_/, "", name)
		print name
	}' | grep -xE "$family") || return 0
	echo "$imports" | sed 's/^/imported from libc: /'
	return 1
}

# libc's malloc lives in the brk heap; a program on ours never has one
check_heap()
{
	maps=$(LD_PRELOAD=$library cat /proc/self/maps) || return 1
	if ! echo "$maps" | grep -qF "$library"; then
		echo "not preloaded: $library"
		return 1
	fi
	if echo "$maps" | grep -F '[heap]'; then
		echo "libc's heap is in use"
		return 1
	fi
}

run_once()
{
	LD_PRELOAD=$library timeout -k 5 "$limit" "$larson" "$seconds" "$@" \
		>"$output" 2>&1
	status=$?
	[ $status -eq 0 ] &&
		grep -q '^Throughput = [0-9]* operations per second' "$output"
}

family='malloc|free|calloc|realloc|reallocarray|aligned_alloc|posix_memalign'
family="$family|memalign|valloc|pvalloc|malloc_usable_size|free_sized"
family="$family|free_aligned_sized|cfree|malloc_trim|malloc_stats|malloc_info"
family="$family|mallinfo|mallinfo2|mallopt"

objtree=${objtree:-$(cd "$(dirname "$0")/.." && pwd)}
runs=100
seconds=10
limit=
library=$objtree/libhakmem.so
larson=$objtree/tools/bench/larson

while getopts n:s:t:l:b:h option; do
	case $option in
	n) runs=$OPTARG ;;
	s) seconds=$OPTARG ;;
	t) limit=$OPTARG ;;
	l) library=$OPTARG ;;
	b) larson=$OPTARG ;;
	h) usage; exit 0 ;;
	*) usage >&2; exit 1 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- 8 128 1024 1 12345 4
[ $# -eq 6 ] || { usage >&2; exit 1; }
[ "$runs" -gt 0 ] || die "RUNS must be a number above 0"
[ -f "$library" ] || die "no $library; run make, or name one with -l"
[ -x "$larson" ] || die "no $larson; run make, or name one with -b"
limit=${limit:-$((seconds + 60))}
library=$(readlink -f "$library")

output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
trap 'exit 1' INT TERM

failed=0
check_imports || failed=1
check_heap || failed=1

successes=0
run=0
while [ $run -lt "$runs" ]; do
	run=$((run + 1))
	if run_once "$@"; then
		successes=$((successes + 1))
		continue
	fi
	[ $((run - successes)) -gt 1 ] && continue
	echo "run $run failed first, with status $status:"
	sed 's/^/  /' "$output"
done

echo "$successes of $runs"
[ $successes -eq "$runs" ] && [ $failed -eq 0 ]
