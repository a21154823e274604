#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs into a DESTDIR and uses what is there as others would: programs in C
# and C++, with threads, shared, static and with LTO, are built by pkg-config,
# CMake, Meson, the specs file and the compilers' wrappers, and run; the link
# map, the symbols or the dynamic linker must say that malloc is HAKMEM's. An
# argument is a glob that selects cases.
#
# The environment gives srctree and objtree, and may give CC, CXX, NM,
# CROSS_COMPILE, EMULATOR, which runs programs that this machine cannot, and
# QUICK, which leaves out some combinations and what builds the library again.

set -u

: "${srctree:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${objtree:=$srctree}"
: "${CROSS_COMPILE=}" "${EMULATOR=}" "${QUICK=}" "${NM:=nm}"
: "${CC:=${CROSS_COMPILE}gcc}" "${CXX:=${CROSS_COMPILE}g++}"
case ${CROSS_COMPILE:+$CC} in
*clang*)
	target=--target=${CROSS_COMPILE%-}
	CC="$CC $target"
	CXX="$CXX $target"
	;;
esac
# This kernel runs what is for i686, but the loader of dynamic programs is not
# where they say. No program here forks, which that emulator cannot do.
case ${EMULATOR:-none},$CROSS_COMPILE,$(uname -m) in
none,i?86-*,x86_64)
	EMULATOR="qemu-i386 -L /usr/${CROSS_COMPILE%-}" ;;
esac
here=$srctree/selftests/install

# shellcheck source=selftests/programs/tap.sh
. "$srctree/selftests/programs/tap.sh"

# What an outer make exports would be taken for ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
unset O W V Q CASE TARGETS DESTDIR prefix bindir libdir includedir datadir
unset mandir quiet LD_PRELOAD LD_LIBRARY_PATH REALCC
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS

# --- Cases -------------------------------------------------------------------
#
# A word is a case: a function here or in build.sh, its arguments behind the
# dots.

list_cases()
{
	echo libc_is_noticed.shared libc_is_noticed.static
	echo installed_files uninstall_leaves_nothing scripts_are_clean
	echo install_builds_nothing
	echo manuals_are_clean completion
	echo library_prints_its_configuration config_reads_it_from.hakmem.o
	echo config_reads_it_from.program config_names_files
	echo run_keeps_ld_preload run_sets_knobs run_prints_statistics
	echo run_refuses_what_it_does_not_know
	for compiler in gcc clang; do
		for sanitizer in address thread leak; do
			echo "run_leaves_alone.$compiler.$sanitizer"
		done
	done
	echo clang_knows_arguments_of_options
	with_programs words.c pkg_config.shared specs.static-pie \
		wrapper.gcc.static wrapper.clang.shared lto.gcc.static
	with_programs shapes.cc pkg_config.static specs.shared \
		wrapper.gcc.static-pie wrapper.clang.static lto.gcc.shared
	with_programs threads.c pkg_config.static_in_dynamic specs.static \
		wrapper.gcc.shared wrapper.clang.static-pie lto.clang.static
	for compiler in gcc clang; do
		for way in compile shared_library sanitizer nostdlib version
		do
			echo "steps_aside.$compiler.$way"
		done
	done
	echo cmake_package cmake_toolchain.gcc
	test -n "$QUICK" || echo cmake_toolchain.clang meson_cross_file \
		other_folder_same_bytes.objects \
		other_folder_same_bytes.itself built_with_lto.gcc \
		built_with_lto.clang debian_packages
}

# with_programs SOURCE WAY...: each way with this source, or with all
with_programs()
{
	sources='words.c shapes.cc threads.c'
	test -z "$QUICK" || sources=$1
	shift
	for way; do
		for source in $sources; do
			echo "$way.$source"
		done
	done
}

# What a case needs to be more than a skip
needs_of()
{
	case $1 in
	pkg_config.*) echo pkg-config ;;
	wrapper.clang.* | steps_aside.clang.* | run_leaves_alone.clang.*)
		echo clang ;;
	lto.clang.*) echo clang ld.lld ;;
	clang_*) echo clang ;;
	cmake_toolchain.gcc) echo cmake "${CROSS_COMPILE}gcc" ;;
	specs.* | *.gcc.* | config_reads_it_from.program)
		echo "${CROSS_COMPILE}gcc" ;;
	cmake_toolchain.clang) echo cmake clang ;;
	cmake_*) echo cmake "${CROSS_COMPILE}g++" ;;
	meson_*) echo meson ninja "${CROSS_COMPILE}g++" ;;
	scripts_*) echo shellcheck ;;
	manuals_*) echo mandoc ;;
	completion) echo bash /usr/share/bash-completion/bash_completion ;;
	built_with_lto.clang) echo clang ld.lld llvm-ar llvm-objcopy ;;
	debian_*) echo dpkg-buildpackage dh lintian \
		/usr/share/build-essential/list ;;
	esac
	case $1 in
	*.cc) echo "${CROSS_COMPILE}g++" ;;
	run_* | *.sanitizer | *_lto.* | debian_* | completion)
		# An emulator runs a program, not a shell with its programs.
		test -z "$EMULATOR" || echo native-programs ;;
	esac
}

# --- What is installed -------------------------------------------------------

make_goal()
{
	make -s -C "$srctree" O="$objtree" DESTDIR="$root" prefix=/usr \
		libdir="/usr/$lib" CROSS_COMPILE="$CROSS_COMPILE" "$@"
}

installed_files()
{
	for file in $lib/libhakmem.so.1 $lib/hakmem.o $lib/libhakmem.a \
		$lib/hakmem.specs include/hakmem.h bin/hakmem-run \
		share/man/man3/hakmem.3 share/man/man7/hakmem.7; do
		test -s "$root/usr/$file" || { echo "no $file"; return 1; }
	done
	cmp "$libdir/libhakmem.so" "$objtree/libhakmem.so.1" || return
	# A link into nowhere, and a word that was not filled in
	find "$root" -xtype l | grep . && return 1
	! grep -rnE '@[A-Za-z_]+@' "$bindir" "$datadir" "$libdir/hakmem.specs" \
		"$libdir/pkgconfig" "$libdir/cmake"
}

uninstall_leaves_nothing()
{
	cp -a "$root" "$root.copy"
	make_goal uninstall DESTDIR="$root.copy" || return
	! find "$root.copy" ! -type d | grep . &&
		! find "$root.copy" -name '*hakmem' | grep .
}

scripts_are_clean()
{
	shellcheck -x -S warning "$bindir/hakmem-run" "$bindir/hakmem-config" \
		"$bindir/hakmem-gcc" \
		"$datadir/bash-completion/completions/hakmem-run"
}

# No warning; "unsupported" is what only other formatters can do.
manuals_are_clean()
{
	for page in "$datadir"/man/man*/*; do
		mandoc -Tlint -W warning "$page" || return
	done
}

completions_of()
{
	# shellcheck disable=SC2016 # for the inner shell
	PATH=$bindir:$PATH bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$1"
		function=$2
		shift 2
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" \
			"${COMP_WORDS[COMP_CWORD-1]}" 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"
		' bash "$datadir/bash-completion/completions/hakmem-run" "$@"
}

completion()
{
	test "$(completions_of _hakmem_run hakmem-run --dec)" = --decay-ms= &&
	test "$(completions_of _hakmem_config hakmem-config --libs-)" = \
		--libs-static &&
	completions_of _hakmem_run hakmem-run --stats ech | grep -x echo
}

library_prints_its_configuration()
{
	$EMULATOR "$libdir/libhakmem.so.1" >"$scratch/said" || return
	head -n 1 "$scratch/said" | grep -q '^# HAKMEM [0-9.]*, compiled' &&
	sed '1d;$d' "$scratch/said" | diff - "$objtree/.config" &&
	"$bindir/hakmem-config" --kconfig | diff - "$scratch/said"
}

# Another user's make would build with another compiler, and own the result.
install_builds_nothing()
{
	mkdir -p "$scratch/empty" &&
	! make -s -C "$srctree" O="$scratch/empty" DESTDIR="$scratch/none" \
		install 2>"$scratch/err" &&
	grep "run 'make' first" "$scratch/err" &&
	! test -e "$scratch/none" && rmdir "$scratch/empty"
}

# Also as a .config it is complete.
config_reads_it_from()
{
	file=$libdir/hakmem.o
	if test "$1" = program; then
		file=$scratch/program
		build_by "$bindir/hakmem-gcc" static words.c || return
	fi
	"$bindir/hakmem-config" --kconfig="$file" |
		diff - "$scratch/configuration"
}

config_names_files()
{
	for option in --libdir --includedir --object --library --specs \
		--cmake-toolchain --meson-file; do
		test -e "$("$bindir/hakmem-config" $option)" ||
			{ echo "$option: no such file"; return 1; }
	done
	# shellcheck disable=SC2046 # lists of words
	$CC $strict $("$bindir/hakmem-config" --cflags) \
		"$here/programs/words.c" -o "$scratch/program" \
		$("$bindir/hakmem-config" --libs) &&
		check_shared "$scratch/program"
}

# A library that was to be preloaded anyway still is.
run_keeps_ld_preload()
{
	echo 'int other = 7;' | $CC -shared -fPIC -x c - \
		-o "$scratch/libother.so" || return
	said=$(LD_PRELOAD=$scratch/libother.so "$bindir/hakmem-run" \
		cat /proc/self/maps) || return
	for library in libother.so libhakmem.so.1; do
		echo "$said" | grep -qF "/$library" ||
			{ echo "$library is not loaded"; return 1; }
	done
}

run_sets_knobs()
{
	# The selftests set one themselves
	said=$(unset HAKMEM_KFENCE_SAMPLE
		"$bindir/hakmem-run" --decay-ms=7 --tiny-mem-diet=1 -- \
		env | grep ^HAKMEM_ | sort | tr '\n' ' ')
	test "$said" = 'HAKMEM_DECAY_MS=7 HAKMEM_TINY_MEM_DIET=1 ' ||
		{ echo "it set $said"; return 1; }
	# An option for each knob there is
	"$srctree/tools/install/knobs.sh" "$srctree" | cut -f 1,2 |
		while read -r name values; do
			last=${values##*[.|]}
			option=$(echo "${name#HAKMEM_}" | tr 'A-Z_' 'a-z-')
			"$bindir/hakmem-run" "--$option=$last" --show |
				grep -qx "$name=$last" || echo "$option"
		done >"$scratch/said"
	test ! -s "$scratch/said" || { cat "$scratch/said"; return 1; }
}

run_prints_statistics()
{
	"$bindir/hakmem-run" --stats true 2>"$scratch/err" || return
	! grep -qx CONFIG_HAKMEM_STATS=y "$objtree/.config" ||
		test -s "$scratch/err"
}

run_refuses_what_it_does_not_know()
{
	for option in --no-such-knob=1 --decay-ms --library=/no/such.so -x; do
		"$bindir/hakmem-run" "$option" true 2>"$scratch/err"
		test $? = 125 && grep -q ^hakmem-run: "$scratch/err" && continue
		echo "$option was taken"
		return 1
	done
}

# run_leaves_alone gcc|clang SANITIZER: which finds its mistake all the same
run_leaves_alone()
{
	"$1" -O0 -g "-fsanitize=$2" -pthread "$here/programs/mistakes.c" \
		-o "$scratch/program" || return
	timeout -k 5 60 "$bindir/hakmem-run" "$scratch/program" \
		>"$scratch/out" 2>"$scratch/err"
	status=$?
	case $2 in
	address) report='heap-buffer-overflow' ;;
	thread) report='data race' ;;
	leak) report='detected memory leaks' ;;
	esac
	test $status != 0 && grep -q "Sanitizer: $report" "$scratch/err" &&
		return
	echo "exit status $status"
	head -n 20 "$scratch/err"
	return 1
}

# --- What builds the library once more ---------------------------------------

# other_folder_same_bytes OBJTREE: of that name in the folder, or the folder
other_folder_same_bytes()
{
	other=$scratch/another/place-$1
	objects=$other
	test "$1" = itself || objects=$other/$1
	"$srctree/tools/packaging/sources.sh" "$srctree" "$other" &&
	mkdir -p "$objects" &&
	cp "$objtree/.config" "$objects" &&
	make -s -C "$other" O="$objects" CC="$CC" CXX="$CXX" \
		libhakmem.so libhakmem.a || return
	for product in libhakmem.so.1 libhakmem.a hakmem.o; do
		cmp "$objtree/$product" "$objects/$product" || return
	done
}

# The library itself, that is
built_with_lto()
{
	llvm=
	test "$1" = gcc || llvm=1
	mkdir -p "$scratch/lto-$1" &&
	cp "$objtree/.config" "$scratch/lto-$1" &&
	make -s -C "$srctree" O="$scratch/lto-$1" CROSS_COMPILE= LLVM=$llvm \
		KCFLAGS=-flto libhakmem.so hakmem.o &&
	gcc $strict -static "$scratch/lto-$1/hakmem.o" \
		"$here/programs/threads.c" -o "$scratch/program" &&
	check_static "$scratch/program" &&
	# What is inside is nobody else's.
	! $NM "$scratch/lto-$1/hakmem.o" | grep -E ' [TDB] (slab|route|vm)_' &&
	LD_PRELOAD=$scratch/lto-$1/libhakmem.so perl -e 'print "works\n"'
}

build_packages()
{
	make -s -C "$srctree" O="$1" deb >"$scratch/said" 2>&1 &&
		grep '^lintian: ' "$scratch/said" && return
	tail -n 30 "$scratch/said"
	return 1
}

# Into a system that has nothing else, so without what they depend on
install_packages()
{
	mkdir -p "$1/var/lib/dpkg/info" "$1/var/lib/dpkg/updates" &&
	touch "$1/var/lib/dpkg/status" "$1/var/lib/dpkg/available" || return
	shift
	dpkg --root="$scratch/system" --force-not-root --force-depends \
		--log=/dev/null -i "$@" >"$scratch/said" 2>&1 && return
	cat "$scratch/said"
	return 1
}

# Built in two folders they are the same; installed, they work.
debian_packages()
{
	build_packages "$scratch/deb" && build_packages "$scratch/deb2" ||
		return
	for package in "$scratch"/deb/deb/*.deb; do
		cmp "$package" "$scratch/deb2/deb/${package##*/}" || return
	done
	install_packages "$scratch/system" "$scratch"/deb/deb/*_*.deb || return
	libdir=$(echo "$scratch"/system/usr/lib/*/libhakmem.so.1)
	libdir=${libdir%/*}
	for kind in shared static; do
		build_by "$scratch/system/usr/bin/hakmem-gcc" $kind words.c ||
			return
	done
	"$scratch/system/usr/bin/hakmem-run" --show
}

# --- Run ---------------------------------------------------------------------

# A clang may be without its runtimes.
links_sanitizer()
{
	echo 'int main(void) { return 0; }' | clang "-fsanitize=$1" -x c - \
		-o "$scratch/none" 2>/dev/null || echo "clang's runtime of $1"
}

# Prints what a case needs and this machine lacks
missing_for()
{
	for need in $(needs_of "$1"); do
		test -e "$need" || command -v "$need" >/dev/null || echo "$need"
	done
	case $1 in
	*static*)
		test -f "$($CC -print-file-name=libc.a)" || echo libc.a ;;
	esac
	case $1 in
	*.clang.sanitizer) links_sanitizer address ;;
	run_leaves_alone.clang.*) links_sanitizer "${1##*.}" ;;
	esac
	# Debian's glibc for RISC-V has no start of a static-pie.
	case $1 in
	*static-pie*)
		test -f "$($CC -print-file-name=rcrt1.o)" || echo rcrt1.o ;;
	lto.clang.*)
		test "${CROSS_COMPILE#riscv}" = "$CROSS_COMPILE" ||
			echo lld-that-relaxes ;;
	esac
}

run_case()
{
	missing=$(missing_for "$1" | tr '\n' ' ')
	if test -n "$missing"; then
		tap_skip "$1" "not found: $missing"
		return
	fi
	function=${1%%.*}
	arguments=
	test "$function" = "$1" || arguments=${1#*.}
	# The extension of a source is no argument of its own.
	arguments=$(echo "$arguments" | tr . ' ' | sed -E 's/ (c|cc|o)$/.\1/')
	# shellcheck disable=SC2086 # a list of words
	if "$function" $arguments >"$scratch/verdict" 2>&1; then
		tap_pass "$1"
		return
	fi
	tap_fail "$1"
	tap_notes <"$scratch/verdict"
}

case $CC in
*musl-gcc)
	echo "KTAP version 1"
	echo "1..0 # SKIP what is installed is for a gcc whose libc is glibc"
	exit 4 ;;
esac

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

root=$scratch/root
bindir=$root/usr/bin
lib=$($CC -print-multiarch 2>/dev/null)
lib=lib${lib:+/$lib}
libdir=$root/usr/$lib
datadir=$root/usr/share
PKG_CONFIG_PATH=$libdir/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR

# shellcheck source=selftests/install/build.sh
. "$here/build.sh"

make_goal install || {
	echo "Bail out! make install failed"
	exit 1
}
$EMULATOR "$libdir/libhakmem.so.1" >"$scratch/configuration"

glob=${1:-*}
set --
for name in $(list_cases); do
	tap_matches install "$name" "$glob" && set -- "$@" "$name"
done
tap_plan $#
for name; do
	run_case "$name"
done
tap_end
