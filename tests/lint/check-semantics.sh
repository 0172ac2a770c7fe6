#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/semantics.md: each "S17" of a source, a test or a document has its section there; a section names files that exist and at
# least one case or test, which exist too; and each conformance case is named, by more than "s17-*": where it belongs has to be
# looked at, as prefixes do not always tell.
# semantics [FILE]
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
sources c h y l sh bats bash py md scd txt | grep -E '^(parser|store|builder|tests|docs)/' |
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/lint python3 -c '
import fnmatch, os, re, sys

import named

CASES = "tests/conformance/cases"
SECTIONS = 26
CASE = r"`(s\d\d-[\w*-]+)`"
doc = open(sys.argv[1], encoding="utf-8").read()
cases = os.listdir(CASES)
parts = re.split(r"^## (.*)\n", doc, flags=re.M)
titles, bodies = parts[1::2], parts[2::2]
bad = []

numbers = [re.match(r"S(\d+) \S", t) for t in titles]
if [int(m.group(1)) for m in numbers if m] != list(range(1, SECTIONS + 1)) or None in numbers:
    bad.append("the sections are not S1 to S%d, each once and in order" % SECTIONS)
for title, body in zip(titles, bodies):
    where = title.split()[0]
    code = re.search(r"^Code: (.*?)\n$", body, re.M | re.S)
    files = re.findall(r"`([^`]+)`", code.group(1)) if code else []
    shown = re.findall(CASE, body) + re.findall(r"`tests/[^`]+`", body)
    if not files:
        bad.append("%s names no file (\"Code: ...\")" % where)
    if not shown:
        bad.append("%s names no case and no test" % where)
    paths = re.findall(r"`((?:parser|store|builder)/[^`]+)`", body)
    bad += ["%s: %s is not there" % (where, f) for f in files + paths if not os.path.isfile(f)]
patterns = re.findall(CASE, doc)
bad += ["no case %s" % p for p in patterns if not fnmatch.filter(cases, p)]
bad += ["%s tells nothing: name the cases" % p for p in patterns if re.fullmatch(r"s\d\d-\*", p)]
bad += ["case %s is in no section" % c for c in sorted(cases) if not any(fnmatch.fnmatch(c, p) for p in patterns)]
bad += named.missing(doc)
known = {m.group(1) for m in numbers if m}
for path in sys.stdin.read().split("\n"):
    if not path or path == "docs/semantics.md":
        continue
    for n, line in enumerate(open(path, encoding="utf-8", errors="replace"), 1):
        bad += ["%s:%d: S%s has no section" % (path, n, r) for r in re.findall(r"\bS(\d\d?)\b", line) if r not in known]
for b in bad:
    print("semantics: " + b)
sys.exit(bool(bad))
' "${1:-docs/semantics.md}"
