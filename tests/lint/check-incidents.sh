#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/incidents.md: every row is there once, and every test that it names exists by that name.
# incidents [FILE]
cd "$(dirname "$0")/../.." || exit 2
exec python3 - "${1:-docs/incidents.md}" <<'P'
import os, re, sys

ROWS = 69
doc = open(sys.argv[1], encoding="utf-8").read()
bad = []


def exists(path, name):
    """Is there a test of this name in this file, and is it run?"""
    text = open(path, encoding="utf-8").read()
    if path.endswith(".bats"):
        return '\n@test "%s" {' % name in text
    if path.endswith(".c"):
        return re.search(r"(?:cmocka_unit_test\w*|[A-Z_]*TEST)\(\s*%s\s*[,)]" % re.escape(name), text) is not None
    if path.endswith(".cases"):
        return "\n== %s\n" % name in text
    return name in text


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
named = re.findall(r'`(tests/[^`]+)`((?:: |, )"[^"]*"(?:, "[^"]*")*)?', doc)
for path, names in named:
    if path.startswith("tests/lint/"):
        continue
    if not os.path.exists(path):
        bad.append("%s is not there" % path)
        continue
    names = re.findall(r'"([^"]*)"', names)
    if not names and (path.endswith((".bats", ".c", ".cases"))):
        bad.append("%s: no name of a test" % path)
    bad += ['%s: no test "%s"' % (path, n) for n in names if not exists(path, n)]
for b in bad:
    print("incidents: " + b)
sys.exit(bool(bad))
P
