#!/bin/sh
# SPDX-License-Identifier: MIT
#
# verify.sh FILE...: kconfig drops unknown options, values out of range and
# unmet dependencies without a word. Every line of FILE must be in .config.

verdict=0
for file; do
	while read -r line; do
		case $line in
		CONFIG_*=n) line="# ${line%=n} is not set" ;;
		CONFIG_*=* | '# CONFIG_'*' is not set') ;;
		*) continue ;;
		esac
		grep -qxF "$line" "$KCONFIG_CONFIG" && continue

		option=${line#\# }
		option=${option%%[ =]*}
		now=$(grep -E "^(# )?${option}[ =]" "$KCONFIG_CONFIG")
		# An option that is absent is as off as one that is not set.
		test -z "$now" && test "$line" = "# $option is not set" &&
			continue
		echo "$KCONFIG_CONFIG: '$line' of ${file##*/} was not" \
			"accepted: ${now:-no such option here}" >&2
		verdict=1
	done <"$file"
done
exit $verdict
