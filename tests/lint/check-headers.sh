#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone and has the guard its path asks for; every C file starts with the
# licence line.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
BUILD=${BUILD:-build}
bad=0
while IFS= read -r h; do
	guard=BLD_$(echo "$h" | tr 'a-z/.-' 'A-Z___')
	grep -q "^#ifndef $guard\$" "$h" || { echo "header: $h: guard is not $guard"; bad=1; }
	case $h in parser/scan.h) [ -e "$BUILD/gen/parser/grammar.h" ] || continue ;; esac
	out=$(printf '#include "%s"\n' "$h" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-I. -I"$BUILD/gen" -fsyntax-only -x c - 2>&1) ||
		{ echo "header: $h does not compile alone: $(echo "$out" | head -3)"; bad=1; }
done < <(sources h | grep -E '^(parser|store|builder)/')
while IFS= read -r f; do
	head -1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
		{ echo "licence: $f: first line"; bad=1; }
done < <(sources c h)
exit $bad
