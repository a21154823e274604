#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh [build|test|bench|install|cross]...: install what is missing, by
# apt-get. "build" leaves out what only some tests want; those tests skip where
# it is missing. "test", also without arguments, brings that, "bench" what the
# benchmarks can use, "install" what "make deb" and the selftests of what is
# installed need, "cross" other processors and musl. Nothing is ever removed:
# the compilers for other processors exclude Debian's gcc-multilib.
set -u

# What has to work, and the Debian package that brings it. A name alone is a
# program, <x.h> a header, x.so.N a shared library, x.a a static one, /x a file,
# -x an option of clang's to link with.
build_needs='
kconfig-conf		kconfig-frontends-nox
gcc			gcc
<stdlib.h>		libc6-dev
<check.h>		check
'
test_wants='
g++			g++
clang			clang
-fsanitize=address	libclang-rt-dev
pkg-config		pkg-config
python3			python3
perl			perl
sqlite3			sqlite3
git			git
redis-server		redis-server
redis-benchmark		redis-tools
tmux			tmux
valgrind		valgrind
stress-ng		stress-ng
libjemalloc.so.2	libjemalloc2
libmimalloc.so.2	libmimalloc2.0
libjemalloc.a		libjemalloc-dev
'
bench_wants='
/usr/bin/time		time
taskset			util-linux
gnuplot			gnuplot-nox
valgrind		valgrind
libjemalloc.so.2	libjemalloc2
libmimalloc.so.2	libmimalloc2.0
libtcmalloc_minimal.so.4	libtcmalloc-minimal4
redis-server		redis-server
redis-benchmark		redis-tools
sqlite3			sqlite3
python3			python3
perl			perl
jq			jq
lua			lua5.4
'
install_wants='
cmake			cmake
meson			meson
pkg-config		pkg-config
g++			g++
clang			clang
ld.lld			lld
llvm-ar			llvm
mandoc			mandoc
shellcheck		shellcheck
/usr/share/bash-completion/bash_completion	bash-completion
dpkg-buildpackage	dpkg-dev
/usr/share/build-essential/list	build-essential
dh			debhelper
fakeroot		fakeroot
lintian			lintian
'
cross_wants='
aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
aarch64-linux-gnu-g++	g++-aarch64-linux-gnu
arm-linux-gnueabihf-gcc	gcc-arm-linux-gnueabihf
arm-linux-gnueabihf-g++	g++-arm-linux-gnueabihf
riscv64-linux-gnu-gcc	gcc-riscv64-linux-gnu
riscv64-linux-gnu-g++	g++-riscv64-linux-gnu
i686-linux-gnu-gcc	gcc-i686-linux-gnu
i686-linux-gnu-g++	g++-i686-linux-gnu
qemu-aarch64		qemu-user
musl-gcc		musl-tools
'

works()
{
	case $1 in
	*.a) test -e "$(gcc -print-file-name="$1")" ;;
	'<'*) echo "#include $1" | gcc -E - >/dev/null 2>&1 ;;
	*.so.*) PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -qF "$1" ;;
	/*) test -e "$1" ;;
	-*) echo 'int main(void) { return 0; }' |
		clang "$1" -x c - -o /dev/null 2>/dev/null ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# Packages of those lines on standard input that do not work here
missing()
{
	while read -r what package; do
		test -z "$what" || works "$what" || echo "$package"
	done | sort -u | tr '\n' ' '
}

as_root()
{
	if test "$(id -u)" = 0; then
		"$@"
	else
		sudo "$@"
	fi
}

test $# -gt 0 || set -- test
wants=
for purpose; do
	case $purpose in
	build) ;;
	test) wants=$wants$test_wants ;;
	bench) wants=$wants$bench_wants ;;
	install) wants=$wants$install_wants ;;
	cross) wants=$wants$cross_wants ;;
	*) echo "setup: no such purpose: $purpose" >&2; exit 1 ;;
	esac
done
needed=$(echo "$build_needs" | missing)
wanted=$(echo "$wants" | missing)
test -n "$needed$wanted" || exit 0

by_hand()
{
	echo "setup: $1; missing here (Debian's names): $needed$wanted" >&2
	# Without the wanted ones everything builds.
	test -z "$needed"
	exit
}

command -v apt-get >/dev/null || by_hand "no apt-get on this system"
test "$(id -u)" = 0 || command -v sudo >/dev/null ||
	by_hand "neither root nor sudo"

export DEBIAN_FRONTEND=noninteractive
install='apt-get install -qq -y --no-install-recommends --no-remove'

echo "setup: installing $needed$wanted"
as_root apt-get update -qq || by_hand "apt-get update failed"
if test -n "$needed"; then
	# shellcheck disable=SC2086 # lists of words
	as_root $install $needed >/dev/null || by_hand "apt-get failed"
fi
# At once, or, where one of them cannot be had, each by itself
# shellcheck disable=SC2086
test -z "$wanted" || as_root $install $wanted >/dev/null 2>&1 ||
for package in $wanted; do
	as_root $install "$package" >/dev/null ||
		echo "setup: no $package; what wants it is skipped" >&2
done
