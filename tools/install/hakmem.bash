# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of hakmem-run and hakmem-config: their --help lists the options.

_hakmem_run()
{
	local cur prev words cword split i
	_init_completion -s || return

	# From the program on, what the program's own completion says
	for ((i = 1; i < cword; i++)); do
		if [[ ${words[i]} != -* ]]; then
			_command_offset "$i"
			return
		fi
		if [[ ${words[i]} == -- ]]; then
			_command_offset "$((i + 1))"
			return
		fi
	done
	case $prev in
	--library)
		_filedir
		return
		;;
	esac
	$split && return
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(hakmem-run --help | sed -nE \
			's/^  (-., )?(--[a-z-]+=?).*/\2/p')" -- "$cur")
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
		return
	fi
	mapfile -t COMPREPLY < <(compgen -c -- "$cur")
} &&
	complete -F _hakmem_run hakmem-run

_hakmem_config()
{
	local cur prev words cword split
	_init_completion -s || return

	if [[ $prev == --kconfig ]]; then
		_filedir
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$(hakmem-config --help |
		grep -oE -- '--[a-z-]+')" -- "$cur")
} &&
	complete -F _hakmem_config hakmem-config
