#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Programs linked with -static against the library, each in the ways the
# README tells: the link map must show that no member of libc or libstdc++
# that defines an allocation function was taken, and the program must run.
# An argument is a glob that selects cases.
#
# The environment gives srctree and objtree, and may give CC, CXX, NM and
# EMULATOR, which runs the programs if this machine cannot.

set -u

: "${srctree:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${objtree:=$srctree}"
: "${CC:=gcc}" "${CXX=g++}" "${NM:=nm}" "${EMULATOR:=}"
here=$srctree/selftests/static

# shellcheck source=selftests/programs/tap.sh
. "$srctree/selftests/programs/tap.sh"

# What the library has to define; the operators as the compiler mangles them
names='malloc|free|calloc|realloc|reallocarray|aligned_alloc|posix_memalign'
names="$names|memalign|valloc|pvalloc|malloc_usable_size|malloc_trim"
names="$names|malloc_stats|malloc_info|mallinfo|mallinfo2|mallopt"
names="(__libc_)?($names)|free_sized|free_aligned_sized|_Zn[wa].*|_Zd[la]P.*"

# Members of the system's archives that must stay out. malloc-hugepages.o
# serves malloc.o alone.
list_forbidden()
{
	for archive in libc.a libstdc++.a; do
		path=$(${CXX:-$CC} -print-file-name=$archive)
		[ -f "$path" ] || continue
		$NM -A --defined-only "$path" 2>/dev/null |
			grep -E " [TW] ($names)\$" |
			sed "s/^[^:]*:\([^:]*\):.*/$archive(\1)/"
	done | sort -u
	echo "libc.a(malloc-hugepages.o)"
}

# link_program SOURCE WAY
link_program()
{
	compile=$CC
	[ "${1%.cc}" = "$1" ] ||
		compile="$CXX -std=c++17 -fsized-deallocation"
	way=$2
	set -- "$here/$1" "$scratch/threads.o"
	# What the quiet program is linked with must not name malloc either
	[ "${1##*/}" = quiet.c ] && set -- "$1"
	case $way in
	object)
		set -- "$objtree/hakmem.o" "$@" ;;
	archive)
		set -- "$@" -lhakmem ;;
	whole_archive)
		set -- "$@" -Wl,--whole-archive -lhakmem \
			-Wl,--no-whole-archive ;;
	archive_with_u)
		set -- "$@" -Wl,-u,malloc -lhakmem ;;
	esac
	# The compiler may drop a malloc whose block it can do without
	$compile -static -pthread -O1 -fno-builtin -D_FILE_OFFSET_BITS=64 \
		-Wno-deprecated-declarations -L"$objtree" "$@" \
		-Wl,--cref,--no-demangle,-Map="$scratch/map" \
		-o "$scratch/program"
}

# In the map's cross reference the defining file follows the symbol
check_map()
{
	sed -n 's|^.*/\(lib[^/]*\.a([^)]*)\).*$|\1|p' "$scratch/map" |
		sort -u | grep -xF -f "$scratch/forbidden" &&
		echo "^ taken from the system's archives" && return 1
	sed -n '/^Cross Reference Table/,$p' "$scratch/map" |
		awk -v names="^($names)\$" '
		$1 ~ names && NF == 2 {
			if ($2 ~ /\/(hakmem\.o|libhakmem\.a\([^)]*\))$/) {
				ours[$1]
				next
			}
			print $1 " is defined by " $2
			bad = 1
		}
		END {
			if (("malloc" in ours) && ("free" in ours))
				exit bad
			print "malloc and free are not the library'\''s"
			exit 1
		}'
}

check_symbols()
{
	$NM "$scratch/program" >"$scratch/symbols"
	if grep -E ' (_int_malloc|_int_free|main_arena)$' \
	   "$scratch/symbols"; then
		echo "^ belongs to libc's malloc"
		return 1
	fi
	grep -q ' [TtW] hak_malloc$' "$scratch/symbols" && return
	echo "no hak_malloc in the program"
	return 1
}

run_program()
{
	# shellcheck disable=SC2086 # the words of the emulator
	timeout -k 5 $((60 * ${CK_TIMEOUT_MULTIPLIER:-1})) \
		$EMULATOR "$scratch/program" >"$scratch/out" 2>"$scratch/err"
	status=$?
	[ $status -eq 0 ] && [ "$(tail -n 1 "$scratch/out")" = "done" ] &&
		return
	echo "exit status $status"
	tail -n 20 "$scratch/err"
	return 1
}

# There is no malloc of libc's to fall back to, and the program says so if that
# is what it was built for.
run_without_fallback()
{
	want=0
	! grep -qx CONFIG_HAKMEM_MALLOC_FALLBACK=y \
		"$objtree/include/config/auto.conf" || want=1
	HAKMEM_ALLOW_MALLOC_FALLBACK=1
	export HAKMEM_ALLOW_MALLOC_FALLBACK
	run_program
	ran=$?
	unset HAKMEM_ALLOW_MALLOC_FALLBACK
	[ $ran -eq 0 ] || return 1
	said=$(grep -c 'this program has no malloc but ours' "$scratch/err")
	[ "$said" = $want ] && return
	echo "it said $said times that there is nothing to fall back to"
	return 1
}

check_program()
{
	link_program "$1" "$2" 2>&1 && check_map && check_symbols &&
		run_program && run_without_fallback
}

# test_program CASE: a source's name, a dot and the way to link
test_program()
{
	source=$(cd "$here" && echo "${1%.*}".c*)
	if [ "$source" = interface.c ] && [ -z "$glibc" ]; then
		tap_skip "$1" "it uses names that only glibc has"
		return
	fi
	if [ "$source" = operators.cc ] && [ -z "$CXX" ]; then
		tap_skip "$1" "no C++ compiler"
		return
	fi
	if [ "$source" = operators.cc ] && ! grep -qx CONFIG_HAKMEM_CXX=y \
	   "$objtree/include/config/auto.conf"; then
		tap_skip "$1" "CONFIG_HAKMEM_CXX is not set"
		return
	fi
	# The linker warns of a static program that names dlsym()
	if check_program "$source" "${1##*.}" >"$scratch/verdict" &&
	   ! grep -w dlsym "$scratch/verdict"; then
		tap_pass "$1"
		return
	fi
	tap_fail "$1"
	tap_notes <"$scratch/verdict"
}

if [ ! -f "$($CC -print-file-name=libc.a)" ]; then
	echo "KTAP version 1"
	echo "1..0 # SKIP no libc.a to link with"
	exit 4
fi

glibc=$(printf '#include <features.h>\n__GLIBC__\n' | $CC -E - |
	grep -x '[0-9]*')
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

$CC -O1 -fno-builtin -pthread -c -o "$scratch/threads.o" "$here/threads.c" ||
	exit 1
list_forbidden >"$scratch/forbidden"

glob=${1:-*}
set --
for program in interface.object interface.archive interface.whole_archive \
	operators.object operators.archive operators.whole_archive \
	quiet.object quiet.archive_with_u quiet.whole_archive; do
	tap_matches static "$program" "$glob" && set -- "$@" "$program"
done
tap_plan $#
for program in "$@"; do
	test_program "$program"
done
tap_end
