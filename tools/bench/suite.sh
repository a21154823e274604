#!/bin/sh
# SPDX-License-Identifier: MIT
#
# suite.sh: measure the works of the file "works" with compare.sh, one after the
# other, and sum up. 'make bench' calls it.
#
# Environment: objtree; WORK: which works, all unless told; ROUNDS, 5; PEERS:
# "NAME=PATH ..."; CPUS: as for taskset, the first two allowed ones unless told;
# RESULTS: the folder to write runs.csv, results.csv, summary.txt and, with
# gnuplot, time.svg and rss.svg into, $objtree/bench.

set -u

here=$(cd "$(dirname "$0")" && pwd)
: "${objtree:=$(cd "$here/../.." && pwd)}" "${ROUNDS:=5}" "${WORK=}"
: "${RESULTS:=$objtree/bench}" "${CPUS=}"
export objtree
runs=$RESULTS/runs.csv

die()
{
	echo "bench: $*" >&2
	exit 1
}

# The lines "name program arguments" of the works that WORK selects
select_works()
{
	sed -E 's/#.*//; /^[[:space:]]*$/d' "$here/works" |
		awk -v wanted="$WORK" '
	BEGIN {
		n = split(wanted, list, " ")
		for (i = 1; i <= n; i++)
			want[list[i]] = 1
	}
	{
		family = $1
		sub(/-.*/, "", family)
		if (!n || $1 in want || family in want)
			print
		used[$1] = used[family] = 1
	}
	END {
		for (i = 1; i <= n; i++) {
			if (list[i] in used)
				continue
			print "bench: no work " list[i] >"/dev/stderr"
			exit 1
		}
	}'
}

first_cpus()
{
	taskset -cp $$ | sed 's/.*: //' | tr , '\n' | awk -F - '
	{
		for (cpu = $1; cpu <= $NF && n < 2; cpu++)
			list = list (n++ ? "," : "") cpu
	}
	END { print list }'
}

compare()
{
	"$here/compare.sh" -b -k -r "$ROUNDS" -n "$name" -o "$runs" \
		-p "$place $name" ${CPUS:+-c "$CPUS"} "$@"
}

# A real program, unless something of it is missing here
run_program()
{
	missing=$("$here/program.sh" missing "$name" | tr '\n' ' ')
	if [ -n "$missing" ]; then
		printf '\n%s\nskipped, not found: %s\n' "$name" "$missing"
		return
	fi
	mkdir "$scratch/$name"
	"$here/program.sh" prepare "$name" "$scratch/$name" ||
		die "$name: cannot prepare its input"
	compare "$here/program.sh" run "$name" "$scratch/$name"
	rm -rf "${scratch:?}/$name"
}

plot()
{
	command -v gnuplot >/dev/null || {
		echo "no gnuplot (Debian: gnuplot-nox), no plots"
		return
	}
	for column in time rss; do
		awk -v base=best -v form=matrix -v column=$column \
			-f "$here/report.awk" "$runs" >"$scratch/matrix"
		gnuplot -e "matrix = '$scratch/matrix'; column = '$column'" \
			"$here/plot.gp" >"$RESULTS/$column.svg" ||
			die "gnuplot failed"
	done
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

select_works >"$scratch/works" || exit 1
[ -n "$CPUS" ] || ! command -v taskset >/dev/null || CPUS=$(first_cpus)
allocators=$("$here/compare.sh" -l) || exit 1
mkdir -p "$RESULTS" || exit 1
echo "work,allocator,round,rate,peak_kib" >"$runs"

echo "$ROUNDS rounds on CPU ${CPUS:-any}" \
	"($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1))," \
	"Linux $(uname -r)"
echo "$allocators"
count=$(wc -l <"$scratch/works")
done=0
while read -r name program arguments; do
	done=$((done + 1))
	place="[$done/$count]"
	[ -t 2 ] || echo "$place $name" >&2
	if [ "$program" = program ]; then
		run_program
	else
		# shellcheck disable=SC2086 # a list of words
		compare "$program" $arguments
	fi
done <"$scratch/works"

awk -v base=best -v form=csv -f "$here/report.awk" "$runs" \
	>"$RESULTS/results.csv"
awk -v base=best -v form=summary -f "$here/report.awk" "$runs" |
	tee "$RESULTS/summary.txt"
plot
echo "in $RESULTS: $(cd "$RESULTS" && echo *)"
! grep -q ',hakmem,[0-9]*,0,' "$runs" || die "hakmem failed"
