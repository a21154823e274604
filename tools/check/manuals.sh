#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The man pages against what they describe: the functions of hakmem.h, the
# options of the programs, the version.
set -u

verdict=0

# complain PAGE: standard input are words that are only in the page, with "<"
# in front, or only in what it describes, with ">"
complain()
{
	lines=$(sed -n "s|^< |$1: no such thing: |p; s|^> |$1: lacks |p")
	test -n "$lines" || return
	echo "$lines"
	verdict=1
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

grep -oE '\<hak_[a-z0-9_]+\(' include/hakmem.h | sort -u >"$scratch/there"
sed -n '/^.SH SYNOPSIS/,/^.SH DESCRIPTION/p' tools/man/hakmem.3 |
	grep -oE '\<hak_[a-z0-9_]+\(' | sort -u >"$scratch/said"
complain hakmem.3 <<EOT
$(diff "$scratch/said" "$scratch/there")
EOT

for program in hakmem-run hakmem-config; do
	sed -n '/^usage()/,/^}/p' "tools/install/$program.in" |
		grep -oE -- '--[a-z-]+' | sort -u >"$scratch/there"
	grep -A 1 -x '\.TP' "tools/man/$program.1" | sed 's/\\-/-/g' |
		grep -oE -- '--[a-z-]+' | sort -u >"$scratch/said"
	complain "$program.1" <<-EOT
	$(diff "$scratch/said" "$scratch/there")
	EOT
done

version=$(sed -n 's/^#define HAKMEM_VERSION[ 	]*"\(.*\)"/\1/p' \
	include/hakmem.h)
for page in tools/man/*; do
	grep -q "^\.TH .* \"HAKMEM $version\" " "$page" || {
		echo "$page: not of version $version"
		verdict=1
	}
done
exit $verdict
