#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All lint checks, one TAP line each (`make lint`). What a check complains about follows its line.
cd "$(dirname "$0")/../.." || exit 2
export BUILD=${BUILD:-build}
n=0 bad=0
for check in layers rooms cycles exports globals banned dialect headers includes shell bats incidents semantics paths; do
	n=$((n + 1))
	out=$(bash "tests/lint/check-$check.sh" 2>&1)
	case $? in
	0) echo "ok $n - lint $check" ;;
	77) echo "ok $n - lint $check # skip $out" ;;
	*)
		echo "not ok $n - lint $check"
		echo "$out" | head -100 | sed 's/^/# /'
		bad=1
		;;
	esac
done
echo "1..$n"
{ python3 tests/lint/house.py; bash tests/lint/sizes.sh; bash tests/lint/check-format.sh; } | sed 's/^/# /'
exit $bad
