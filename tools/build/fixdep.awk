# SPDX-License-Identifier: MIT
#
# Reads the compiler's list of headers (-MMD), prints make rules. autoconf.h
# changes with every option, so it is replaced by the one empty file that
# kconfig touches for each option which the sources name.

{
	sub(/^[^ ]*:/, "")
	gsub(/\\$/, "")
	for (i = 1; i <= NF; i++)
		if ($i !~ /include\/generated\/autoconf\.h$/)
			files[$i] = 1
}

function scan(file,	line, option)
{
	while ((getline line < file) > 0) {
		while (match(line, /CONFIG_[A-Z0-9_]+/)) {
			option = substr(line, RSTART + 7, RLENGTH - 7)
			options[option] = 1
			line = substr(line, RSTART + RLENGTH)
		}
	}
	close(file)
}

END {
	printf "deps_%s :=", target
	for (file in files) {
		printf " \\\n  %s", file
		scan(file)
	}
	for (option in options) {
		path = tolower(option)
		gsub(/_/, "/", path)
		printf " \\\n  $(wildcard include/config/%s.h)", path
	}
	printf "\n%s: $(deps_%s)\n$(deps_%s):\n", target, target, target
}
