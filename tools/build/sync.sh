#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Writes auto.conf, autoconf.h and one empty header per changed option, from
# .config. Asks about options that .config does not know when there is
# somebody to ask, and takes their defaults when there is not.
set -e

mkdir -p include/config include/generated
config=${KCONFIG_CONFIG:?} srctree=${srctree:?}

if ! test -t 0 || ! test -t 1; then
	# What was edited since the last sync is all that can be amiss.
	known=include/config/auto.conf
	test -e $known || known=/dev/null
	grep -vxFf $known "$config" >"$config.wanted" || :
	"$KCONFIG_CONF" -s --olddefconfig Kconfig
	"$srctree/tools/build/verify.sh" "$config.wanted" || :
	rm -f "$config.wanted"
fi
"$KCONFIG_CONF" -s --silentoldconfig Kconfig
# Without a change of value auto.conf would stay older than its prerequisites.
touch include/config/auto.conf
