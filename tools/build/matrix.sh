#!/bin/sh
# SPDX-License-Identifier: MIT
#
# matrix.sh [CONFIGURATION...]: build each with warnings as errors, and run the
# selftests of the interface and of the tiers in it.
#
#	defconfig, X_defconfig, allnoconfig, allyesconfig: as make's goals
#	without-tiny-mid: defconfig with these tiers off
#	random-7: randconfig of seed 7, and numbers of the same seed
#
# Without arguments: all of mm/configs, every set of tiers off, allnoconfig,
# allyesconfig and N random ones. Prints a line for each and, at the end, the
# whole log of those that failed.
#
# Environment: N; SEED: of the first random one; TARGETS: the selftests, "all"
# for all; JOBS: configurations at a time; CC, CXX.

set -u

srctree=$(cd "$(dirname "$0")/../.." && pwd)
: "${N:=5}" "${SEED:=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}"
export SEED TARGETS="${TARGETS-}" CC="${CC:-gcc}" CXX="${CXX:-g++}"

# What an outer make exports would be taken for ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
unset KCONFIG_CONFIG KCONFIG_SEED KCONFIG_ALLCONFIG KCONFIG_PROBABILITY
unset O W V Q CASE QUICK objtree quiet

# A large tier alone, with assertions, beside a second configuration, is slow.
: "${CK_TIMEOUT_MULTIPLIER:=4}"
export CK_TIMEOUT_MULTIPLIER

# --- One configuration, in the folder $scratch/NAME --------------------------

build()
{
	make -s -C "$srctree" O="$tree" CC="$CC" CXX="$CXX" W=e "$@"
}

random_numbers()
{
	kconfigs=$(cd "$srctree" && find lib mm -name Kconfig | LC_ALL=C sort)
	(
		cd "$srctree" || exit
		# shellcheck disable=SC2086 # a list of words
		awk -v seed="$1" -f tools/build/randint.awk \
			"$tree/.config" $kconfigs
	)
}

# Leaves .config, and in wanted what was asked for beyond the goal of make.
configure()
{
	case $1 in
	without-*)
		build defconfig || return
		for tier in $(echo "${1#without-}" | tr - ' '); do
			optional_tiers | grep -qx "$tier" ||
				{ echo "no tier $tier" >&2; return 1; }
			echo "# CONFIG_$(symbol "$tier") is not set"
		done >"$tree/wanted"
		;;
	random-*)
		build randconfig KCONFIG_SEED="${1#random-}" || return
		random_numbers "${1#random-}" >"$tree/wanted" || return
		# It reads no knobs, which tests set; libc_defconfig has it.
		echo "# CONFIG_HAKMEM_LIBC is not set" >>"$tree/wanted"
		;;
	*config)
		build "$1" || return
		: >"$tree/wanted"
		;;
	*)
		echo "no such configuration"
		return 1
		;;
	esac
	# Which tests are built is not what is tested here.
	sed -i /_SELFTEST_/d "$tree/.config"
	echo CONFIG_HAKMEM_SELFTEST_ALL=y >>"$tree/wanted"
	cat "$tree/wanted" >>"$tree/.config"
	build olddefconfig 2>/dev/null || return
	KCONFIG_CONFIG=$tree/.config \
		"$srctree/tools/build/verify.sh" "$tree/wanted"
}

# The tiers' runners, and those of what the tiers share
default_targets()
{
	for folder in "$srctree"/mm/*/; do
		folder=$(basename "$folder")
		test ! -e "$srctree/selftests/$folder" || echo "$folder"
	done
	echo api
}

test_one()
{
	configure "$1" || return
	echo "--- what differs from the defaults:"
	build savedefconfig && cat "$tree/defconfig" || return
	echo "--- build and test:"
	build all || return
	test -n "$TARGETS" || TARGETS=$(default_targets | tr '\n' ' ')
	# An empty one would be no selftest, and not all of them.
	test "$TARGETS" != all || unset TARGETS
	build ${TARGETS:+TARGETS="$TARGETS"} selftests
}

. "$srctree/tools/build/report-each.sh"

# --- All of them -------------------------------------------------------------

symbol()
{
	echo "HAKMEM_$1" | tr '[:lower:]' '[:upper:]'
}

# Folders of mm/ whose own option is on unless it is switched off: what is off
# by itself has its turn in allyesconfig and in random ones
optional_tiers()
{
	for file in "$srctree"/mm/*/Kconfig; do
		tier=$(basename "$(dirname "$file")")
		awk -v config="config $(symbol "$tier")" '
			/^config / { own = $0 == config }
			own && /^\tbool "/ { asked = 1 }
			own && /^\tdefault y$/ { on = 1 }
			END { exit !(asked && on) }' "$file" && echo "$tier"
	done
}

# Prints without-X for every set of the tiers that are its arguments.
sets_off()
{
	sets=
	for tier; do
		for set in $sets without; do
			sets="$sets $set-$tier"
		done
	done
	echo "$sets"
}

list_all()
{
	(cd "$srctree/mm/configs" && ls -- *defconfig)
	# shellcheck disable=SC2046 # a list of words
	sets_off $(optional_tiers)
	echo allnoconfig allyesconfig
	number=0
	while test $number -lt "$N"; do
		echo "random-$((SEED + number))"
		number=$((number + 1))
	done
}

# shellcheck disable=SC2046 # a list of words
test $# -gt 0 || set -- $(list_all)
report_each "matrix, SEED=$SEED" "configurations passed" "$@"
