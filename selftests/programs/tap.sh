# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# KTAP output and kselftest's exit codes for tests that are shell scripts

tap_passed=0
tap_failed=0
tap_skipped=0

# tap_matches SUITE CASE GLOB: the glob is for SUITE.CASE or either of them
tap_matches()
{
	# shellcheck disable=SC2254
	case $1 in
	$3) return 0 ;;
	esac
	# shellcheck disable=SC2254
	case $2 in
	$3) return 0 ;;
	esac
	# shellcheck disable=SC2254
	case $1.$2 in
	$3) return 0 ;;
	esac
	return 1
}

tap_plan()
{
	echo "KTAP version 1"
	[ "$1" -gt 0 ] && echo "1..$1" && return
	echo "1..0 # SKIP no case matches"
	exit 4
}

tap_number()
{
	echo $((tap_passed + tap_failed + tap_skipped))
}

tap_pass()
{
	tap_passed=$((tap_passed + 1))
	echo "ok $(tap_number) $1"
}

tap_fail()
{
	tap_failed=$((tap_failed + 1))
	echo "not ok $(tap_number) $1"
}

tap_skip()
{
	tap_skipped=$((tap_skipped + 1))
	echo "ok $(tap_number) $1 # SKIP $2"
}

# Diagnostics from standard input
tap_notes()
{
	sed 's/^/# /'
}

tap_end()
{
	echo "# Totals: pass:$tap_passed fail:$tap_failed" \
		"skip:$tap_skipped total:$(tap_number)"
	[ $tap_failed -eq 0 ] || exit 1
	[ $tap_passed -gt 0 ] || exit 4
	exit 0
}
