#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One way to write what C lets one write in several: comments are /* */ but for the line of the
# licence, sizeof has parentheses for types only, and what returns -1 is compared with < 0.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh

sources c h | grep -E '^(parser|store|builder|tests)/' | grep -v /corpus/ | xargs awk '
	{
		line = $0
		gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
		gsub(/\/\*[^*]*\*\//, "", line)
	}
	line ~ /^[ \t]*(\*([ \/]|$)|\/\*)/ { next }
	line ~ /(^|[^:])\/\/ / && !(FNR == 1 && line ~ /SPDX/) {
		print "dialect: " FILENAME ":" FNR ": a comment that begins with //"
		bad = 1
	}
	# Arguments of macros may be expressions.
	line !~ /^#|\\$/ && line ~ /sizeof\(\**[a-z][A-Za-z0-9_.>\[\]-]*\)/ {
		while (match(line, /sizeof\(\**[a-z][A-Za-z0-9_.>\[\]-]*\)/)) {
			what = substr(line, RSTART + 7, RLENGTH - 8)
			line = substr(line, RSTART + RLENGTH)
			if (what !~ /^(int|char|long|short|unsigned|bool|float|double|void|z_stream|[a-z0-9_]+_(t|fn))$/) {
				print "dialect: " FILENAME ":" FNR ": sizeof " what " needs no parentheses"
				bad = 1
			}
		}
	}
	line ~ /\) == -1\)/ {
		print "dialect: " FILENAME ":" FNR ": an error is < 0"
		bad = 1
	}
	END { exit bad }'
