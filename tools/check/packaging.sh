#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The files for other build systems, read by kconfig-conf, make and bash with
# stand-ins for those systems: what is asked for must come out, and the commands
# that would be run must name goals and configurations of ours.
set -u

packaging=$PWD/tools/packaging
conf=${KCONFIG_CONF:-kconfig-conf}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
verdict=0
fail()
{
	echo "packaging.sh: $*"
	verdict=1
}

# said PATTERN: the last output has such a line
said()
{
	grep -qE -e "$1" "$scratch/said" || fail "$what: no line like '$1'"
}

# configure: the Kconfig file on standard input, the wanted lines as arguments
configure()
{
	cat >"$scratch/Kconfig"
	printf '%s\n' "$@" >"$scratch/.config"
	# None of them has a prefix before its symbols in .config, or its own.
	(cd "$scratch" && CONFIG_='' "$conf" -s --olddefconfig Kconfig) \
		>"$scratch/complaints" 2>&1
	! grep -E 'warning|error|unknown' "$scratch/complaints" ||
		fail "$what: kconfig complains"
	cp "$scratch/.config" "$scratch/said"
}

# A configuration that something names by default must be there.
config_exists()
{
	test -e "mm/configs/$1" || fail "$what: no mm/configs/$1"
}

# --- Buildroot ---------------------------------------------------------------

buildroot_kconfig()
{
	cat <<-EOT
	mainmenu "Buildroot"
	config BR2_USE_MMU
		bool "MMU"
	config BR2_TOOLCHAIN_HAS_THREADS
		bool "threads"
	config BR2_STATIC_LIBS
		bool "static"
	source "$packaging/buildroot/package/hakmem/Config.in"
	EOT
}

# What Buildroot defines, as far as hakmem.mk uses it; the goals run the steps.
buildroot_make()
{
	cat >"$scratch/Makefile" <<'EOT'
qstrip = $(strip $(subst ",,$(1)))
TARGET_CROSS = triple-
TARGET_CC = triple-gcc
TARGET_MAKE_ENV = PATH=host
INSTALL = install
STAGING_DIR = staging
TARGET_DIR = target
kconfig-package =
include $(BR2_EXTERNAL_HAKMEM_PATH)/external.mk
all: build/hakmem
build/hakmem:
	: site $(HAKMEM_SITE)
	: configure $(HAKMEM_KCONFIG_DEFCONFIG)
	$(HAKMEM_BUILD_CMDS)
	$(HAKMEM_INSTALL_STAGING_CMDS)
	$(HAKMEM_INSTALL_TARGET_CMDS)
	$(foreach h,$(HAKMEM_POST_INSTALL_TARGET_HOOKS),$($(h)))
EOT
	sed -n 's/^\(BR2_[A-Z_]*=.*\)/\1/p' "$scratch/.config" \
		>"$scratch/config.mk"
	(cd "$scratch" && make -n -f config.mk -f Makefile all \
		BR2_EXTERNAL_HAKMEM_PATH="$packaging/buildroot") \
		>"$scratch/said" 2>&1 ||
		{ fail "$what: make"; cat "$scratch/said"; }
}

what="Buildroot's Config.in"
buildroot_kconfig | configure BR2_USE_MMU=y BR2_TOOLCHAIN_HAS_THREADS=y \
	BR2_PACKAGE_HAKMEM=y BR2_PACKAGE_HAKMEM_PRELOAD=y
said '^BR2_PACKAGE_HAKMEM=y$'
said '^BR2_PACKAGE_HAKMEM_PRELOAD=y$'
said '^BR2_PACKAGE_HAKMEM_DEFCONFIG="small"$'
config_exists small_defconfig

what="Buildroot's hakmem.mk"
buildroot_make
said "^: site $PWD\$"
said '^: configure small_defconfig$'
said 'PATH=host make .*CROSS_COMPILE="triple-" CC="triple-gcc"'
said ' libhakmem.so hakmem.o libhakmem.a$'
said 'libhakmem.so.1 staging/usr/lib/'
said 'libhakmem.so.1 +target/usr/lib/|target/usr/lib/libhakmem.so.1'
said 'target/etc/ld.so.preload'

what="Buildroot without shared libraries"
buildroot_kconfig | configure BR2_USE_MMU=y BR2_TOOLCHAIN_HAS_THREADS=y \
	BR2_STATIC_LIBS=y BR2_PACKAGE_HAKMEM=y BR2_PACKAGE_HAKMEM_PRELOAD=y
buildroot_make
said '^: configure small_defconfig$'
! grep -E 'libhakmem\.so|preload' "$scratch/said" ||
	fail "$what: shared library"

what="Buildroot without threads"
buildroot_kconfig | configure BR2_USE_MMU=y BR2_PACKAGE_HAKMEM=y
! grep HAKMEM=y "$scratch/said" || fail "$what: chosen"

# --- uClibc-ng ---------------------------------------------------------------

what="uClibc-ng's Config.in"
configure ARCH_USE_MMU=y UCLIBC_HAS_THREADS_NATIVE=y MALLOC_HAKMEM=y <<EOT
mainmenu "uClibc-ng"
config ARCH_USE_MMU
	bool "MMU"
config UCLIBC_HAS_THREADS_NATIVE
	bool "threads"
choice
	prompt "Malloc Implementation"
	default MALLOC_STANDARD
config MALLOC_STANDARD
	bool "malloc-standard"
source "$packaging/uclibc-ng/Config.in"
endchoice
source "$packaging/uclibc-ng/Config.options"
EOT
said '^MALLOC_HAKMEM=y$'
said '^HAKMEM_DEFCONFIG="small_defconfig"$'
config_exists small_defconfig

what="uClibc-ng's Makefile.in"
sed -n 's/^\([A-Z_]*=.*\)/\1/p' "$scratch/said" >"$scratch/config.mk"
cat >"$scratch/Makefile" <<'EOT'
qstrip = $(strip $(subst ",,$(1)))
CROSS_COMPILE = triple-
CC = triple-gcc
NM = triple-nm
CFLAGS = -Iinclude -Wall
CPU_CFLAGS = -mcpu=one -fno-asm
KERNEL_HEADERS = /kernel
do_rm = rm -f
top_builddir = ./
all: made
include $(part)
made: $(libc-y) $(libc-y:.o=.os) $(objclean-y)
pregen include/bits/uClibc_config.h:
$(addprefix libc/stdlib/malloc-hakmem/hidden,.o .os):
EOT
(cd "$scratch" && make -n -f config.mk -f Makefile MAKE='echo make' \
	part="$packaging/uclibc-ng/Makefile.in") >"$scratch/said" 2>&1 ||
	{ fail "$what: make"; cat "$scratch/said"; }
said 'make -C /usr/src/hakmem .*CROSS_COMPILE="triple-".* small_defconfig$'
said 'isystem .*/tree/usr/include .*-isystem /kernel -mcpu=one '
said 'make install_headers PREFIX=.*/tree/ DEVEL_PREFIX=usr/$'
said ' hakmem\.pic\.o$'
said 'cp .*/tree/hakmem\.pic\.o .*malloc-hakmem/hakmem\.os$'
said 'objcopy .*--weaken-symbols=.*/tree/hakmem\.pic\.o$'
said 'rm -f -r .*malloc-hakmem/tree'
for goal in hakmem.o hakmem.pic.o libhakmem.a; do
	grep -q "^$goal:" tools/build/Makefile.build ||
		fail "no goal $goal in tools/build/Makefile.build"
done

# --- crosstool-NG ------------------------------------------------------------

what="crosstool-NG's hakmem.in"
{ printf 'mainmenu "crosstool-NG"\n'
  cat "$packaging/crosstool-ng/config/comp_libs/hakmem.in"; } |
	configure HAKMEM_SPECS=y
said '^HAKMEM_SPECS=y$'
said '^HAKMEM_DEFCONFIG="defconfig"$'

what="crosstool-NG's build script"
script=$packaging/crosstool-ng/scripts/build/companion_libs/360-hakmem.sh
if command -v bash >/dev/null; then
	mkdir -p "$scratch/bin" "$scratch/build/build-hakmem-1-1"
	cat >"$scratch/bin/triple-gcc" <<-EOT
	#!/bin/sh
	test "\$1" = -dumpspecs && echo "*all:" || echo $scratch/gcc/libgcc.a
	EOT
	chmod +x "$scratch/bin/triple-gcc"
	mkdir "$scratch/gcc"
	PATH=$scratch/bin:$PATH CT_COMP_LIBS_HAKMEM=y \
		CT_HAKMEM_DEFCONFIG=defconfig CT_HAKMEM_SPECS=y \
		CT_TARGET=triple CT_SRC_DIR=/src \
		CT_BUILD_DIR="$scratch/build" CT_JOBSFLAGS=-j2 bash -eu -c '
	CT_Fetch() { echo "fetch $1"; }
	CT_ExtractPatch() { echo "extract $1"; }
	CT_DoStep() { :; }
	CT_EndStep() { :; }
	CT_DoLog() { :; }
	CT_SanitizeVarDir() { eval "$1=\$(echo \$$1 | sed s:/*\$::)"; }
	CT_DoExecLog() { shift; echo "$@"; test "$1" != mv || "$@"; }
	CT_IterateMultilibs() {
		"$1" multi_os_dir=. "multi_flags=-m1 -m2" multi_root=/root \
			multi_index=1 multi_count=1
	}
	. "$1"
	do_hakmem_get; do_hakmem_extract; do_hakmem_for_build
	do_hakmem_for_host; do_hakmem_for_target' bash "$script" \
		>"$scratch/said" 2>&1 ||
		{ fail "$what: bash"; cat "$scratch/said"; }
	said '^fetch HAKMEM$'
	said '^make -C /src/hakmem .* CROSS_COMPILE=triple- .*-m2 defconfig$'
	said '^make .* -j2 libhakmem.so hakmem.o libhakmem.a$'
	said '^cp .*/hakmem.o /root/usr/lib'
	grep -q 'hakmem.o%s' "$scratch/gcc/specs" || fail "$what: no specs"
fi

exit $verdict
