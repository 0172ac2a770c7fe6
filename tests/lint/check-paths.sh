#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every path in backticks that README.md, docs/CONTRIBUTING.md or tests/README.md names is there.
# paths [FILE...]
cd "$(dirname "$0")/../.." || exit 2
[ $# -gt 0 ] || set -- README.md docs/CONTRIBUTING.md tests/README.md
exec python3 - "$@" <<'P'
import glob, re, sys

bad = 0
for name in sys.argv[1:]:
    text = open(name, encoding="utf-8").read()
    for path in re.findall(r"`((?:parser|store|builder|tests|docs|examples)/[\w./*-]*)`", text):
        if not glob.glob(path.replace("TARGET", "*")):
            print("paths: %s: %s is not there" % (name, path))
            bad = 1
sys.exit(bad)
P
