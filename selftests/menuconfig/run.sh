#!/bin/sh
# SPDX-License-Identifier: MIT
#
# menuconfig as a user meets it: in a terminal, a tier is switched off in the
# menu and saved; then the build, the library and the selftests are without it.
# Works on object trees of its own. An argument is a glob that selects cases.
#
# The environment gives srctree, and may give CC and CXX.

set -u

: "${srctree:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${CC:=gcc}" "${CXX:=g++}" "${KCONFIG_MCONF:=kconfig-mconf}"

# shellcheck source=selftests/programs/tap.sh
. "$srctree/selftests/programs/tap.sh"

products='libhakmem.so libhakmem.a hakmem.o libhakmem-prefixed.a'
symbols='ace_ops ace_look hak_ace_stats'
cases='menu_saves_the_choice libraries_lose_the_symbols
build_leaves_the_folder_out runner_is_skipped'

# What an outer make exports would be taken for ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
unset O W V Q CASE TARGETS objtree quiet KCONFIG_CONFIG

build()
{
	make -C "$srctree" O="$tree" CC="$CC" CXX="$CXX" "$@"
}

# --- The terminal ------------------------------------------------------------

terminal()
{
	tmux -L "hakmem-$$" -f /dev/null "$@"
}

screen()
{
	terminal capture-pane -p -t menu
}

# Waits until the screen shows the text.
see()
{
	tries=0
	while ! screen | grep -qF -- "$1"; do
		tries=$((tries + 1))
		if test "$tries" -gt 100; then
			echo "the screen does not show '$1':"
			screen
			return 1
		fi
		sleep 0.1
	done
}

press()
{
	terminal send-keys -t menu "$@"
}

# Each menu is left by two Escapes; ncurses waits a second for more of them.
leave_menus()
{
	for menu in found tiers main; do
		press Escape Escape
		sleep 1.2
		screen | grep -qF 'save your new configuration' && return
	done
	echo "menu '$menu' is left, and no question whether to save:"
	screen
	return 1
}

# Searches the option, jumps to it, says no, leaves and saves.
switch_off_in_menu()
{
	terminal new-session -d -x 100 -y 30 -s menu \
		"make -C '$srctree' O='$tree' menuconfig; echo RC=\$?; cat" &&
	see 'Size tiers' &&
	press / && see 'Search Configuration Parameter' &&
	press 'HAKMEM_ACE$' Enter && see '(1)' &&
	press 1 && see '[*] ACE:' &&
	press n && see '[ ] ACE:' &&
	leave_menus &&
	press Enter && see 'RC=0'
}

# --- Cases -------------------------------------------------------------------

objects_of_ace()
{
	find "$tree/mm/ace" -name '*.o' 2>/dev/null
}

products_with_ace()
{
	for product in $products; do
		for symbol in $symbols; do
			nm "$tree/$product" | grep -qw "$symbol" &&
				echo "$product: $symbol"
		done
	done
}

# The stock configuration has what is to vanish.
build_with_ace()
{
	build -s defconfig && build -s -j2 all libhakmem-prefixed.a || return
	test "$(products_with_ace | wc -l)" = 12 && test -n "$(objects_of_ace)"
}

menu_saves_the_choice()
{
	switch_off_in_menu &&
	grep -x '# CONFIG_HAKMEM_ACE is not set' "$tree/.config"
}

libraries_lose_the_symbols()
{
	build -s -j2 all libhakmem-prefixed.a || return
	with=$(products_with_ace)
	test -z "$with" || { echo "still there: $with"; return 1; }
}

build_leaves_the_folder_out()
{
	build -s clean && build -j2 all >"$scratch/all" || return
	! grep mm/ace "$scratch/all" && test -z "$(objects_of_ace)"
}

runner_is_skipped()
{
	build -s TARGETS=ace selftests >"$scratch/skipped" || return
	grep '# SKIP CONFIG_HAKMEM_ACE is not set' "$scratch/skipped" &&
	! test -e "$tree/selftests/ace/ace_test"
}

# --- Run ---------------------------------------------------------------------

scratch=$(mktemp -d) || exit 1
tree=$scratch/tree
trap 'terminal kill-server 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
unset TMUX

glob=${1:-*}
set --
for name in $cases; do
	tap_matches menuconfig "$name" "$glob" && set -- "$@" "$name"
done
tap_plan $#

missing=
for program in tmux "$KCONFIG_MCONF"; do
	command -v "$program" >/dev/null || missing="$missing $program"
done
if test -n "$missing"; then
	for name; do
		tap_skip "$name" "not found:$missing"
	done
	tap_end
fi

# Each case goes on where the one before it ended.
ready=y
build_with_ace >"$scratch/said" 2>&1 || ready=
tap_notes <"$scratch/said"
for name in $cases; do
	test -z "$ready" || "$name" >"$scratch/said" 2>&1 || ready=
	case " $* " in
	*" $name "*) ;;
	*) continue ;;
	esac
	if test -n "$ready"; then
		tap_pass "$name"
	else
		tap_fail "$name"
		tap_notes <"$scratch/said"
	fi
done
tap_end
