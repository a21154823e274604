#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What kconfig-conf accepts without a word: options without help, options that
# nobody uses or defines, defaults out of range, redundant lines in defconfigs.
set -u

conf=${KCONFIG_CONF:-kconfig-conf}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
verdict=0
srctree=$PWD
export srctree
fail()
{
	echo "$*"
	verdict=1
}

kconfigs=$(find Kconfig lib mm selftests -name 'Kconfig*' -type f)

awk '
function finish()
{
	if (name != "" && !help)
		complain("no help text")
	else if (name != "" && !unsure)
		complain("the help does not end with \"If unsure, say ...\"")
	name = ""
}

function complain(what)
{
	printf "%s: %s: %s\n", file, name, what
	bad = 1
}

FNR == 1 || /^(menu|endmenu|if|endif|choice|endchoice|source|comment|config)/ {
	finish()
}
/^(menu)?config / { name = $2; file = FILENAME; help = unsure = 0 }
/^\t(help|---help---)$/ { help = 1 }
help && NF { unsure = /If unsure, say [^ ]+\.$/ }
END { finish(); exit bad }
' $kconfigs || verdict=1

# Defined against used: in C, in make and, for the tests, by name in a script
defined=$(sed -n 's/^\(menu\)\{0,1\}config \(.*\)/\2/p' $kconfigs | sort)
for option in $(echo "$defined" | uniq -d); do
	fail "$option: defined twice"
done

users=$(find include lib mm selftests tools .ci Makefile \
	\( -path include/config -o -path include/generated \
	-o -path tools/check \) -prune -o -type f ! -name '*.o' \
	! -name 'Kconfig*' ! -path 'mm/configs/*' -print 2>/dev/null)
used=$(grep -howE 'CONFIG_HAKMEM_[A-Z0-9_]*[A-Z0-9]' $users |
	sed 's/^CONFIG_//' | sort -u)
named=$(sed -nE '/^\t(depends|select|imply|default|range|bool.* if |def_)/p
	/^(if|menu.* if) /p' $kconfigs | grep -oE 'HAKMEM_[A-Z0-9_]+' | sort -u)

for option in $defined; do
	printf '%s\n' "$used" "$named" | grep -qx "$option" ||
		fail "$option: defined, but nothing uses it"
done
for option in $used $named; do
	echo "$defined" | grep -qx "$option" ||
		fail "$option: used, but no Kconfig file defines it"
done

cd "$scratch" || exit 1
mkdir -p include/config include/generated
said=$("$conf" -s --alldefconfig Kconfig 2>&1)
test -z "$said" || fail "alldefconfig: $said"
cp .config all-defaults

for file in "$srctree"/mm/configs/*defconfig; do
	"$conf" -s --defconfig="$file" Kconfig >/dev/null
	KCONFIG_CONFIG=.config "$srctree/tools/build/verify.sh" "$file" ||
		verdict=1
	"$conf" -s --savedefconfig=saved Kconfig
	grep -vE '^# (SPDX|Help)' "$file" | cmp -s - saved ||
		fail "${file#"$srctree"/}: savedefconfig would write" \
			"$(tr '\n' ' ' <saved)"
done
for file in "$srctree"/mm/configs/*.config; do
	cat all-defaults "$file" >.config
	"$conf" -s --olddefconfig Kconfig >/dev/null 2>&1
	KCONFIG_CONFIG=.config "$srctree/tools/build/verify.sh" "$file" ||
		verdict=1
done
for file in "$srctree"/mm/configs/*; do
	grep -q '^# Help: ' "$file" || fail "${file#"$srctree"/}: no '# Help: '"
done
exit $verdict
