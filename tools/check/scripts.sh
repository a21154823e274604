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
for script in $scripts; do
	if head -n 1 "$script" | grep -q 'bash$'; then
		! command -v bash >/dev/null || bash -n "$script" || verdict=1
	else
		sh -n "$script" || verdict=1
	fi
	test -x "$script" || ! grep -q '^#!' "$script" || {
		echo "$script: not executable"
		verdict=1
	}
done
if command -v shellcheck >/dev/null; then
	shellcheck -x -S warning -f gcc $scripts || verdict=1
fi
exit $verdict
