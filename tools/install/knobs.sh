#!/bin/sh
# SPDX-License-Identifier: MIT
#
# knobs.sh SRCTREE: the knobs that the sources define, the table in mm/knobs.c
# first, one to a line: NAME, values, default, help, with tabs between them. The
# values are a range, 0..1, or words, abort|ignore.
set -eu
cd "$1"

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
	awk -F '"' -v OFS='\t' '{
		gsub(/" +"/, "")
		help = $(NF - 1)
		if ($1 ~ /WORDS/) {
			initial = values = $4
			sub(/ .*/, "", initial)
			gsub(/ /, "|", values)
		} else {
			split($3, number, ", ")
			values = number[2] ".." number[3]
			initial = number[4]
		}
		print $2, values, initial, help
	}'
