#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which C files differ from what clang-format makes of them; run.sh shows it as information.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
command -v clang-format >/dev/null || { echo "format: clang-format is missing"; exit 77; }
bad=0
while IFS= read -r f; do
	clang-format --dry-run -Werror "$f" >/dev/null 2>&1 || { echo "format: $f"; bad=1; }
done < <(sources c h)
exit $bad
