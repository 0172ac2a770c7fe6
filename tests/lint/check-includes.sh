#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files include the headers of the functions that they call.
cd "$(dirname "$0")/../.." || exit 2
exec python3 tests/lint/includes.py
