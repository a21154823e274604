#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run selftest targets one by one in the manner of kselftest: an outer TAP whose
# comments are the targets' own output, and a last line that counts the cases.
#
#	run.sh TARGET...
#
# Environment: srctree, objtree; unconfigured: targets that are not built; CASE:
# only the cases it matches; QUICK: leave slow cases out; TIMEOUT: seconds for
# one target; EMULATOR: what runs the runners, if not this machine.

set -u
: "${srctree:?}" "${objtree:?}" "${unconfigured=}"

# Who is made to die must die by itself. Some of what check allocates is left.
if [ -n "${SANITIZE:-}" ]; then
	plain=handle_segv=0:handle_sigbus=0:handle_abort=0
	plain=$plain:allocator_may_return_null=1
	ASAN_OPTIONS=detect_leaks=0:$plain:${ASAN_OPTIONS-}
	TSAN_OPTIONS=die_after_fork=0:$plain:${TSAN_OPTIONS-}
	: "${CK_TIMEOUT_MULTIPLIER:=8}"
	export ASAN_OPTIONS TSAN_OPTIONS CK_TIMEOUT_MULTIPLIER
fi

# Which block is guarded is chance, and it is like no other.
export HAKMEM_KFENCE_SAMPLE="${HAKMEM_KFENCE_SAMPLE:-0}"

passed=0
failed=0
skipped=0
number=0
failed_to_match=
timeout=${TIMEOUT:-${QUICK:+900}}
timeout=${timeout:-7200}

is_unconfigured()
{
	case " $unconfigured " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

# Prints why a target is left out: for a sanitizer, or for an option that is
# not set, its own or one that it depends on.
why_is_it_out()
{
	option=HAKMEM_SELFTEST_$(echo "$1" | tr '[:lower:]' '[:upper:]')
	grep -qx "CONFIG_$option=y" "$objtree/include/config/auto.conf" &&
		echo "malloc is the sanitizer's" && return
	needs=$(awk -v option="$option" '
		$1 == "config" { found = $2 == option }
		found && $1 == "depends" { print $3 }
		' "$srctree/selftests/Kconfig")
	for need in $needs; do
		grep -qx "CONFIG_$need=y" "$objtree/include/config/auto.conf" ||
			option=$need
	done
	echo "CONFIG_$option is not set"
}

# Prints the counts of one target's log: pass fail skip. A runner of ours says
# them itself; a script's are counted from its TAP, where a test that was
# planned and did not report counts as failed.
count_cases()
{
	awk '
	/^# Totals: pass:[0-9]+ fail:[0-9]+ skip:[0-9]+ / {
		split($0, part, /[: ]+/)
		said = part[4] " " part[6] " " part[8]
	}
	/^1\.\.[0-9]+/ { split($1, part, /\.\./); plan = part[2] }
	/^not ok/ { fail++; next }
	/^ok.*# [Ss][Kk][Ii][Pp]/ { skip++; next }
	/^ok/ { pass++ }
	END {
		if (said != "") {
			print said
			exit
		}
		missing = plan - pass - fail - skip
		print pass + 0, fail + (missing > 0 ? missing : 0), skip + 0
	}' "$1"
}

# Prints what follows "ok" or "not ok" for the exit code of a target.
verdict()
{
	case $1 in
	4) echo ' # SKIP' ;;
	124|137) echo " # TIMEOUT $timeout seconds" ;;
	0) ;;
	*) echo " # exit=$1" ;;
	esac
}

# Leaves the target's output in its log and its exit code in $code.
run_target()
{
	target=$1
	log=$objtree/selftests/$target/log

	mkdir -p "$objtree/selftests/$target"
	if [ -e "$srctree/selftests/$target/run.sh" ]; then
		set -- sh "$srctree/selftests/$target/run.sh" ${CASE:+"$CASE"}
	else
		# shellcheck disable=SC2086 # the words of the emulator
		set -- ${EMULATOR-} \
			"$objtree/selftests/$target/${target}_test" \
			${QUICK:+--quick} ${CASE:+"$CASE"}
	fi
	{
		timeout -k 10 "$timeout" "$@" < /dev/null 2>&1
		echo $? > "$log.code"
	} | tee "$log" | sed -u 's/^/# /'
	read -r code < "$log.code"
	rm -f "$log.code"
}

# Adds the cases of the target that ran to the counts. A target that failed
# without naming a case, as one that crashed, counts as one failed case; one
# that skipped itself as one skipped, unless CASE was just not for it.
# Returns whether all is well.
add_cases()
{
	counts=$(count_cases "$log")
	# shellcheck disable=SC2086
	set -- $counts
	case $code in
	0) ;;
	4) [ "$3" -gt 0 ] || [ -n "${CASE:-}" ] || set -- "$1" "$2" 1 ;;
	*) [ "$2" -gt 0 ] || set -- "$1" 1 "$3" ;;
	esac
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
	[ "$2" -eq 0 ]
}

echo "TAP version 13"
echo "1..$#"

for target; do
	number=$((number + 1))
	echo "# selftests: $target"
	if is_unconfigured "$target"; then
		echo "ok $number selftests: $target" \
			"# SKIP $(why_is_it_out "$target")"
		skipped=$((skipped + 1))
		continue
	fi
	run_target "$target"
	word=ok
	add_cases || word="not ok"
	echo "$word $number selftests: $target$(verdict "$code")"
done

if [ -n "${CASE:-}" ] && [ $((passed + failed + skipped)) -eq 0 ]; then
	echo "# no case matches '$CASE'"
	failed_to_match=1
fi
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ -z "$failed_to_match" ]
