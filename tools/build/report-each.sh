# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
#
# For matrix.sh and cross.sh to read in: a line for each thing that is built and
# tested, several at a time, and at the end the whole log of those that failed.
#
# The script gives test_one NAME, which works in the folder $tree and returns 4
# if it cannot, its last line saying why. Environment: JOBS.

: "${JOBS:=$(nproc)}"

# report_one NAME: run test_one NAME; prints one line, and leaves the log only
# of a failure. Uses scratch, sets tree.
report_one()
{
	tree=$scratch/$(echo "$1" | tr : -)
	mkdir -p "$tree"
	begin=$(date +%s)
	test_one "$1" >"$tree.log" 2>&1
	case $? in
	0) word=ok ;;
	4) word=skip ;;
	*) word=FAIL ;;
	esac
	test $word != ok || ! grep -q '^0 passed, ' "$tree.log" || word=FAIL
	said=$(grep -E '^[0-9]+ passed, ' "$tree.log" | tail -n 1)
	test $word != skip || said=$(tail -n 1 "$tree.log")
	printf '%-4s %-24s %4s s  %s\n' $word "$1" \
		$(($(date +%s) - begin)) "${said:-did not get to the tests}"
	rm -rf "$tree"
	test $word = FAIL || rm -f "$tree.log"
	test $word != FAIL
}

# report_each WHAT VERDICT NAME...: report_one of each, in processes of this
# script's that have one NAME as argument
report_each()
{
	what=$1
	verdict=$2
	shift 2
	if test -n "${REPORT_SCRATCH-}"; then
		scratch=$REPORT_SCRATCH
		report_one "$1"
		return
	fi
	scratch=$(mktemp -d) || return
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM

	echo "$what: $#, $JOBS at a time"
	printf '%s\n' "$@" |
		REPORT_SCRATCH=$scratch xargs -n 1 -P "$JOBS" "$0"

	failed=0
	for log in "$scratch"/*.log; do
		test -e "$log" || continue
		failed=$((failed + 1))
		printf '\n=== %s\n' "$(basename "$log" .log)"
		cat "$log"
	done
	echo "$what: $(($# - failed)) of $# $verdict"
	test $failed = 0
}
