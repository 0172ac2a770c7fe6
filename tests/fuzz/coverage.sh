#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh [CORPUS]: lines of the parsers of outside data that the inputs reach, per source file
# and in all. CORPUS is another directory of corpora (TARGET/FILE), to compare with; the default is
# ours with the regressions. Needs clang and llvm-cov (LLVM=-14 for a suffix of their names).
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build} dir=${BUILD:-build}/fuzz-coverage
# shellcheck source=tests/fuzz/targets.sh
. tests/fuzz/targets.sh
cc=${FUZZ_CC:-clang}
flags="-fprofile-instr-generate -fcoverage-mapping"

# What reads bytes from outside.
parsers='parser/.*\.c|store/tar/(block|sparse|walk|name|userarchive)\.c|store/tree/(delta|tree|lookup)\.c|store/erofs/.*\.c|store/compress/(inflate|gziphead)\.c|store/oci/.*\.c|store/(reference|statindex|layerlines|recordline)\.c|store/base/(jsonx|base64)\.c|store/transport/(url|auth_header|auth_file|backoff|reply|http_sink|bundle|docker_archive|oci_archive|oci_layout)\.c|builder/(image/userdb|git/gitmodules|plan/ports|input/contextspec|cache/record|explain/explain_past|explain/explain_list)\.c|builder/output/parse\.c'

make -s BUILD="$dir" CC="$cc" CFLAGS="-O1 -g $flags" LDFLAGS="$flags" "$dir"/lib{builder,store,parser}.a >"$dir.log" 2>&1 || {
	cat "$dir.log"
	exit 2
}
objects=()
rm -f "$dir"/*.profraw
for t in $(fuzz_targets); do
	inputs=()
	set -- "${@:1:1}"
	dirs=(tests/fuzz/corpus/"$t" tests/fuzz/regressions/"$t")
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
python3 - "$dir/all.json" "$parsers" <<'PY'
import json, os, re, sys
seen, many = 0, 0
for f in sorted(json.load(open(sys.argv[1]))["data"][0]["files"], key=lambda f: f["filename"]):
    name = os.path.relpath(f["filename"])
    lines = f["summary"]["lines"]
    if re.fullmatch(sys.argv[2], name):
        print("%6.1f%% %5d of %5d  %s" % (lines["percent"], lines["covered"], lines["count"], name))
        seen, many = seen + lines["covered"], many + lines["count"]
print("%6.1f%% %5d of %5d  lines of parsers of outside data" % (100 * seen / many, seen, many))
PY
