#!/bin/sh
# SPDX-License-Identifier: MIT
#
# README.md's table of knobs against those that the sources define, the table in
# mm/knobs.c first: the same variables in the same order, with the same values,
# defaults and meanings.
set -u

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# An entry is KNOB("NAME", min, max, default, "text" "more of it"), on any
# number of lines; a knob outside of the table ends with a semicolon. One of
# words is KNOB_WORDS("NAME", "word word", 0, "text"), the first the default
sources=$(find mm -name '*.c' ! -path mm/knobs.c | LC_ALL=C sort)
# shellcheck disable=SC2086 # a list of words
awk '
/KNOB(_WORDS)?\("/	{ entry = ""; inside = 1 }
inside		{ sub(/^[ \t]+/, ""); entry = entry $0 " " }
inside && /\)[,;]$/ { inside = 0; print entry }
' mm/knobs.c $sources |
sed -E 's/" +"//g
	s/^KNOB_WORDS\("(.*)", "([^ "]*)([^"]*)", 0, /KNOB("\1", \2\3, , \2, /
	s/^KNOB\("([^"]*)", ([^"]*)"([^"]*)"\)[,;] $/\1, \2\3/' |
awk -F ', ' '{
	help = substr($0, length($1 $2 $3 $4) + 4 * length(FS) + 1)
	gsub(/ /, ", ", $2)
	values = $3 == "" ? $2 : $2 " … " $3
	printf "| `%s` | %s | %s | %s |\n", $1, values, $4, help
}' >"$scratch/code"
grep '^| `HAKMEM_' README.md >"$scratch/README.md"

test -s "$scratch/code" || {
	echo "mm: no KNOB(...) found"
	exit 1
}
cd "$scratch" && diff -u README.md code && exit
echo "README.md: the table of knobs is not that of the sources (+)"
exit 1
