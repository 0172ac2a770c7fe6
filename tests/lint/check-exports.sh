#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every symbol that FILE.o exports starts with FILE_, with the first word of FILE (auth_file.c is a
# part of auth.h) or with the name of its folder: a reader who meets a name knows the file. Looks at the objects below $BUILD/obj.
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
bad=0 seen=0
while IFS= read -r obj; do
	seen=1
	src=${obj#"$BUILD"/obj/}
	# An object of a file that is gone says nothing.
	[ -e "${src%.o}.c" ] || continue
	file=$(basename "$obj" .o) folder=$(basename "$(dirname "$obj")")
	alien=$(nm -g --defined-only "$obj" 2>/dev/null | awk -v a="$file" -v b="$folder" '
		BEGIN { c = a; sub(/_.*/, "", c) }
		NF == 3 && index($3, c "_") != 1 && $3 != "main" && $3 != a && $3 != b && index($3, a "_") != 1 &&
		index($3, b "_") != 1 && $3 !~ /^(_|df_yy)/ { print $3 }')
	if [ -n "$alien" ]; then
		echo "exports: ${src%.o}.c:" $alien
		bad=1
	fi
done < <(find "$BUILD/obj" -name '*.o' ! -path '*/obj/gen/*' ! -path '*/obj/tests/*' 2>/dev/null | sort)
[ $seen = 1 ] || { echo "exports: nothing is compiled in $BUILD"; exit 1; }
exit $bad
