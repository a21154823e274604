#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds Debian packages of the stock configuration from a copy of the sources,
# in deb/ of the object tree, which is the working folder, and asks lintian.
#
# Environment: srctree; DEB_BUILD_OPTIONS and dpkg-buildpackage's other ones.
set -eu
: "${srctree:?}"

for program in dpkg-buildpackage dh; do
	command -v $program >/dev/null || {
		echo "deb: $program was not found: run 'make setup-install'" >&2
		exit 1
	}
done

# What make exports to us would be taken for the packages'.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
unset O W V Q CC CXX AR NM OBJCOPY CROSS_COMPILE KCONFIG_CONFIG objtree quiet
unset DESTDIR prefix bindir libdir includedir datadir mandir

debian=$srctree/tools/packaging/deb
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$debian/changelog")
grep -q "^#define HAKMEM_VERSION[ 	]*\"$version\"" \
	"$srctree/include/hakmem.h" || {
	echo "deb: $debian/changelog is of $version, hakmem.h is not" >&2
	exit 1
}

rm -rf deb
copy=$PWD/deb/hakmem-$version
"$srctree/tools/packaging/sources.sh" "$srctree" "$copy"
mkdir "$copy/debian"
cp -R "$debian/." "$copy/debian"
rm "$copy/debian/build.sh"

(cd "$copy" && unset srctree && dpkg-buildpackage -b -us -uc)
rm -rf "$copy"
ls deb/*.deb

command -v lintian >/dev/null || {
	echo "lintian: not found, so nothing is known"
	exit 0
}
root=
test "$(id -u)" != 0 || root=--allow-root
lintian $root --fail-on error,warning deb/*.changes
echo "lintian: no errors, no warnings"
