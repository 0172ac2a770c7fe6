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
bad=0
nm -A -g --defined-only "${objects[@]}" 2>/dev/null | awk -v prefix="$BUILD/obj/" '
	{
		name = $3
		src = substr($1, length(prefix) + 1); sub(/\.o:.*/, "", src)
		n = split(src, part, "/")
		a = part[n]; b = n > 1 ? part[n - 1] : ""; c = a; sub(/_.*/, "", c)
	}
	NF == 3 && index(name, c "_") != 1 && name != "main" && name != a && name != b && index(name, a "_") != 1 &&
	index(name, b "_") != 1 && !(src ~ /^store\/(tar|tree|erofs|compress)\// && name ~ /^layer_/) && name !~ /^(_|df_yy)/ { print "exports: " src ".c: " name; bad = 1 }
	END { exit bad }' || bad=1

# What no other object uses: static, or dead, or there for tests.
sources() { find parser store builder -name "*.$1"; }
tested=$(find tests -name '*.[ch]' -exec grep -ohE '[a-z][a-z0-9_]*' {} + | sort -u)
hooks=$(sources h | xargs grep -hE -A3 '[Ff]or (its )?tests?\b' | grep -oE '[a-z][a-z0-9_]*' | sort -u)
unused=$(nm -A -g "${objects[@]}" "$BUILD"/obj/gen/parser/*.o "$BUILD"/obj/builder/main.o 2>/dev/null | awk '
	$(NF - 1) == "U" { used[$NF] = 1; next }
	{ made[$NF] = 1 }
	END { for (name in made) if (!(name in used) && name !~ /^(_|df_yy|main$)/) print name }' | sort)
for name in $(comm -23 <(echo "$unused") <(echo "$hooks")); do
	# A part of a file that its test asks for is one as long as the file needs it as well.
	src=$(sources c | xargs grep -lwE "^[a-z].*\\b$name(\\(.*| =.*)" | head -1)
	[ -n "$src" ] || continue
	if ! grep -qxF "$name" <<<"$tested"; then
		echo "exports: $src: $name: nothing else uses it"
		bad=1
	elif [ "$(grep -cw "$name" "$src")" -lt 2 ]; then
		echo "exports: $src: $name: only tests use it, and its header does not say \"for tests\""
		bad=1
	fi
done
exit $bad
