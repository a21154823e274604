#!/bin/sh
# SPDX-License-Identifier: MIT
#
# all.sh [SRCTREE]: run every check of this folder; print what fails.
set -u

cd "${1:-.}" || exit 1
failed=
for check in tools/check/*.sh; do
	test "$check" = tools/check/all.sh && continue
	"$check" || failed="$failed ${check##*/}"
done

test -z "$failed" && exit 0
echo "check: failed:$failed" >&2
exit 1
