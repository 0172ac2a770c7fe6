#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The picture of the rooms in docs/CONTRIBUTING.md has every room, and the arrows of the includes.
# rooms [FILE]
cd "$(dirname "$0")/../.." || exit 2
exec python3 tests/lint/rooms.py "$@"
