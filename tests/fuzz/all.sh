#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# all.sh [TARGET...]            every fuzz target T seconds under ASan+UBSan and ST seconds under MSan
# all.sh --table                how far all of it is, also while another one runs
# all.sh --record               what was done here and is not recorded becomes rows of done.tsv
# all.sh --merge [TARGET...]    inputs that reach code that the corpus does not become part of it
#
#   T=1800 ST=600 SLICE=120 BUILD=build
#
# The targets advance together, in slices of SLICE seconds, and the sanitizers with them in the
# proportion of T and ST. Seconds are those of the CPU that the target had, so it may run beside
# anything (nice -n 19, chrt --idle 0). Stopped at any time, it goes on there; a slice that was cut
# off counts nothing.
#
# tests/fuzz/done.tsv is what was done in all, on whatever machine: a row for each date, commit,
# target and sanitizer with its seconds, runs and findings. Its seconds count, so a campaign of a
# night can be made of many short ones: run, --merge, --record, commit both. Of a target that has
# changed since, take the rows away to have it run again.
#
# Not recorded yet is $BUILD/fuzz-state/pending.tsv, a row for each slice. Findings are kept in
# $BUILD/fuzz-state/found/TARGET-*; what the targets came upon in $BUILD/fuzz*/work/TARGET. Exit status 1 when
# this commit has a finding that is not recorded.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build} T=${T:-1800} ST=${ST:-600} SLICE=${SLICE:-120}
# shellcheck source=tests/fuzz/targets.sh
. tests/fuzz/targets.sh
ledger=tests/fuzz/done.tsv
state=$BUILD/fuzz-state
pending=$state/pending.tsv
MERGE_FILES=50 MERGE_BYTES=16384
mkdir -p "$state/found" && touch "$pending" || exit 2
commit=$(git rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown

sanitizer() {
	[ "$1" = address ] && echo ASan+UBSan || echo MSan
}

# entry TARGET SAN: sets seconds, runs, findings: what the ledger and the rows not yet in it say
entry() {
	read -r seconds runs findings < <(awk -F'\t' -v t="$1" -v s="$(sanitizer "$2")" '
		!/^#/ && $3 == t && $4 == s { a += $5; b += $6; c += $7 }
		END { printf "%d %.0f %d\n", a, b, c }' "$ledger" "$pending")
}

# fresh [TARGET SAN]: findings that are not recorded, of this commit
fresh() {
	awk -F'\t' -v c="$commit" -v t="${1:-}" -v s="${2:+$(sanitizer "$2")}" '
		$2 == c && (t == "" || $3 == t && $4 == s) { n += $7 } END { print n + 0 }' "$pending"
}

table() {
	local t san why total=0 all=0
	printf '%-14s %-12s %8s %14s %9s\n' target sanitizer seconds runs findings
	for t in $(fuzz_targets); do
		for san in address memory; do
			if [ $san = memory ] && why=$(fuzz_no_memory "$t"); then
				printf '%-14s %-12s %s\n' "$t" MSan "not run: $why"
				continue
			fi
			entry "$t" $san
			printf '%-14s %-12s %8s %14s %9s\n' "$t" "$(sanitizer $san)" "$seconds" "$runs" "$findings"
			all=$((all + seconds)) total=$((total + findings))
		done
	done
	echo "seconds in all: $all; findings: $total, not recorded and of this commit: $(fresh)"
	[ "$(fresh)" = 0 ]
}

record() {
	local rows=$state/recording.tsv
	# Another one that runs begins a new file.
	mv "$pending" "$rows" && touch "$pending" || exit 2
	awk -F'\t' -v OFS='\t' '
		{ k = $1 OFS $2 OFS $3 OFS $4; a[k] += $5; b[k] += $6; c[k] += $7 }
		END { for (k in a) printf "%s\t%d\t%.0f\t%d\n", k, a[k], b[k], c[k] }' "$rows" |
		sort -t "$(printf '\t')" -k1,4 >>"$ledger" || exit 2
	cat "$rows" >>"$state/recorded.tsv"
	rm "$rows"
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

# slice TARGET SAN SECONDS: one run, and its row
slice() {
	local t=$1 san=$2 for=$3 dir=$BUILD/fuzz log=$state/$1.$2.log rc got used found=0
	[ "$san" = address ] || dir=$BUILD/fuzz-memory
	local dict=tests/fuzz/$t.dict
	case $t in walk | index | archive) dict=tests/fuzz/tar.dict ;; esac
	local -a args=(-max_total_time="$for" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1
		-artifact_prefix="$state/found/$t-")
	[ ! -e "$dict" ] || args+=(-dict="$dict")
	mkdir -p "$dir/work/$t"
	# What one sanitizer's runs found is a seed of the other's.
	for d in "$BUILD/fuzz/work/$t" "$BUILD/fuzz-memory/work/$t" tests/fuzz/corpus/"$t" tests/fuzz/crash/"$t"; do
		[ ! -d "$d" ] || [ "$d" = "$dir/work/$t" ] || args+=("$d")
	done
	local TIMEFORMAT='%U %S'
	used=$({ time "$dir/fuzz_$t" "$dir/work/$t" "${args[@]}" >"$log" 2>&1; } 2>&1)
	rc=$?
	# Stopped from outside (72: by a signal that libFuzzer knows): nothing of it counts.
	if [ $rc -ne 0 ] && ! grep -aq 'SUMMARY: ' "$log"; then
		echo "$t under $san: stopped (status $rc)"
		exit $rc
	fi
	got=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
	if [ $rc -ne 0 ]; then
		found=1
		cp "$log" "$state/found/$t-$san-$(date +%s).log"
		echo "$t under $san: $(grep -a -m1 'SUMMARY: ' "$log")"
	fi
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date +%F)" "$commit" "$t" "$(sanitizer "$san")" \
		"$(awk '{ printf "%.0f", $1 + $2 }' <<<"$used")" "${got:-0}" $found >>"$pending"
}

# campaign TARGET...: slices by turns until every target has had its time
campaign() {
	local t san want left part more=1
	while [ $more = 1 ]; do
		more=0
		for san in address memory; do
			want=$T part=$SLICE
			[ $san = address ] || want=$ST part=$(((SLICE * ST + T - 1) / T))
			for t; do
				[ $san = address ] || ! fuzz_no_memory "$t" >/dev/null || continue
				entry "$t" $san
				left=$((want - seconds))
				# A target that breaks at once would never end.
				[ $left -gt 0 ] || continue
				[ "$(fresh "$t" $san)" -lt 10 ] || continue
				more=1
				build "$t" $san
				slice "$t" $san $((left < part ? left : part))
			done
		done
	done
}

# merge TARGET: of what the runs came upon, the small inputs that reach what the corpus does not
merge() {
	local t=$1 into=$state/merge/$1 corpus=tests/fuzz/corpus/$1 n=0 name
	local -a found=() known=()
	for d in "$BUILD/fuzz/work/$t" "$BUILD/fuzz-memory/work/$t"; do
		[ ! -d "$d" ] || found+=("$d")
	done
	[ ${#found[@]} -gt 0 ] || return 0
	build "$t" address
	rm -rf "$into"
	mkdir -p "$into/small" "$into/new" "$corpus" || exit 2
	find "${found[@]}" -type f -size -$((MERGE_BYTES + 1))c -exec cp -t "$into/small" {} \;
	cp "$corpus"/* "$into/new" 2>/dev/null
	[ ! -d "tests/fuzz/crash/$t" ] || known=("tests/fuzz/crash/$t")
	# Edges only: how often one is passed is worth a fuzzer's while, not a file in the repository.
	"$BUILD/fuzz/fuzz_$t" -merge=1 -use_counters=0 -rss_limit_mb=2048 "$into/new" "$into/small" "${known[@]}" \
		>"$state/merge.log" 2>&1 || {
		echo "$t: merging ended with status $?"
		tail -5 "$state/merge.log"
		return 1
	}
	while read -r _ name; do
		[ $n -lt $MERGE_FILES ] || break
		[ ! -e "$corpus/$name" ] || continue
		cp "$into/new/$name" "$corpus/${name:0:12}"
		n=$((n + 1))
	done < <(find "$into/new" -type f -printf '%s %f\n' | sort -n)
	echo "$t: $n new files"
	rm -rf "$into"
}

case ${1:-} in
--table | --record)
	"${1#--}"
	exit
	;;
esac
what=campaign
[ "${1:-}" != --merge ] || {
	what=merge
	shift
}
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(fuzz_targets)
if [ $what = merge ]; then
	for t in "${targets[@]}"; do
		merge "$t" || exit
	done
	exit
fi
campaign "${targets[@]}"
table
