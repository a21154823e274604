# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Ways to build a program with what is installed, and to find out whose malloc
# it has; for run.sh.

: "${here:?}" "${scratch:?}" "${root:?}" "${bindir:?}"
: "${libdir:?}" "${datadir:?}" "${EMULATOR=}"

# --- Is malloc ours? ---------------------------------------------------------

# For one program
seconds=$((60 * ${CK_TIMEOUT_MULTIPLIER:-1}))

run_program()
{
	LD_LIBRARY_PATH=$libdir timeout -k 5 $seconds $EMULATOR "$1" \
		>"$scratch/out" 2>"$scratch/err"
	status=$?
	test $status -eq 0 && test "$(tail -n 1 "$scratch/out")" = "done" &&
		return
	echo "$1: exit status $status"
	tail -n 20 "$scratch/err"
	return 1
}

# The dynamic linker tells where it finds the program's malloc, or new.
check_shared()
{
	readelf -d "$1" | grep -q 'NEEDED.*\[libhakmem\.so\.1\]' || {
		echo "$1 does not need libhakmem.so.1"
		return 1
	}
	run_program "$1" || return
	# shellcheck disable=SC2086 # the words of the emulator
	timeout $seconds env LD_LIBRARY_PATH="$libdir" LD_DEBUG=bindings \
		$EMULATOR "$1" 2>&1 >/dev/null |
		grep -E "file $1 .* symbol \`(malloc|free|realloc|_Zn|_Zd)" \
		>"$scratch/bindings"
	test -s "$scratch/bindings" &&
		! grep -v "to $libdir/libhakmem\.so\.1" "$scratch/bindings" &&
		return
	echo "^ $1: bound elsewhere, or nowhere"
	return 1
}

# Part of the program, which may be dynamic for all else
check_linked_in()
{
	$NM "$1" >"$scratch/symbols"
	for symbol in hak_malloc malloc free calloc realloc; do
		grep -q " [TtW] $symbol\$" "$scratch/symbols" || {
			echo "$1 has no $symbol in it"
			return 1
		}
	done
	run_program "$1"
}

# ... and nothing of libc's malloc beside it
check_static()
{
	check_linked_in "$1" || return
	! readelf -lW "$1" | grep INTERP || return
	! grep -E ' (_int_malloc|_int_free|main_arena)$' "$scratch/symbols"
}

# In the map's cross reference the defining file follows the symbol. It stands
# there on all processors if it is an object, and on some if it is a library.
check_map()
{
	sed -n '/^Cross Reference Table/,$p' "$scratch/map" |
		awk '$1 ~ /^(malloc|free|calloc|realloc|_Znwm)$/' \
		>"$scratch/definitions"
	test -n "$EMULATOR" || test -s "$scratch/definitions" &&
		! grep -vE '/(libhakmem\.so|hakmem\.o|libhakmem\.a.*)$' \
			"$scratch/definitions" && return
	echo "^ that is what the link map says"
	return 1
}

# All of these must say no to a program on libc's malloc.
libc_is_noticed()
{
	kind=
	test "$1" = shared || kind=-static
	# shellcheck disable=SC2086 # lists of words
	$CC $strict $kind "$here/programs/words.c" \
		"$map_flags$scratch/map" -o "$scratch/libc" || return
	for check in shared linked_in static; do
		! "check_$check" "$scratch/libc" &&
			run_program "$scratch/libc" ||
			return
	done
	! check_map
}

# --- Ways to build -----------------------------------------------------------

map_flags='-Wl,--cref,--no-demangle,-Map='
strict='-O1 -fno-builtin -D_GNU_SOURCE'

# compiler_for SOURCE
compiler_for()
{
	case $1 in
	*.cc) echo "$CXX -std=c++17" ;;
	*) echo "$CC" ;;
	esac
}

pkg_config()
{
	case $1 in
	shared) libs=$(pkg-config --libs hakmem) ;;
	static) libs="-static $(pkg-config --static --libs hakmem)" ;;
	*) libs=$(pkg-config --libs hakmem-static) ;;
	esac
	flags=$(pkg-config --cflags hakmem)
	# shellcheck disable=SC2046,SC2086 # lists of words
	$(compiler_for "$2") $strict $flags "$here/programs/$2" $libs \
		"$map_flags$scratch/map" -o "$scratch/program" 2>&1 || return
	check_map || return
	case $1 in
	shared) check_shared "$scratch/program" ;;
	static) check_static "$scratch/program" ;;
	*) check_linked_in "$scratch/program" ;;
	esac
}

# build_by COMPILER KIND SOURCE FLAG...: the compiler needs no telling
build_by()
{
	by=$1
	kind=$2
	source=$3
	shift 3
	case $kind in
	shared) ;;
	*) set -- "-$kind" "$@" ;;
	esac
	case $source in
	*.cc) set -- -std=c++17 "$@" ;;
	esac
	# shellcheck disable=SC2086 # lists of words
	$by $strict "$here/programs/$source" -pthread "$@" \
		-o "$scratch/program" 2>&1 || return
	case $kind in
	shared) check_shared "$scratch/program" ;;
	*) check_static "$scratch/program" ;;
	esac
}

specs()
{
	by=${CROSS_COMPILE}gcc
	test "${2%.cc}" = "$2" || by=${CROSS_COMPILE}g++
	build_by "$by -B$libdir/ -specs=$libdir/hakmem.specs" "$1" "$2" \
		"$map_flags$scratch/map" && check_map
}

# wrapper_for gcc|clang SOURCE
wrapper_for()
{
	case $1,$2 in
	gcc,*.cc) echo "$bindir/hakmem-g++" ;;
	clang,*.cc) echo "$bindir/hakmem-clang++" ;;
	*) echo "$bindir/hakmem-$1" ;;
	esac
}

wrapper()
{
	build_by "$(wrapper_for "$1" "$3")" "$2" "$3" \
		"$map_flags$scratch/map" && check_map
}

lto()
{
	linker=
	test "$1" = gcc || linker=-fuse-ld=lld
	# shellcheck disable=SC2086
	build_by "$(wrapper_for "$1" "$3")" "$2" "$3" -flto -O2 $linker
}

# What is no program, or has an allocator of its own, goes without.
steps_aside()
{
	by=$bindir/hakmem-$1
	source=$here/programs/words.c
	out=$scratch/aside
	rm -f "$out"
	case $2 in
	compile)
		$by -Werror -D_GNU_SOURCE -c "$source" -o "$out" ;;
	shared_library)
		$by -D_GNU_SOURCE -fPIC -shared "$source" -o "$out" ;;
	sanitizer)
		$by -D_GNU_SOURCE -fsanitize=address "$source" -o "$out" &&
			run_program "$out" ;;
	nostdlib)
		echo 'void _start(void) { for (;;); }' >"$scratch/start.c"
		$by -nostdlib -static "$scratch/start.c" -o "$out" ;;
	version)
		$by --version >"$scratch/said" && grep -i "$1" "$scratch/said"
		return ;;
	esac 2>&1 || return
	! $NM "$out" | grep hak_ && ! readelf -d "$out" | grep libhakmem
}

# They are neither inputs nor options.
clang_knows_arguments_of_options()
{
	$bindir/hakmem-clang -D_GNU_SOURCE -Xlinker -E -x c - -pthread \
		-o "$scratch/program" <"$here/programs/threads.c" &&
		check_shared "$scratch/program"
}

check_built()
{
	for program in words shapes threads; do
		"check_$2" "$1/$program-$3" || return
	done
}

without_hakmem()
{
	! readelf -d "$1" | grep libhakmem && ! $NM "$1" | grep hak_
}

cmake_build()
{
	CC=$CC CXX=$CXX cmake -S "$here/$1" -B "$scratch/$2" \
		-DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="$strict" \
		-DCMAKE_CXX_FLAGS="$strict" "$3" "${4--Wno-dev}" \
		>"$scratch/said" 2>&1 &&
		cmake --build "$scratch/$2" >>"$scratch/said" 2>&1 && return
	tail -n 30 "$scratch/said"
	return 1
}

cmake_toolchain()
{
	cmake_build plain "toolchain-$1" -DHAKMEM_COMPILER="$1" \
		-DCMAKE_TOOLCHAIN_FILE="$datadir/hakmem/hakmem.cmake" &&
	check_built "$scratch/toolchain-$1" shared dynamic &&
	check_built "$scratch/toolchain-$1" static static &&
	without_hakmem "$scratch/toolchain-$1/liblibrary.so"
}

cmake_package()
{
	cmake_build package package -DCMAKE_PREFIX_PATH="$root/usr" &&
	check_built "$scratch/package" shared hakmem &&
	check_built "$scratch/package" static static &&
	check_built "$scratch/package" linked_in override &&
	without_hakmem "$scratch/package/liblibrary.so"
}

# The file names the folders of the installed system, so a second one is laid
# over it.
meson_cross_file()
{
	printf "[constants]\nbindir = '%s'\n" "$bindir" >"$scratch/staged.ini"
	meson setup --cross-file "$datadir/hakmem/hakmem-meson.ini" \
		--cross-file "$scratch/staged.ini" "$scratch/meson" \
		"$here/plain" >"$scratch/said" 2>&1 &&
		ninja -C "$scratch/meson" >>"$scratch/said" 2>&1 || {
		tail -n 30 "$scratch/said"
		return 1
	}
	check_built "$scratch/meson" shared dynamic &&
	check_built "$scratch/meson" static static &&
	without_hakmem "$scratch/meson/liblibrary.so"
}
