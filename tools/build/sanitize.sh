#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sanitize.sh [KIND...]: build with one of the compilers' tools, run what it
# can look at, and say for each whether it found anything. There is no list of
# things to overlook.
#
#	thread	ThreadSanitizer: threads that exchange blocks, magazines
#	address	AddressSanitizer and UBSan: the allocator's own records
#	m32	32 bits: random operations, and the benchmarks
#	fuzz	libFuzzer over the same operations; not among the default
#
# Environment: SECONDS_EACH: of fuzz and m32.

set -u

srctree=$(cd "$(dirname "$0")/../.." && pwd)
: "${SECONDS_EACH:=60}"

# What an outer make exports would be taken for ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
unset KCONFIG_CONFIG O W V Q CASE QUICK TARGETS objtree quiet CC CXX
unset SANITIZE KCFLAGS KCPPFLAGS KLDFLAGS

: "${CK_TIMEOUT_MULTIPLIER:=10}"
export CK_TIMEOUT_MULTIPLIER
export TSAN_OPTIONS=halt_on_error=1
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# build COMPILER [VARIABLE=VALUE | GOAL...]
build()
{
	compiler=$1
	shift
	make -s -j"$(nproc)" -C "$srctree" O="$tree" CC="$compiler" "$@"
}

# can COMPILER FLAGS: does it link a program?
can()
{
	command -v "$1" >/dev/null || return
	# shellcheck disable=SC2086 # a list of words
	echo 'int main(void) { return 0; }' |
		$1 $2 -x c -o "$scratch/can" - 2>/dev/null
}

try_thread()
{
	can clang -fsanitize=thread || return 4
	build clang defconfig || return
	build clang SANITIZE=thread TARGETS="cache stress" selftests || return
	build clang SANITIZE=thread TARGETS=api CASE=stress selftests
}

try_address()
{
	can clang -fsanitize=address,undefined || return 4
	build clang debug_defconfig || return
	build clang SANITIZE=address,undefined \
		TARGETS="lib registry cache tiny mid large stress" selftests
}

try_m32()
{
	can gcc -m32 || return 4
	build gcc defconfig || return
	build gcc KCFLAGS=-m32 KLDFLAGS=-m32 all benchmarks \
		soak MINUTES=0 SEED=1 || return
	for seed in 2 3 4 5 6 7 8; do
		"$tree/selftests/stress/soak/soak" 0 $seed || return
	done
	LD_PRELOAD=$tree/libhakmem.so "$tree/tools/bench/larson" \
		2 8 1000 100 10 1 4
}

try_fuzz()
{
	flags=-fsanitize=fuzzer-no-link
	can clang $flags || return 4
	build clang debug_defconfig || return
	build clang SANITIZE=undefined KCFLAGS=$flags fuzzer || return
	mkdir -p "$scratch/corpus"
	"$tree/selftests/stress/fuzz/replay_fuzz" -max_len=16384 \
		-len_control=0 -timeout=60 -rss_limit_mb=8192 \
		-max_total_time="$SECONDS_EACH" -print_final_stats=1 \
		-artifact_prefix="$PWD/" "$scratch/corpus"
}

verdict=0
test $# -gt 0 || set -- thread address m32
for kind; do
	tree=$scratch/$kind
	begin=$(date +%s)
	"try_$kind" >"$scratch/$kind.log" 2>&1
	case $? in
	0) word=ok ;;
	4) word=SKIP ;;
	*) word=FAIL verdict=1 ;;
	esac
	said=$(grep -E '^([0-9]+ passed, |stat::number_of_exec)' \
		"$scratch/$kind.log" | tr '\n' ' ')
	printf '%-4s %-8s %4s s  %s\n' $word "$kind" \
		$(($(date +%s) - begin)) "$said"
	test $word != FAIL || cat "$scratch/$kind.log"
	rm -rf "$tree"
done
exit $verdict
