#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which C files differ from what clang-format makes of them; run.sh shows it as information.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
command -v clang-format >/dev/null || { echo "format: clang-format is missing"; exit 77; }
out=$(sources c h | xargs -P "$(nproc)" -n 20 clang-format --dry-run -Werror 2>&1 | sed -nE 's/^([^: ]+):[0-9]+:.*error:.*/format: \1/p' | sort -u)
[ -z "$out" ] || { echo "$out"; exit 1; }
