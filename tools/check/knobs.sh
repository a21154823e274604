#!/bin/sh
# SPDX-License-Identifier: MIT
#
# README.md's table of knobs against the table in mm/knobs.c: the same
# variables in the same order, with the same values, defaults and meanings.
set -u

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# An entry is KNOB("NAME", min, max, default, "text" "more of it"), on any
# number of lines
awk '
/KNOB\("/	{ entry = ""; inside = 1 }
inside		{ sub(/^[ \t]+/, ""); entry = entry $0 " " }
inside && /\),$/ { inside = 0; print entry }
' mm/knobs.c |
sed -E 's/" +"//g
	s/^KNOB\("([^"]*)", ([^"]*)"([^"]*)"\), $/\1, \2\3/' |
awk -F ', ' '{
	help = substr($0, length($1 $2 $3 $4) + 4 * length(FS) + 1)
	printf "| `%s` | %s … %s | %s | %s |\n", $1, $2, $3, $4, help
}' >"$scratch/code"
grep '^| `HAKMEM_' README.md >"$scratch/README.md"

test -s "$scratch/code" || {
	echo "mm/knobs.c: no KNOB(...) found"
	exit 1
}
cd "$scratch" && diff -u README.md code && exit
echo "README.md: the table of knobs is not that of mm/knobs.c (+)"
exit 1
