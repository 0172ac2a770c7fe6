#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No object that can be written to outlives a call, except those named here with their reason.
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}

# file:symbol. The log sink and the one signal flag of main; tables that a library fills once.
allowed='
builder/main:.*(signal|stop|caught|cancel).*
store/base/log:.*
(store|builder)/[a-z]+/[a-z]+lib:(table|loaded|once)(\.[0-9]+)?
'
bad=0 objects=()
while IFS= read -r obj; do
	src=${obj#"$BUILD"/obj/}
	[ -e "${src%.o}.c" ] && objects+=("$obj")
done < <(find "$BUILD/obj" -name '*.o' ! -path '*/obj/gen/*' ! -path '*/obj/tests/*' 2>/dev/null | sort)
[ ${#objects[@]} -gt 0 ] || { echo "global: nothing is compiled in $BUILD"; exit 1; }
while IFS=: read -r src name; do
	ok=
	for a in $allowed; do
		[[ "$src:$name" =~ ^$a$ ]] && ok=1
	done
	[ -n "$ok" ] || { echo "global: $src.c: $name can be written to"; bad=1; }
done < <(objdump -t "${objects[@]}" 2>/dev/null | awk -v prefix="$BUILD/obj/" '
	/: +file format / { src = substr($1, length(prefix) + 1); sub(/\.o:$/, "", src) }
	$0 ~ / O / && $0 ~ /\.(t?data|t?bss)/ && $0 !~ /rel\.ro/ && $NF !~ /^(__gcov|\.L|__asan|__sancov|__odr_asan)/ { print src ":" $NF }')
exit $bad
