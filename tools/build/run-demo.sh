#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run-demo.sh OBJTREE: run a real program with the library preloaded, and let
# it tell at exit what each tier did.
set -eu

library=$1/libhakmem.so
test -e "$library" || { echo "no $library: run 'make'" >&2; exit 1; }
nm -D --defined-only "$library" | grep -q ' malloc\(@\|$\)' || {
	echo "this library does not take over malloc:" \
		"CONFIG_HAKMEM_OVERRIDE is off" >&2
	exit 1
}

python='
import json, sys
words = {}
for i in range(200000):
    words.setdefault(hash((i, i * i)) % 5003, []).append(str(i) * (i % 9))
blob = json.dumps(words) * 4
print("python %s: %d lists, %d bytes of JSON, read back %s" % (
    sys.version.split()[0], len(words), len(blob),
    "right" if len(json.loads(blob[:len(blob) // 4])) == len(words)
    else "WRONG"))
'
perl='
my %words;
push @{$words{$_ * 7919 % 5003}}, "$_" x ($_ % 9) for 1 .. 200000;
my $blob = join ",", map { @{$words{$_}} } sort keys %words;
printf "perl %vd: %d lists, %d bytes\n", $^V, scalar(keys %words), length $blob;
'

# The interpreter itself: a wrapper's many processes would all report.
if real=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null); then
	# Else most of what python allocates comes from arenas of its own.
	export PYTHONMALLOC=malloc
	set -- "$real" -c "$python"
elif command -v perl >/dev/null; then
	set -- perl -e "$perl"
else
	set -- sh -c 'seq 300000 | sort -r | md5sum'
fi

echo "LD_PRELOAD=$library HAKMEM_STATS=1 $1 ..."
exec env LD_PRELOAD="$library" HAKMEM_STATS=1 "$@"
