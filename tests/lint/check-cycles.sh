#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Modules that include each other in a circle can only be understood, and changed, together.
cd "$(dirname "$0")/../.." || exit 2
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
exec python3 tests/lint/house.py --check
