#!/bin/sh
# SPDX-License-Identifier: MIT
#
# knobs.sh SRCTREE: the knobs that the sources define, the table in mm/knobs.c
# first, one to a line: NAME, least value, greatest value, default, help, with
# tabs between them.
set -eu
cd "$1"

# An entry is KNOB("NAME", min, max, default, "text" "more of it"), on any
# number of lines; a knob outside of the table ends with a semicolon
sources=$(find mm -name '*.c' ! -path mm/knobs.c | LC_ALL=C sort)
# shellcheck disable=SC2086 # a list of words
awk '
/KNOB\("/	{ entry = ""; inside = 1 }
inside		{ sub(/^[ \t]+/, ""); entry = entry $0 " " }
inside && /\)[,;]$/ { inside = 0; print entry }
' mm/knobs.c $sources |
	sed -E -e 's/" +"//g' \
		-e 's/^KNOB\("([^"]*)", ([^"]*)"([^"]*)"\)[,;] $/\1, \2\3/' |
	awk -F ', ' -v OFS='\t' '{
		help = substr($0, length($1 $2 $3 $4) + 4 * length(FS) + 1)
		print $1, $2, $3, $4, help
	}'
