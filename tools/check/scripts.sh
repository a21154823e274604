#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Shell scripts run in any POSIX sh, and may be executed.
set -u

verdict=0
# A file without #! is for others to read in.
scripts=$(find tools selftests .ci -type f \( -name '*.sh' -o -path .ci/run \) \
	2>/dev/null)
for script in $scripts; do
	sh -n "$script" || verdict=1
	test -x "$script" || ! grep -q '^#!' "$script" || {
		echo "$script: not executable"
		verdict=1
	}
done
if command -v shellcheck >/dev/null; then
	shellcheck -x -S warning -f gcc $scripts || verdict=1
fi
exit $verdict
