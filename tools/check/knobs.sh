#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The knobs in README.md's table and in the man page hakmem.7 against those that
# the sources define: the same variables in the same order, with the same
# values, defaults and meanings.
set -u

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
verdict=0

# compare FILE: what it says, extracted to the scratch, against the sources
compare()
{
	cmp -s "$scratch/said" "$scratch/wanted" && return
	diff -u --label "$1" --label sources "$scratch/said" "$scratch/wanted"
	echo "$1: the table of knobs is not that of the sources (+)"
	verdict=1
}

tools/install/knobs.sh . >"$scratch/knobs"
test -s "$scratch/knobs" || {
	echo "mm: no KNOB(...) found"
	exit 1
}

awk -F '\t' '{
	sub(/\.\./, " … ", $2)
	gsub(/\|/, ", ", $2)
	printf "| `%s` | %s | %s | %s |\n", $1, $2, $3, $4
}' "$scratch/knobs" >"$scratch/wanted"
grep '^| `HAKMEM_' README.md >"$scratch/said"
compare README.md

# In the man page a knob is the tag of a paragraph, with its values behind it.
awk -F '\t' '{
	sub(/\.\./, " \\(en ", $2)
	gsub(/\|/, " | ", $2)
	printf ".BR %s \" = %s, default %s\"\n%s.\n", $1, $2, $3, $4
}' "$scratch/knobs" >"$scratch/wanted"
grep -A 1 -E '^\.BR HAKMEM_[A-Z_]+ " = .* default' tools/man/hakmem.7 |
	grep -vx -e -- >"$scratch/said"
compare tools/man/hakmem.7
exit $verdict
