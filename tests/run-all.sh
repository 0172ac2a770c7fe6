#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run test suites and count: run-all.sh [lint] [analyze] [unit] [e2e] [conformance] [inject] [budgets] [kill] [clang] [few]   (default: all)
#
# Called by `make check` with BUILD set and everything compiled. Every suite speaks TAP into a log
# below $BUILD/log; a program that dies without saying `not ok` counts as one failure. The last
# line is `N passed, N failed, N skipped`, the exit status 0 only if nothing failed.
# BLD_TEST_MUST_RUN=1, or being root, turns skips into failures, except those whose reason is known
# and lies in the machine: "# skip kernel: ..." or "# skip machine: ...", or, from a program that
# cannot put it there, the line "# kernel: ..." before the result (tests/support/machine.h).
#
# JOBS=N    e2e files and conformance cases at a time (default: number of processors, at most 4)
# FORMS=all the whole matrix of the forms suite, not only the short one
# KILLS=N   kills of the kill suite (default 20; 200 is the full run)

cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
export BUILD BLD=${BLD:-$BUILD/bld}
JOBS=${JOBS:-$(nproc)}
[ "$JOBS" -le 4 ] || JOBS=4
export JOBS
[ "$(id -u)" != 0 ] || export BLD_TEST_MUST_RUN=${BLD_TEST_MUST_RUN:-1}
log=$BUILD/log
rm -rf "$log"
mkdir -p "$log"

passed=0 failed=0 skipped=0

# skips FILE: each skipped result with its reason, one a line. What cmocka calls
# "not ok 3 # SKIP test_x", with its reason on a line before, becomes "ok 3 - test_x # skip REASON".
skips() {
	awk '/^# (kernel|machine): ./ { why = substr($0, 3); next }
		/^ *not ok [0-9]+ # SKIP / { print "ok " $3 " - " $6 " # skip " why }
		/^1\.\.0 # SKIP / { sub(/^1..0 # SKIP /, ""); print "ok - all # skip " $0 }
		/^ *ok .*# *(skip|SKIP)/
		/^ *(not )?ok / { why = "" }' "$1"
}

# count FILE NAME STATUS: add up the TAP lines of one log and show what is not ok.
count() {
	local p f s unknown
	s=$(skips "$1" | wc -l)
	p=$(grep -E '^ *ok ' "$1" | grep -cvE '# *(skip|SKIP)')
	f=$(grep -E '^ *not ok ' "$1" | grep -cvE '^ *not ok [0-9]+ # SKIP ')
	if [ "$3" != 0 ] && [ "$f" = 0 ] && ! { [ "$3" = 77 ] && [ "$s" -gt 0 ]; }; then
		f=1
		echo "not ok - $2: ended with status $3 without saying what failed" | tee -a "$1"
	fi
	if [ "$s" -gt 0 ]; then
		skips "$1" | sed 's/^/    /'
		if [ "${BLD_TEST_MUST_RUN:-0}" = 1 ]; then
			unknown=$(skips "$1" | grep -cvE '# *(skip|SKIP) +(kernel|machine): .')
			f=$((f + unknown)) s=$((s - unknown))
		fi
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '  %-34s %4d passed' "$2" "$p"
	[ "$f" = 0 ] || printf '  %d FAILED (%s)' "$f" "$1"
	[ "$s" = 0 ] || printf '  %d skipped' "$s"
	echo
	[ "$f" = 0 ] || grep -vE '^ *ok |^[0-9]+\.\.' "$1" | head -"${SHOW:-60}" | sed 's/^/    | /'
}

# run NAME COMMAND...: one program, its TAP output counted.
run() {
	local name=$1
	shift
	"$@" >"$log/${name//\//_}.tap" 2>&1
	count "$log/${name//\//_}.tap" "$name" $?
}

suite_lint() {
	run lint bash tests/lint/run.sh
}

# What starts servers, sandboxes or many Python programs, or takes more than a second of a processor:
# left out by BLD_TEST_QUICK=1, where the others have smaller sizes, too (tests/support/machine.h).
# BLD_TEST_QUICK=sizes: smaller sizes, and nothing left out.
slow_units='archive copy_ahead copy_digest gc http layer_freeze layer_holes layer_erofs layer_erofs_random registry registry_grow
	sandbox_forker sandbox_freeze sandbox_index sandbox_mount sandbox_run transfer'

# Programs JOBS at a time, their results in the order of their names.
suite_unit() {
	local t n units=()
	for t in "$BUILD"/unit/*_test; do
		n=$(basename "$t")
		[ -x "$t" ] && [ -e "tests/unit/$n.c" ] || continue
		if [ "${BLD_TEST_QUICK:-}" = 1 ]; then
			case " ${slow_units//[[:space:]]/ } " in *" ${n%_test} "*) continue ;; esac
		fi
		units+=("$n")
	done
	printf '%s\n' "${units[@]}" | xargs -P "$JOBS" -I@ bash -c '
		CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS=handle_segv=2:${ASAN_OPTIONS:-} \
			timeout 300 "$BUILD/unit/@" >"$1/unit_@.tap" 2>&1 </dev/null
		echo $? >"$1/unit_@.rc"' _ "$log"
	for n in "${units[@]}"; do
		count "$log/unit_$n.tap" "unit/$n" "$(cat "$log/unit_$n.rc" 2>/dev/null || echo 99)"
	done
	[ "${BLD_TEST_QUICK:-}" != 1 ] || echo "  left to \`make check\`:" $slow_units
	suite_replay
}

suite_replay() {
	local t n targets=()
	for t in "$BUILD"/replay/fuzz_*; do
		n=$(basename "$t")
		[ -x "$t" ] && [ -e "tests/fuzz/$n.c" ] && targets+=("${n#fuzz_}")
	done
	export -f replay_corpus
	printf '%s\n' "${targets[@]}" | xargs -P "$JOBS" -I@ bash -c '
		mapfile -d "" files < <(find "tests/fuzz/corpus/@" "tests/fuzz/crash/@" -type f -print0 2>/dev/null | sort -z)
		replay_corpus "$BUILD/replay/fuzz_@" "${files[@]}" >"$1/replay_@.tap" 2>&1 </dev/null' _ "$log"
	for n in "${targets[@]}"; do
		count "$log/replay_$n.tap" "replay/$n" 0
	done
}

# replay_corpus PROGRAM FILE...: one result for the whole corpus of a fuzz target.
replay_corpus() {
	local n=${1##*/}
	if [ $# -lt 2 ]; then
		echo "not ok - $n: no corpus"
	elif timeout 300 "$@"; then
		echo "ok - $n: $(($# - 1)) inputs"
	else
		echo "not ok - $n: ended with status $?"
	fi
}

# e2e_files PREFIX FILE...: some e2e files, JOBS at a time; results as PREFIX/NAME.
e2e_files() {
	local f n rc prefix=$1
	shift
	if ! command -v bats >/dev/null; then
		echo "bats is missing: sh tests/check.sh installs it"
		failed=$((failed + 1))
		return
	fi
	# The slow files first, so that the last of them do not run alone.
	find "$@" -size +0 -printf "%s %p\n" | sort -rn | cut -d" " -f2- | xargs -P "$JOBS" -I@ bash -c '
		n=$(basename @ .bats); f=$1_$n
		timeout 1200 bats --formatter tap @ >"$f.tap" 2>&1 </dev/null; echo $? >"$f.rc"' _ "$log/$prefix"
	for f in "$@"; do
		n=$(basename "$f" .bats)
		rc=$(cat "$log/${prefix}_$n.rc" 2>/dev/null || echo 99)
		count "$log/${prefix}_$n.tap" "$prefix/$n" "$rc"
	done
}

suite_e2e() {
	e2e_files e2e tests/e2e/*.bats
}

# A choice of them for check-fast: the command line, copying, the cache.
suite_few() {
	e2e_files e2e tests/e2e/{cli,cli_help,copy_flags,explain,lint}.bats
}

# lacking NAME WHAT...: the e2e files of form_files as on a kernel without WHAT (tests/tools/refuse.c).
lacking() {
	local name=$1 plain=$BLD
	shift
	mkdir -p "$BUILD/lacking"
	printf '#!/bin/sh\nexec "%s" %s -- "%s" "$@"\n' "$BUILD/tools/refuse" "$*" "$BLD" >"$BUILD/lacking/$name"
	chmod +x "$BUILD/lacking/$name"
	BLD_PLAIN=$plain BLD=$BUILD/lacking/$name e2e_files "lacking-$name" "${form_files[@]}"
}

# The e2e files that run commands, once per form of layers, and with features of the kernel refused.
# A short choice; FORMS=all is the whole matrix.
suite_forms() {
	local form
	form_files=(tests/e2e/{cache,determinism,jobs,sandbox,secrets,signals,store}.bats)
	[ "${FORMS:-}" != all ] || form_files+=(tests/e2e/{badinput,examples,registry,transports}.bats)
	for form in directory index; do
		BLD_LAYER_FORM=$form e2e_files "$form" "${form_files[@]}"
	done
	form_files=(tests/e2e/store.bats)
	[ "${FORMS:-}" != all ] || form_files+=(tests/e2e/{sandbox,determinism,secrets}.bats)
	lacking erofs fsopen:erofs mount:erofs
	lacking file-backed create:erofs=ENOTBLK
	lacking lowerdir fsconfig:lowerdir+
	lacking fsopen fsopen
	[ "${FORMS:-}" = all ] || return 0
	lacking volatile fsconfig:volatile
	lacking fsopen-eperm fsopen=EPERM
	lacking old-overlay fsconfig:lowerdir+ fsconfig:volatile create:erofs=ENOTBLK
}

suite_conformance() {
	run conformance bash tests/conformance/run.sh
	run coverage coverage "$log/conformance.tap"
}

# Every feature has a case that passed; the table is a file beside the logs.
coverage() {
	if python3 tests/conformance/coverage.py "$1" >"$log/features.md"; then
		echo "ok - every feature has its cases: $log/features.md"
	else
		echo "not ok - features without a case that passed"
	fi
}

suite_kill() {
	run kill bash tests/kill/kill.sh
}

# A sample of check-inject.
suite_inject() {
	run inject nice python3 tests/inject/inject.py --sample 100
}

# System calls of small workloads; instructions depend on the libraries and are in bench-check.
suite_budgets() {
	run budgets python3 tests/bench/budgets.py check --calls
	run planted bash tests/bench/planted.sh
}

# The unit tests and corpora again, built by clang with its sanitizers: one result.
suite_clang() {
	run clang clang_check
}

clang_check() {
	local rc
	env -u BLD -u MAKEFLAGS -u MAKELEVEL make -s -j"$JOBS" BUILD="$BUILD" check-clang 2>&1 |
		grep -vE '^  (CC|AR|LD|BISON|FLEX) | passed$'
	rc=${PIPESTATUS[0]}
	[ "$rc" = 0 ] && echo "ok - clang's ASan and UBSan" || echo "not ok - clang's ASan and UBSan: status $rc"
}

# What gcc's analyzer finds in the code that reads what comes from outside. The rest and clang-tidy
# take minutes: `make analyze`, by hand, has all of it.
suite_analyze() {
	run analyze analyze_gcc
}

analyze_gcc() {
	local rc src
	src=$(find parser store/tar store/tree store/compress store/oci store/transport -name '*.c' | tr '\n' ' ')
	env -u BLD -u MAKEFLAGS -u MAKELEVEL make -s -k -j"$JOBS" BUILD="$BUILD" ANALYZE_SRC="$src" analyze-gcc 2>&1
	rc=$?
	[ "$rc" = 0 ] && echo "ok - gcc -fanalyzer: no finding" || echo "not ok - gcc -fanalyzer: status $rc"
}

[ $# -gt 0 ] || set -- lint analyze unit clang conformance e2e inject budgets kill
began=$SECONDS
for s in "$@"; do
	t=$SECONDS
	echo "$s"
	"suite_$s"
	echo "  ($((SECONDS - t)) s)"
done
echo "in $((SECONDS - began)) s; logs in $log"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
