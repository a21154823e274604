#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run one command under several allocators, interleaved round by round, so
# that whatever else the machine does falls on all of them alike.

set -u

usage()
{
	cat <<'EOF'
usage: tools/bench/compare.sh [-r ROUNDS] [-a NAME=PATH]... [WHAT...]
  -r ROUNDS     how often each allocator runs, 5 unless told
  -a NAME=PATH  an allocator to preload; an empty PATH is libc's own.
		Without any -a: glibc, hakmem, jemalloc, mimalloc, tcmalloc,
		those that are found.
WHAT is larson, which it is unless told, or random_mixed, each with arguments of
its own or those of the README's tables; or any command.
The rate is the number in the line "Throughput = N", or runs per second if there
is none. Ratios are of medians, to the first allocator. objtree is the
environment's, else the source tree.
EOF
}

die()
{
	echo "compare: $*" >&2
	exit 1
}

# One line a run: name, rate, peak KiB
run_once()
{
	name=${1%%=*}
	path=${1#*=}
	shift
	began=$(date +%s.%N)
	$measure env ${path:+"LD_PRELOAD=$path"} "$@" >"$scratch/out" 2>&1 ||
		{ cat "$scratch/out" >&2; die "$name: the command failed"; }
	ended=$(date +%s.%N)
	if grep -q 'ERROR: ld.so' "$scratch/out"; then
		die "$name: cannot preload $path"
	fi
	rate=$(awk '$1 == "Throughput" && $2 == "=" { print $3; exit }' \
		"$scratch/out")
	[ -n "$rate" ] ||
		rate=$(awk "BEGIN { print 1 / ($ended - $began) }")
	echo "$name $rate $(cat "$scratch/peak" 2>/dev/null || echo 0)"
}

report()
{
	sort -k1,1 -k2,2g "$scratch/runs" | awk -v order="$names" '
	{
		n[$1]++
		rate[$1, n[$1]] = $2
		if ($3 > peak[$1])
			peak[$1] = $3
	}
	END {
		printf "%-12s %14s %14s %9s %6s\n", "allocator",
		       "best", "median", "peak MiB", "ratio"
		count = split(order, name, " ")
		for (i = 1; i <= count; i++) {
			a = name[i]
			low = int((n[a] + 1) / 2)
			high = int(n[a] / 2) + 1
			median = (rate[a, low] + rate[a, high]) / 2
			if (i == 1)
				base = median
			form = median < 1000 ? "%14.3f" : "%14.0f"
			printf "%-12s " form " " form " %9s %6.2f\n", a,
			       rate[a, n[a]], median, peak[a] ? \
			       sprintf("%.1f", peak[a] / 1024) : "-",
			       median / base
		}
	}'
}

# Compare one command.
compare()
{
	: >"$scratch/runs"
	round=0
	while [ $round -lt "$rounds" ]; do
		round=$((round + 1))
		for allocator in $allocators; do
			run_once "$allocator" "$@" >>"$scratch/runs"
		done
	done
	printf '\n%s\n' "$*" | sed "s,^$objtree/tools/bench/,,"
	report
}

# The sizes of the seed report, of what lies between its tiers and above, with
# about 100 MiB of blocks at most.
random_mixed()
{
	for sizes in "10000000 8192 16 64" "10000000 8192 16 128" \
		"10000000 8192 16 256" "5000000 8192 1025 8191" \
		"500000 192 32768 2097152"; do
		# shellcheck disable=SC2086 # a list of arguments
		compare "$objtree/tools/bench/random_mixed" $sizes 12345
	done
}

objtree=${objtree:-$(cd "$(dirname "$0")/../.." && pwd)}
rounds=5
allocators=

while getopts r:a:h option; do
	case $option in
	r) rounds=$OPTARG ;;
	a) allocators="$allocators $OPTARG" ;;
	h) usage; exit 0 ;;
	*) usage >&2; exit 1 ;;
	esac
done
shift $((OPTIND - 1))

if [ -z "$allocators" ]; then
	allocators="glibc="
	libdir=/usr/lib/$(${CC:-gcc} -print-multiarch 2>/dev/null)
	for candidate in "hakmem=$objtree/libhakmem.so" \
		"jemalloc=$libdir/libjemalloc.so.2" \
		"mimalloc=$libdir/libmimalloc.so.2.0" \
		"tcmalloc=$libdir/libtcmalloc_minimal.so.4"; do
		[ -f "${candidate#*=}" ] && allocators="$allocators $candidate"
	done
fi

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

measure=
if [ -x /usr/bin/time ]; then
	measure="/usr/bin/time -q -f %M -o $scratch/peak"
else
	echo "compare: no /usr/bin/time (Debian: time), no peak RSS" >&2
fi

names=
for allocator in $allocators; do
	[ "${allocator#*=}" != "$allocator" ] || die "-a takes NAME=PATH"
	[ -z "${allocator#*=}" ] || [ -f "${allocator#*=}" ] ||
		die "no ${allocator#*=}"
	names="$names ${allocator%%=*}"
done

what=${1:-larson}
if [ "$what" = random_mixed ] && [ $# -eq 1 ]; then
	random_mixed
	exit
fi
[ $# -gt 1 ] || [ "$what" != larson ] || set -- larson 1 8 128 1024 1 12345 4
case $what in
larson|random_mixed)
	shift
	set -- "$objtree/tools/bench/$what" "$@"
	;;
esac
compare "$@"
