#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Shell scripts run in any POSIX sh unless they ask for bash, and may be
# executed.
set -u

verdict=0
# A file without #! is for others to read in.
scripts=$(find tools selftests .ci -type f \( -name '*.sh' -o -path .ci/run \) \
	2>/dev/null)
# What is filled in when it is installed is a script before that, too.
templates=$(grep -rlx --include='*.in' '#!/bin/sh' tools)
for script in $scripts $templates; do
	if head -n 1 "$script" | grep -q 'bash$'; then
		! command -v bash >/dev/null || bash -n "$script" || verdict=1
	else
		sh -n "$script" || verdict=1
	fi
done
for script in $scripts; do
	test -x "$script" || ! grep -q '^#!' "$script" || {
		echo "$script: not executable"
		verdict=1
	}
done
if command -v shellcheck >/dev/null; then
	shellcheck -x -S warning -f gcc $scripts $templates || verdict=1
fi
exit $verdict
