#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our scripts pass shellcheck: no warnings, no errors.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
command -v shellcheck >/dev/null || { echo "shell: shellcheck is missing"; exit 77; }
{ sources sh bash | grep -v '^tests/conformance/cases/' | grep -v '^examples/.*/context/'; echo .ci/run; } |
	xargs -P "$(nproc)" -n 8 shellcheck -x -S warning -e SC1090,SC1091,SC2046,SC2086,SC2154,SC2207,SC2164
