#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run one command under several allocators, interleaved round by round, so
# that whatever else the machine does falls on all of them alike.

set -u

usage()
{
	cat <<'EOF'
usage: tools/bench/compare.sh [OPTION]... [COMMAND [ARGUMENT]...]
  -r ROUNDS     how often each allocator runs, 5 unless told
  -a NAME=PATH  an allocator to preload; an empty PATH is libc's own.
		Without any -a: glibc, hakmem, and the peers, which are those of
		Debian's that are found, or PEERS="NAME=PATH ..." (environment)
  -b            ratios to the best peer, not to the first allocator
  -c CPUS       run on these, a list as for taskset
  -n NAME       a name for the command
  -o FILE       add the runs to FILE: name,allocator,round,rate,peak KiB
  -k            go on when a run fails, with a rate of 0
  -p TEXT       show TEXT and the run on the terminal
  -l            list the allocators, run nothing
COMMAND may be a program of this folder, and is larson unless told. The rate is
the number in the line "Throughput = N", or runs per second if there is none.
"time" is a ratio of medians and "RSS" one of peaks: less is better. objtree is
the environment's, else the source tree; LIMIT the seconds for one run, 300.
EOF
}

die()
{
	echo "compare: $*" >&2
	exit 1
}

progress()
{
	test -z "$progress" || ! test -t 2 || printf '\r\033[K%s' "$*" >&2
}

complain()
{
	progress
	cat "$scratch/out" >&2
	echo "compare: $*" >&2
	test -n "$keep_going" || exit 1
}

# One line a run
run_once()
{
	allocator=${1%%=*}
	path=${1#*=}
	shift
	rate=
	: >"$scratch/peak"
	began=$(date +%s.%N)
	$measure timeout --foreground -k 5 "$limit" \
		env ${path:+"LD_PRELOAD=$path"} "$@" \
		>"$scratch/out" 2>&1 </dev/null || {
		complain "$name: $allocator: the command failed"
		rate=0
	}
	ended=$(date +%s.%N)
	if grep -q 'ERROR: ld.so' "$scratch/out"; then
		complain "$allocator: cannot preload $path"
		rate=0
	fi
	test -n "$rate" || rate=$(awk '
		$1 == "Throughput" && $2 == "=" { print $3; exit }' \
		"$scratch/out")
	test -n "$rate" ||
		rate=$(awk "BEGIN { print 1 / ($ended - $began) }")
	peak=$(tail -n 1 "$scratch/peak")
	echo "$name,$allocator,$round,$rate,${peak:-0}"
}

find_allocators()
{
	libdir=/usr/lib/$(${CC:-gcc} -print-multiarch 2>/dev/null)
	echo "glibc="
	echo "hakmem=$objtree/libhakmem.so"
	if [ -n "${PEERS-}" ]; then
		# shellcheck disable=SC2086 # a list of words
		printf '%s\n' $PEERS
		return
	fi
	for peer in "jemalloc=$libdir/libjemalloc.so.2" \
		"mimalloc=$libdir/libmimalloc.so.2.0" \
		"tcmalloc=$libdir/libtcmalloc_minimal.so.4"; do
		[ ! -f "${peer#*=}" ] || echo "$peer"
	done
}

objtree=${objtree:-$(cd "$(dirname "$0")/../.." && pwd)}
here=$(cd "$(dirname "$0")" && pwd)
limit=${LIMIT:-300}
rounds=5
allocators=
base=first
cpus=
name=
file=
keep_going=
progress=
list=

while getopts r:a:bc:n:o:kp:lh option; do
	case $option in
	r) rounds=$OPTARG ;;
	a) allocators="$allocators $OPTARG" ;;
	b) base=best ;;
	c) cpus=$OPTARG ;;
	n) name=$OPTARG ;;
	o) file=$OPTARG ;;
	k) keep_going=y ;;
	p) progress=$OPTARG ;;
	l) list=y ;;
	h) usage; exit 0 ;;
	*) usage >&2; exit 1 ;;
	esac
done
shift $((OPTIND - 1))

: "${allocators:=$(find_allocators)}"
for allocator in $allocators; do
	[ "${allocator#*=}" != "$allocator" ] ||
		die "'$allocator' is not NAME=PATH"
	[ -z "${allocator#*=}" ] || [ -f "${allocator#*=}" ] ||
		die "no ${allocator#*=}"
	[ -z "$list" ] || echo "$allocator"
done
[ -z "$list" ] || exit 0

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

measure=${cpus:+"taskset -c $cpus"}
if [ -x /usr/bin/time ]; then
	measure="$measure /usr/bin/time -q -f %M -o $scratch/peak"
else
	echo "compare: no /usr/bin/time (Debian: time), no peak RSS" >&2
fi

[ $# -gt 1 ] || [ "${1:-larson}" != larson ] ||
	set -- larson 1 8 128 1024 1 12345 4
# In the file, commas part the columns.
name=$(printf '%s' "${name:-$*}" | tr , ' ')
program=$1
shift
[ ! -x "$objtree/tools/bench/$program" ] ||
	program=$objtree/tools/bench/$program

round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	for allocator in $allocators; do
		progress "$progress: round $round of $rounds," \
			"${allocator%%=*}"
		run_once "$allocator" "$program" "$@" >>"$scratch/runs"
	done
done
progress
awk -v base="$base" -v form=table -f "$here/report.awk" "$scratch/runs"
test -z "$file" || cat "$scratch/runs" >>"$file"
