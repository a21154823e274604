#!/bin/sh
# SPDX-License-Identifier: MIT
#
# count.sh [-g 1|update]: instructions of the allocator per malloc and free, by
# valgrind's callgrind. 'make bench-count' calls it.
#
# A work runs twice, with N pairs and with 2 N; the difference, without what the
# benchmark and the dynamic loader do themselves, is what N pairs cost. Nothing
# is given back by the clock, and ACE does not learn, so that the figures depend
# on the compiler and the configuration only.
#
# -g 1 measures HAKMEM alone and fails when a figure is more than 3 % above
# the one in the file "counts", -g update writes that file. Environment:
# objtree, CC, KCONFIG_CONF, PEERS as for compare.sh.

set -u

here=$(cd "$(dirname "$0")" && pwd)
srctree=$(cd "$here/../.." && pwd)
: "${objtree:=$srctree}" "${CC:=gcc}" "${KCONFIG_CONF:=kconfig-conf}"
export objtree srctree
counts=$here/counts
tolerance=3

die()
{
	echo "bench-count: $*" >&2
	exit 1
}

skip()
{
	echo "bench-count: skipped: $*"
	exit 0
}

# The command line of a work with N units of 100 thousand pairs
command_of()
{
	case $1 in
	hot) echo "pingpong 64 64 $(($2 * 100000))" ;;
	pingpong) echo "pingpong 16 1024 $(($2 * 100000))" ;;
	*) echo "free_order $1 $2 100000" ;;
	esac
}

# Three sums for one run: in all the allocator, in malloc, in free
count_run()
{
	# What a clock decides would differ from run to run.
	# shellcheck disable=SC2046 # a list of words
	env HAKMEM_DECAY_MS=60000 HAKMEM_ACE_ENABLED=0 \
		${path:+"LD_PRELOAD=$path"} valgrind --tool=callgrind -q \
		--callgrind-out-file="$scratch/callgrind" \
		"$objtree/tools/bench/"$(command_of "$1" "$2") \
		>"$scratch/out" 2>&1 || {
		cat "$scratch/out" >&2
		die "$allocator: $1 failed under valgrind"
	}
	awk -v library="$library" -f "$here/callgrind.awk" "$scratch/callgrind"
}

# Instructions per pair: in all, in malloc, in free
count_work()
{
	units=4
	echo "$(count_run "$1" $units) $(count_run "$1" $((2 * units)))" |
		awk -v pairs=$((units * 100000)) '{
		for (i = 1; i <= 3; i++)
			printf "%.2f%s", ($(i + 3) - $i) / pairs,
			       i < 3 ? " " : "\n"
	}'
}

# Where the allocator named by NAME=PATH will be found at run time
locate()
{
	allocator=${1%%=*}
	path=${1#*=}
	library=$(readlink -f "${path:-$(ldd "$objtree/tools/bench/pingpong" |
		awk '$1 ~ /^libc\.so/ { print $3 }')}")
}

print_all()
{
	printf '%-10s %-12s %10s %8s %8s\n' work allocator per-pair malloc free
	for work in $works; do
		for candidate in $allocators; do
			locate "$candidate"
			# shellcheck disable=SC2046,SC2183 # three words
			printf '%-10s %-12s %10s %8s %8s\n' "$work" \
				"$allocator" $(count_work "$work")
		done
	done
	echo "malloc and free are the functions of this name alone"
}

# What the figures hold for
surroundings()
{
	echo "# $("$CC" --version | head -n 1), $(uname -m), defconfig"
}

is_defconfig()
{
	cp "$objtree/.config" "$scratch/config" &&
		KCONFIG_CONFIG=$scratch/config "$KCONFIG_CONF" -s \
		--savedefconfig="$scratch/saved" "$srctree/Kconfig" \
		>/dev/null 2>&1 || return 1
	grep -vE '^# (SPDX|Help)' "$srctree/mm/configs/defconfig" |
		cmp -s - "$scratch/saved"
}

measure_own()
{
	locate "hakmem=$objtree/libhakmem.so"
	surroundings
	for work in $works; do
		# shellcheck disable=SC2046,SC2183 # three words
		printf '%-10s %s %s %s\n' "$work" $(count_work "$work")
	done
}

guard()
{
	surroundings | cmp -s - "$scratch/expected" ||
		skip "the figures are for $(cut -c 3- "$scratch/expected")"
	measure_own >"$scratch/measured"
	awk -v tolerance=$tolerance '
	/^#/ { next }
	FNR == NR { expected[$1] = $2; next }
	{
		bad = !($1 in expected) ||
		      $2 > expected[$1] * (1 + tolerance / 100)
		printf "%-10s %8s instructions per pair, committed: %s%s\n",
		       $1, $2, expected[$1], bad ? " - grown" : ""
		failed += bad
	}
	END { exit failed > 0 }
	' "$counts" "$scratch/measured" && return
	die "more than $tolerance % above tools/bench/counts;" \
		"if it must be, 'make bench-count GUARD=update'"
}

mode=print
while getopts g: option; do
	case $option in
	g) mode=$OPTARG ;;
	*) exit 1 ;;
	esac
done

command -v valgrind >/dev/null || skip "no valgrind ('make setup-bench')"

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

works="hot pingpong lifo fifo random"
case $mode in
print)
	allocators=$("$here/compare.sh" -l) || exit 1
	print_all
	;;
update)
	is_defconfig || die "the figures are for defconfig"
	{
		echo "# SPDX-License-Identifier: MIT"
		measure_own
	} >"$scratch/counts"
	mv "$scratch/counts" "$counts"
	cat "$counts"
	;;
*)
	is_defconfig || skip "the figures are for defconfig"
	sed -n 2p "$counts" >"$scratch/expected"
	guard
	;;
esac
