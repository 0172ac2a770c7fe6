#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone and has the guard its path asks for; every C file starts with the
# licence line.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
BUILD=${BUILD:-build}
bad=0
headers() { sources h | grep -E '^(parser|store|builder)/'; }
headers | xargs awk '
	FNR == 1 { guard = FILENAME; gsub(/[\/.-]/, "_", guard); guard = "BLD_" toupper(guard); want[FILENAME] = guard }
	$0 == "#ifndef " guard { delete want[FILENAME] }
	END { for (f in want) { print "header: " f ": guard is not " want[f]; bad = 1 } exit bad }' || bad=1
# Many at a time; the compiler names the file that it cannot read.
if ! out=$(headers | { [ -e "$BUILD/gen/parser/grammar.h" ] && cat || grep -v '^parser/scan\.h$'; } |
	xargs -P "$(nproc)" -n 24 ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-I. -I"$BUILD/gen" -fsyntax-only -x c 2>&1); then
	echo "$out" | grep -E 'error' | sed 's/^/header does not compile alone: /' | head -20
	bad=1
fi
sources c h | xargs awk '
	FNR == 1 && !/SPDX-License-Identifier: Apache-2.0/ { print "licence: " FILENAME ": first line"; bad = 1 }
	END { exit bad }' || bad=1
exit $bad
