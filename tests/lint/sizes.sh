#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# For information: functions that are long or complex, files that are long. Never fails.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
if command -v pmccabe >/dev/null; then
	sources c | grep -E '^(parser|store|builder)/' | xargs -r pmccabe 2>/dev/null |
		awk '$5 > 80 || $1 > 15 { printf "size: %s %s: %s lines, complexity %s\n", $6, $7, $5, $1 }'
fi
sources c h | grep -E '^(parser|store|builder)/' | xargs -r wc -l |
	awk '$2 != "total" && ($1 > 600 || ($2 ~ /\.h$/ && $1 > 300)) { printf "size: %s: %d lines\n", $2, $1 }'
exit 0
