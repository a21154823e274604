# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
#
# For matrix.sh and cross.sh to read in.

# report_one NAME: run test_one NAME; prints one line, and leaves the log only
# of a failure. Uses scratch, sets tree.
report_one()
{
	tree=$scratch/$(echo "$1" | tr : -)
	mkdir -p "$tree"
	begin=$(date +%s)
	word=FAIL
	verdict=1
	test_one "$1" >"$tree.log" 2>&1 &&
		! grep -q '^0 passed, ' "$tree.log" && word=ok && verdict=0
	said=$(grep -E '^[0-9]+ passed, ' "$tree.log" | tail -n 1)
	printf '%-4s %-24s %4s s  %s\n' $word "$1" \
		$(($(date +%s) - begin)) "${said:-did not get to the tests}"
	rm -rf "$tree"
	test $verdict = 1 || rm -f "$tree.log"
	return $verdict
}
