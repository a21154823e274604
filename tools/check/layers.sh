#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who may include and call what: lib/, then the core of mm/, then the tiers
# (which never include each other), then the files that route between them.
set -u

verdict=0

# report MESSAGE: prints the lines on standard input, if any, as failures
report()
{
	lines=$(cat)
	test -n "$lines" || return 0
	printf '%s\n' "$lines" | sed "s|\$| <- $1|"
	verdict=1
}

# includes PATTERN PATH...: lines that include a header matching PATTERN
includes()
{
	header="^[ 	]*#[ 	]*include[ 	]*[<\"]$1"
	shift
	grep -rnE --include='*.[ch]' "$header" "$@" 2>/dev/null
}

# calls PATTERN PATH...: lines that call one of the functions, out of comments
calls()
{
	pattern=$1
	shift
	grep -rnE --include='*.[ch]' "(^|[^_[:alnum:]>.\"])($pattern)\(" "$@" \
		2>/dev/null | grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)'
}

report "lib/ includes nothing of mm/" <<EOT
$(includes '(mm/|hakmem\.h)' lib include/lib)
EOT
report "no path climbs up" <<EOT
$(includes '\.\./' include lib mm tools)
EOT
report "nothing includes the selftests" <<EOT
$(includes 'selftests/' include lib mm tools)
EOT
report "tools use the installed header only" <<EOT
$(includes '(lib|mm)/' tools)
EOT

# A tier's interface is for its own folder, and for the layer above all tiers.
above='mm/(route|malloc|realloc|aligned|info|stats)\.[ch]:'
for tier in tiny mid ace large; do
	report "neither the core nor another tier knows mm/$tier.h" <<EOT
$(includes "mm/$tier\\.h" include lib mm |
	grep -vE "^(mm/$tier/|(include/)?$above)")
EOT
done

# A private header is found in the folder of the file that includes it.
report "a private header of another folder, or no such header" <<EOT
$(includes '' include lib mm |
	sed -n 's/^\([^:]*\):\([0-9]*\):.*"\(.*\)".*/\1 \2 \3/p' |
	while read -r file line header; do
		test -e "include/$header" || test -e "${file%/*}/$header" ||
			echo "$file:$line: $header"
	done)
EOT

# Of the start, one call.
report "neither the core nor a tier knows mm/fallback.h" <<EOT
$(includes 'mm/fallback\.h' include lib mm |
	grep -vE "^(mm/fallback/|mm/init\.c:|(include/)?$above)")
EOT
report "only include/mm/next.h looks for libc's malloc" <<EOT
$(grep -rnw --include='*.[ch]' RTLD_NEXT include lib mm |
	grep -v '^include/mm/next\.h')
EOT

report "only mm/vm.c asks the kernel for memory" <<EOT
$(calls 'mmap|munmap|mremap|madvise|mincore|mprotect|brk|sbrk|prctl' \
	include lib mm | grep -v '^mm/vm\.c:')
EOT
report "only mm/report.c aborts" <<EOT
$(calls 'abort|__builtin_trap' include lib mm | grep -v '^mm/report\.c:')
EOT
report "only mm/knobs.c reads the environment" <<EOT
$(grep -rnwE --include='*.[ch]' 'environ|getenv|secure_getenv' include lib mm |
	grep -v '^mm/knobs\.c:')
EOT
report "only mm/thread.c and mm/libc/thread.c have a pthread key" <<EOT
$(calls 'pthread_key_create|pthread_setspecific' include lib mm |
	grep -v '^mm/\(libc/\)\{0,1\}thread\.c:')
EOT

exit $verdict
