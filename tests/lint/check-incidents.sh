#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/incidents.md: every row is there once, and every test that it names exists by that name.
# incidents [FILE]
cd "$(dirname "$0")/../.." || exit 2
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/lint exec python3 - "${1:-docs/incidents.md}" <<'P'
import re, sys

import named

ROWS = 69
doc = open(sys.argv[1], encoding="utf-8").read()
bad = []

for number in range(1, ROWS + 1):
    n = len(re.findall(r"^\| %d \|" % number, doc, re.M))
    if n != 1:
        bad.append("row %d is there %d times" % (number, n))
for line in re.findall(r"^\| \d.*", doc, re.M):
    cells = line.strip().strip("|").split(" | ")
    number = cells[0].strip()
    if not number.isdigit() or not 1 <= int(number) <= ROWS:
        bad.append("row %s: not one of 1 to %d" % (number, ROWS))
    if len(cells) != 4 or not re.search(r"`tests/[^`]+`", cells[3]):
        bad.append("row %s: names no test" % number)
bad += named.missing(doc)
for b in bad:
    print("incidents: " + b)
sys.exit(bool(bad))
P
