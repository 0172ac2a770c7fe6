#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every symbol that FILE.o exports starts with FILE_, with the first word of FILE (auth_file.c is a
# part of auth.h) or with the name of its folder: a
# reader who meets a name knows the file. What the four rooms of layers export starts with layer_ as
# well. Looks at the objects below $BUILD/obj.
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
# One nm over all of them: a process for each object is most of the time of a lint.
objects=()
while IFS= read -r obj; do
	src=${obj#"$BUILD"/obj/}
	# An object of a file that is gone says nothing.
	[ -e "${src%.o}.c" ] && objects+=("$obj")
done < <(find "$BUILD/obj" -name '*.o' ! -path '*/obj/gen/*' ! -path '*/obj/tests/*' 2>/dev/null | sort)
[ ${#objects[@]} -gt 0 ] || { echo "exports: nothing is compiled in $BUILD"; exit 1; }
nm -A -g --defined-only "${objects[@]}" 2>/dev/null | awk -v prefix="$BUILD/obj/" '
	{
		name = $3
		src = substr($1, length(prefix) + 1); sub(/\.o:.*/, "", src)
		n = split(src, part, "/")
		a = part[n]; b = n > 1 ? part[n - 1] : ""; c = a; sub(/_.*/, "", c)
	}
	NF == 3 && index(name, c "_") != 1 && name != "main" && name != a && name != b && index(name, a "_") != 1 &&
	index(name, b "_") != 1 && !(src ~ /^store\/(tar|tree|erofs|compress)\// && name ~ /^layer_/) && name !~ /^(_|df_yy)/ { print "exports: " src ".c: " name; bad = 1 }
	END { exit bad }'
