#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Limits of files, functions and lines; a licence in each file; no conditional
# compilation in the allocator's .c files.
set -eu

files()
{
	find include lib mm selftests tools .ci Kconfig Makefile README.md \
		\( -path include/generated -o -path include/config \) -prune \
		-o -type f "$@" -print 2>/dev/null
}

verdict=0
fail()
{
	verdict=1
}

# shellcheck disable=SC2046 # no path here has a space
awk '
function complain(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what
	bad = 1
}

function width(line,	i, column, character)
{
	if (line !~ /\t/)
		return length(line)
	for (i = 1; i <= length(line); i++) {
		character = substr(line, i, 1)
		column += character == "\t" ? 8 - column % 8 : 1
	}
	return column
}

FNR == 1	{ licensed = 0; opened = 0 }
FNR <= 2 && /SPDX-License-Identifier: MIT/ { licensed = 1 }
FNR == 3 && !licensed { complain("no SPDX-License-Identifier: MIT on top") }
FNR == 601	{ complain("more than 600 lines") }
/[ \t]$/	{ complain("space at the end of the line") }
width($0) > 80	{ complain(width($0) " columns, 80 are allowed") }

FILENAME !~ /\.[ch]$/ { next }
/^\{/		{ opened = FNR }
/^}/ && opened {
	if (FNR - opened - 1 > 60)
		complain("a function of " FNR - opened - 1 " lines, 60 are " \
			 "allowed")
	opened = 0
}
/^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)/ && FILENAME ~ /^(lib|mm)\/.*\.c$/ {
	complain("conditional compilation; use a stub or IS_ENABLED()")
}
END { exit bad }
' $(files \( -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' \
	-o -name 'Makefile*' -o -name 'Kconfig*' -o -name '*.map' \
	-o -path '.ci/*' \)) || fail

for file in $(files ! -name '*.png'); do
	test ! -s "$file" || test -z "$(tail -c 1 "$file")" || {
		echo "$file: no newline at the end"
		fail
	}
done
exit $verdict
