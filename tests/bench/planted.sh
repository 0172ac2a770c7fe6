#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The budgets find what they are for: a bld with one more stat per file, and one with one more fork
# per RUN, must fail `budgets.py check`, in the budgets that name them.
# TAP. Called by `make bench-planted` and `make check`, with BUILD set and the programs linked.
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
out=$TMPDIR/out
n=0 bad=0

result() { # RESULT TEXT
	n=$((n + 1))
	echo "$1 $n - $2"
	[ "$1" = ok ] || { bad=1; grep -v '^ok' "$out" | sed 's/^/# /'; }
}

# planted NAME TEXT BUDGET...
planted() {
	local name=$1 text=$2 budget missing=
	shift 2
	BLD=$BUILD/bench/bld-$name python3 tests/bench/budgets.py check --calls >"$out" 2>&1
	if grep -q '^1\.\.0' "$out"; then
		cat "$out"
		exit 0
	fi
	for budget; do
		grep -qE "^not ok [0-9]+ - $budget:" "$out" || missing="$missing [$budget]"
	done
	if [ -z "$missing" ]; then
		result ok "$text is found: $(grep -E "^not ok [0-9]+ - $1:" "$out" | sed 's/^not ok [0-9]* - //')"
	else
		result "not ok" "$text is found by$missing"
	fi
}
planted stat "one more stat per file" "copy_cold stat" "cached_steps stat" "copy_cold calls"
planted fork "one more fork per RUN" "run_true process"
echo "1..$n"
exit $bad
