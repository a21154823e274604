#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Build script for hakmem, read in by crosstool-NG.

do_hakmem_get() { :; }
do_hakmem_extract() { :; }
do_hakmem_for_build() { :; }
do_hakmem_for_host() { :; }
do_hakmem_for_target() { :; }

if [ "${CT_COMP_LIBS_HAKMEM:-}" = "y" ]; then

do_hakmem_get()
{
	CT_Fetch HAKMEM
}

do_hakmem_extract()
{
	CT_ExtractPatch HAKMEM
}

do_hakmem_for_target()
{
	CT_DoStep INFO "Installing hakmem for target"
	CT_IterateMultilibs do_hakmem_backend multilib
	CT_EndStep
}

# For one multilib; its folder, flags and sysroot come as name=value.
do_hakmem_backend()
{
	local multi_os_dir multi_flags multi_root multi_index multi_count
	local arg libdir tree
	local -a make

	for arg in "$@"; do
		eval "${arg// /\\ }"
	done

	tree="${CT_BUILD_DIR}/build-hakmem-${multi_index}-${multi_count}"
	libdir="/usr/lib/${multi_os_dir}"
	CT_SanitizeVarDir libdir
	make=( make -C "${CT_SRC_DIR}/hakmem" "O=${tree}"
		"CROSS_COMPILE=${CT_TARGET}-"
		"KCFLAGS=${multi_flags}" "KLDFLAGS=${multi_flags}" )

	CT_DoLog EXTRA "Configuring hakmem"
	CT_DoExecLog CFG "${make[@]}" "${CT_HAKMEM_DEFCONFIG}"

	CT_DoLog EXTRA "Building hakmem"
	CT_DoExecLog ALL "${make[@]}" ${CT_JOBSFLAGS} \
		libhakmem.so hakmem.o libhakmem.a

	CT_DoLog EXTRA "Installing hakmem"
	CT_DoExecLog ALL mkdir -p "${multi_root}${libdir}" \
		"${multi_root}/usr/include"
	CT_DoExecLog ALL cp "${tree}/libhakmem.so.1" "${tree}/libhakmem.a" \
		"${tree}/hakmem.o" "${multi_root}${libdir}"
	CT_DoExecLog ALL ln -sf libhakmem.so.1 \
		"${multi_root}${libdir}/libhakmem.so"
	CT_DoExecLog ALL cp "${CT_SRC_DIR}/hakmem/include/hakmem.h" \
		"${multi_root}/usr/include"
	if [ "${CT_HAKMEM_SPECS:-}" = "y" ]; then
		do_hakmem_specs
	fi
}

# gcc reads a file of this name beside its own libraries, instead of what it
# has inside. Shared objects are linked without: they use the program's malloc.
do_hakmem_specs()
{
	local gcc_dir

	gcc_dir=$(dirname "$("${CT_TARGET}-gcc" -print-libgcc-file-name)")
	rm -f "${gcc_dir}/specs"
	{
		"${CT_TARGET}-gcc" -dumpspecs
		printf '%s\n' '*startfile:' '+ %{!shared:%{!r:hakmem.o%s}}' ''
	} >"${tree}/specs"
	CT_DoExecLog ALL mv "${tree}/specs" "${gcc_dir}/specs"
}

fi
