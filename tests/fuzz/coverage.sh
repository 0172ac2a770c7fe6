#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh [--record | CORPUS]: lines of the parsers of outside data that the inputs reach, per
# source file and in all. CORPUS is another directory of corpora (TARGET/FILE), to compare with; the
# default is ours and what is in crash/. Needs clang and llvm-cov (LLVM=-14 for a suffix of their
# names). Exit status 1 when a file is reached five points less than tests/fuzz/coverage.tsv says, which
# --record writes anew.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build} dir=${BUILD:-build}/fuzz-coverage
# shellcheck source=tests/fuzz/targets.sh
. tests/fuzz/targets.sh
cc=${FUZZ_CC:-clang}
flags="-fprofile-instr-generate -fcoverage-mapping"

# What reads bytes from outside, a line each: the file, and the share of its lines that was reached.
# Less than that, and a target has gone blind, or its corpus no longer fits what it reads.
floors=tests/fuzz/coverage.tsv
while IFS=$'\t' read -r f _; do
	[[ $f == \#* ]] || [ -e "$f" ] || {
		echo "$floors: $f: no such file"
		exit 2
	}
done <$floors

make -s BUILD="$dir" CC="$cc" CFLAGS="-O1 -g $flags" LDFLAGS="$flags" "$dir"/lib{builder,store,parser}.a >"$dir.log" 2>&1 || {
	cat "$dir.log"
	exit 2
}
record=
[ "${1:-}" != --record ] || {
	record=1
	shift
}
objects=()
rm -f "$dir"/*.profraw
for t in $(fuzz_targets); do
	inputs=()
	set -- "${@:1:1}"
	dirs=(tests/fuzz/corpus/"$t" tests/fuzz/crash/"$t")
	[ $# = 0 ] || dirs=("$1/$t")
	for d in "${dirs[@]}"; do
		[ ! -d "$d" ] || [ -z "$(ls "$d")" ] || inputs+=("$d")
	done
	# shellcheck disable=SC2086,SC2046
	$cc -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I"$dir/gen" -O1 -g $flags -o "$dir/$t" \
		tests/fuzz/fuzz_"$t".c tests/fuzz/driver.c "$dir"/lib{builder,store,parser}.a \
		-Wl,--as-needed $(pkg-config --libs jansson) -lz -lpthread || exit 2
	objects+=(-object "$dir/$t")
	# Built in any case, so that its lines count.
	[ ${#inputs[@]} -gt 0 ] || continue
	LLVM_PROFILE_FILE=$dir/$t.profraw "$dir/$t" "${inputs[@]}" >"$dir/$t.log" 2>&1 || {
		echo "$t: ended with status $?"
		exit 1
	}
done
"llvm-profdata${LLVM:-}" merge -o "$dir/all.profdata" "$dir"/*.profraw || exit 2
"llvm-cov${LLVM:-}" export -summary-only -instr-profile="$dir/all.profdata" "${objects[@]:1}" >"$dir/all.json" || exit 2
python3 - "$dir/all.json" $floors "$record" <<'PY'
import json, os, sys
floors = dict(l.rstrip("\n").split("\t") for l in open(sys.argv[2]) if not l.startswith("#"))
seen, many, less, lines = 0, 0, [], ["# file\tper cent of its lines\n"]
for f in sorted(json.load(open(sys.argv[1]))["data"][0]["files"], key=lambda f: f["filename"]):
    name = os.path.relpath(f["filename"])
    n = f["summary"]["lines"]
    if name in floors:
        print("%6.1f%% %5d of %5d  %s" % (n["percent"], n["covered"], n["count"], name))
        seen, many = seen + n["covered"], many + n["count"]
        lines.append("%s\t%.0f\n" % (name, n["percent"]))
        if n["percent"] < float(floors.pop(name)) - 5:
            less.append(name)
    elif name.startswith(("parser/", "store/oci/")) and name.endswith(".c"):
        less.append(name + " (not listed)")
print("%6.1f%% %5d of %5d  lines of parsers of outside data" % (100 * seen / many, seen, many))
for name in floors:
    less.append(name + " (not built)")
if sys.argv[3]:
    open(sys.argv[2], "w").writelines(lines)
elif less:
    print("reached less than " + sys.argv[2] + " says:", *less, sep="\n  ")
    sys.exit(1)
PY
