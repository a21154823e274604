#!/bin/sh
# SPDX-License-Identifier: MIT
#
# program.sh missing|prepare|run NAME [FOLDER]: a real program as a work.
#
# programs/NAME.work has a line "# needs:" with the programs without which it
# cannot run, and defines prepare(), which makes its input, and work(), which
# is measured; both are called in FOLDER. A work may print its own line
# "Throughput = N"; else the time of the whole run counts.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
file=$here/programs/$2.work
export LC_ALL=C

# shellcheck source=/dev/null
case $1 in
missing)
	for program in $(sed -n 's/^# needs: //p' "$file"); do
		command -v "$program" >/dev/null || echo "$program"
	done
	;;
prepare)
	cd "$3"
	. "$file"
	prepare
	;;
run)
	cd "$3"
	. "$file"
	work
	;;
*)
	echo "usage: program.sh missing|prepare|run NAME [FOLDER]" >&2
	exit 1
	;;
esac
