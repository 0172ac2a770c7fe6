#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Functions without a limit, with hidden state or that depend on the locale are not called; nor
# are words left that mean "later". Comments and strings of C files do not count as calls.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
bad=0

calls='strcpy strcat sprintf vsprintf strncpy strncat strtok gets tmpnam mktemp tempnam gmtime localtime ctime asctime atoi atol atoll sscanf system popen alloca signal'
outside_sandbox='setenv putenv unsetenv chdir fchdir chroot umask'

# call and the only file that calls it: the others go through what that file offers.
only='
pthread_create  store/base/thread.c
'

strip='{ gsub(/"([^"\\]|\\.)*"/, "\"\""); gsub(/\/\*[^*]*\*\//, ""); sub(/\/\/.*/, "") }
	/^[ \t]*(\*|\/\*)/ { next }'

look() { # look FILE NAMES
	awk -v names="$2" -v file="$1" '
		BEGIN { n = split(names, w, " ") }
		'"$strip"'
		{
			for (i = 1; i <= n; i++)
				if ($0 ~ "(^|[^A-Za-z0-9_>.])" w[i] "[ \t]*\\(") {
					print "banned: " file ":" FNR ": " w[i]
					bad = 1
				}
		}
		END { exit bad }' "$1" || bad=1
}

while IFS= read -r f; do
	case $f in
	parser/* | store/* | builder/*)
		look "$f" "$calls"
		case $f in builder/sandbox/*) ;; *) look "$f" "$outside_sandbox" ;; esac
		look "$f" "$(awk -v f="$f" 'NF == 2 && $2 != f { printf "%s ", $1 }' <<<"$only")"
		;;
	esac
done < <(sources c h l y)

later='TO''DO|FIX''ME|X''XX|HA''CK'
while IFS= read -r line; do
	echo "later: $line"
	bad=1
done < <(sources c h l y sh bats bash py md | grep -v '^tests/lint/' | xargs -r grep -nE "\\b($later)\\b")
exit $bad
