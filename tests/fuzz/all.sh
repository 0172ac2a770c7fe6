#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# all.sh [TARGET...]: every fuzz target T seconds under ASan+UBSan, then ST seconds under MSan, in
# slices, so that all targets advance together. What was done is kept in $BUILD/fuzz-state, one file
# a target and sanitizer: seconds, runs, findings. Stopped at any time, it goes on there; a slice
# that was cut off counts nothing. `all.sh --table` only prints the table, while another one runs.
#
#   T=1800 ST=600 SLICE=120 BUILD=build
#
# Findings are kept in $BUILD/fuzz-state/found/TARGET-*; the corpus in $BUILD/fuzz*/work/TARGET.
# Exit status 1 when there is a finding.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build} T=${T:-1800} ST=${ST:-600} SLICE=${SLICE:-120}
# shellcheck source=tests/fuzz/targets.sh
. tests/fuzz/targets.sh
state=$BUILD/fuzz-state
mkdir -p "$state/found" || exit 2

# entry TARGET SAN: sets seconds, runs, findings
entry() {
	seconds=0 runs=0 findings=0
	[ ! -s "$state/$1.$2" ] || read -r seconds runs findings <"$state/$1.$2"
}

table() {
	local t san why total=0
	printf '%-14s %-22s %8s %12s %9s\n' target sanitizer seconds runs findings
	for t in $(fuzz_targets); do
		for san in address memory; do
			if [ $san = memory ] && why=$(fuzz_no_memory "$t"); then
				printf '%-14s %-22s %s\n' "$t" MSan "not run: $why"
				continue
			fi
			entry "$t" $san
			printf '%-14s %-22s %8s %12s %9s\n' "$t" \
				"$([ $san = address ] && echo ASan+UBSan || echo MSan)" "$seconds" "$runs" "$findings"
			total=$((total + findings))
		done
	done
	echo "findings in all: $total"
	[ $total = 0 ]
}

built=' '
# build TARGET SAN: once in a run
build() {
	[[ $built != *" $1.$2 "* ]] || return 0
	make -s fuzz-build F="$1" BUILD="$BUILD" "$([ "$2" = memory ] && echo SAN=memory || echo SAN=)" >"$state/build.log" 2>&1 || {
		echo "$1: does not build under $2"
		cat "$state/build.log"
		exit 2
	}
	built+="$1.$2 "
}

# slice TARGET SAN SECONDS: one run, whose results are added to the state
slice() {
	local t=$1 san=$2 for=$3 dir=$BUILD/fuzz log=$state/$1.$2.log began=$SECONDS rc got
	[ "$san" = address ] || dir=$BUILD/fuzz-memory
	local dict=tests/fuzz/$t.dict
	case $t in walk | index | archive) dict=tests/fuzz/tar.dict ;; esac
	local -a args=(-max_total_time="$for" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1
		-artifact_prefix="$state/found/$t-")
	[ ! -e "$dict" ] || args+=(-dict="$dict")
	mkdir -p "$dir/work/$t"
	# What one sanitizer's runs found is a seed of the other's.
	for d in "$BUILD/fuzz/work/$t" "$BUILD/fuzz-memory/work/$t" tests/fuzz/corpus/"$t" tests/fuzz/regressions/"$t"; do
		[ ! -d "$d" ] || [ "$d" = "$dir/work/$t" ] || args+=("$d")
	done
	"$dir/fuzz_$t" "$dir/work/$t" "${args[@]}" >"$log" 2>&1
	rc=$?
	# Stopped from outside (72: by a signal that libFuzzer knows): nothing of it counts.
	if [ $rc -ne 0 ] && ! grep -aq 'SUMMARY: ' "$log"; then
		echo "$t under $san: stopped (status $rc)"
		exit $rc
	fi
	entry "$t" "$san"
	got=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
	if [ $rc -ne 0 ]; then
		findings=$((findings + 1))
		cp "$log" "$state/found/$t-$san-$findings.log"
		echo "$t under $san: $(grep -a -m1 'SUMMARY: ' "$log")"
	fi
	echo "$((seconds + SECONDS - began)) $((runs + ${got:-0})) $findings" >"$state/$t.$san.new"
	mv "$state/$t.$san.new" "$state/$t.$san"
}

if [ "${1:-}" = --table ]; then
	table
	exit
fi
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(fuzz_targets)
for san in address memory; do
	want=$T
	[ $san = address ] || want=$ST
	more=1
	while [ $more = 1 ]; do
		more=0
		for t in "${targets[@]}"; do
			[ $san = address ] || ! fuzz_no_memory "$t" >/dev/null || continue
			entry "$t" $san
			left=$((want - seconds))
			# A target that breaks at once would never end.
			[ $left -gt 0 ] || continue
			[ "$findings" -lt 10 ] || continue
			build "$t" $san
			slice "$t" $san $((left < SLICE ? left : SLICE))
			entry "$t" $san
			[ "$seconds" -ge "$want" ] || more=1
		done
	done
done
table
