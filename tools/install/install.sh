#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install.sh install|uninstall: put what was built in the object tree, which is
# the working folder, where $DESTDIR and $prefix say, or take it away again.
#
# Environment: srctree; DESTDIR; prefix, bindir, libdir, includedir, datadir,
# mandir; CROSS_COMPILE.
set -eu

: "${srctree:?}" "${DESTDIR=}" "${CROSS_COMPILE=}"
: "${prefix:=/usr/local}"
: "${bindir:=$prefix/bin}" "${libdir:=$prefix/lib}"
: "${includedir:=$prefix/include}" "${datadir:=$prefix/share}"
: "${mandir:=$datadir/man}"
here=$srctree/tools/install
man=$srctree/tools/man

fail()
{
	echo "install: $*" >&2
	exit 1
}

for folder in "$prefix" "$bindir" "$libdir" "$includedir" "$datadir" \
	"$mandir" ${DESTDIR:+"$DESTDIR"}; do
	case $folder in
	*[!A-Za-z0-9/._+~@%,:=-]*) fail "cannot cope with '$folder'" ;;
	/*) ;;
	*) fail "'$folder' is not an absolute path" ;;
	esac
done

# --- What goes where ---------------------------------------------------------
#
# A mode, the name to install, and what: an .in file is filled in, and "->"
# makes a symbolic link.
list_files()
{
	cat <<-EOT
	755 $libdir/libhakmem.so.1 libhakmem.so.1
	-> $libdir/libhakmem.so libhakmem.so.1
	644 $libdir/libhakmem.a libhakmem.a
	644 $libdir/hakmem.o hakmem.o
	644 $libdir/hakmem.specs $here/hakmem.specs.in
	644 $includedir/hakmem.h $srctree/include/hakmem.h
	644 $libdir/pkgconfig/hakmem.pc $here/hakmem.pc.in
	644 $libdir/pkgconfig/hakmem-static.pc $here/hakmem-static.pc.in
	644 $cmakedir/hakmem-config.cmake $here/hakmem-config.cmake.in
	644 $cmakedir/hakmem-config-version.cmake \
		$here/hakmem-config-version.cmake.in
	644 $datadir/hakmem/hakmem.cmake $here/hakmem.cmake.in
	644 $datadir/hakmem/hakmem-meson.ini $here/hakmem-meson.ini.in
	755 $bindir/hakmem-run $here/hakmem-run.in
	755 $bindir/hakmem-config $here/hakmem-config.in
	755 $bindir/hakmem-gcc $here/hakmem-cc.in
	-> $bindir/hakmem-g++ hakmem-gcc
	-> $bindir/hakmem-clang hakmem-gcc
	-> $bindir/hakmem-clang++ hakmem-gcc
	644 $completions/hakmem-run $here/hakmem.bash
	-> $completions/hakmem-config hakmem-run
	644 $mandir/man1/hakmem-run.1 $man/hakmem-run.1
	644 $mandir/man1/hakmem-config.1 $man/hakmem-config.1
	644 $mandir/man1/hakmem-gcc.1 $man/hakmem-gcc.1
	-> $mandir/man1/hakmem-g++.1 hakmem-gcc.1
	-> $mandir/man1/hakmem-clang.1 hakmem-gcc.1
	-> $mandir/man1/hakmem-clang++.1 hakmem-gcc.1
	644 $mandir/man3/hakmem.3 $man/hakmem.3
	644 $mandir/man7/hakmem.7 $man/hakmem.7
	EOT
}
cmakedir=$libdir/cmake/hakmem
completions=$datadir/bash-completion/completions

# --- What is filled in -------------------------------------------------------

relative()
{
	realpath -m -s --relative-to="$1" "$2"
}

# Where the dynamic linker looks anyway needs no mention in programs.
rpath()
{
	case $libdir in
	/lib | /lib/* | /lib64 | /usr/lib | /usr/lib/* | /usr/lib64) ;;
	*) echo "$1$libdir" ;;
	esac
}

# The options of hakmem-run: HAKMEM_DECAY_MS becomes decay-ms.
knob_options()
{
	"$here/knobs.sh" "$srctree" | awk -F '\t' '{
		option = tolower(substr($1, length("HAKMEM_") + 1))
		gsub(/_/, "-", option)
		print option, $2
	}'
}

# Processor and byte order of the library, in Meson's words
describe_machine()
{
	cpu=$(${CC:-${CROSS_COMPILE}gcc} -dumpmachine 2>/dev/null) ||
		cpu=$(uname -m)
	cpu=${cpu%%-*}
	case $cpu in
	i?86) family=x86 ;;
	arm*) family=arm ;;
	powerpc64*) family=ppc64 ;;
	powerpc*) family=ppc ;;
	*) family=$cpu ;;
	esac
	endian=little
	test "$(od -An -tu1 -j5 -N1 libhakmem.so.1 | tr -d ' ')" = 1 ||
		endian=big
}

# under_prefix FOLDER: the folder in terms of pkg-config's ${prefix}
under_prefix()
{
	case $1 in
	"$prefix"/*) echo "\${prefix}${1#"$prefix"}" ;;
	*) echo "$1" ;;
	esac
}

write_script()
{
	describe_machine
	target=${CROSS_COMPILE##*/}
	crossing='/@when_crossing@/d'
	test -z "$target" || crossing='s/@when_crossing@//'
	knob_options >"$scratch/knobs"
	cat <<-EOT
	/@knobs@/{
	r $scratch/knobs
	d
	}
	$crossing
	s|@VERSION@|$version|g
	s|@prefix@|$prefix|g
	s|@bindir@|$bindir|g
	s|@libdir@|$libdir|g
	s|@datadir@|$datadir|g
	s|@pc_libdir@|$(under_prefix "$libdir")|g
	s|@pc_includedir@|$(under_prefix "$includedir")|g
	s|@bin_to_lib@|$(relative "$bindir" "$libdir")|g
	s|@bin_to_include@|$(relative "$bindir" "$includedir")|g
	s|@bin_to_data@|$(relative "$bindir" "$datadir")|g
	s|@lib_to_include@|$(relative "$libdir" "$includedir")|g
	s|@hakmem_to_bin@|$(relative "$datadir/hakmem" "$bindir")|g
	s| *@rpath_option@|$(rpath " -Wl,-rpath,")|g
	s| *@rpath_spec@|$(rpath " -rpath ")|g
	s|@CROSS_COMPILE@|$CROSS_COMPILE|g
	s| *@clang_target@|${target:+ --target=${target%-}}|g
	s|@cpu@|$cpu|g
	s|@meson_family@|$family|g
	s|@endian@|$endian|g
	EOT
}

# --- Goals -------------------------------------------------------------------

install_one()
{
	mkdir -p "$DESTDIR${2%/*}"
	case $1,$3 in
	'->',*) ln -sfn "$3" "$DESTDIR$2" ;;
	*.in)
		sed -f "$scratch/script" "$3" >"$scratch/filled"
		install -m "$1" "$scratch/filled" "$DESTDIR$2"
		;;
	*) install -m "$1" "$3" "$DESTDIR$2" ;;
	esac
}

install_all()
{
	for product in libhakmem.so.1 libhakmem.a hakmem.o; do
		test -e $product || fail "no $product here: run 'make' first"
	done
	version=$(sed -n 's/^#define HAKMEM_VERSION[ 	]*"\(.*\)"/\1/p' \
		"$srctree/include/hakmem.h")
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM
	write_script >"$scratch/script"
	list_files | while read -r mode name what; do
		install_one "$mode" "$name" "$what"
	done
}

uninstall_all()
{
	list_files | while read -r mode name what; do
		rm -f "$DESTDIR$name"
	done
	for folder in "$cmakedir" "$datadir/hakmem"; do
		rmdir "$DESTDIR$folder" 2>/dev/null || :
	done
}

umask 022
case $1 in
install) install_all ;;
uninstall) uninstall_all ;;
*) fail "no such goal: $1" ;;
esac
