#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which case shows which feature: features.txt joined with the results of a run.

coverage.py RESULTS.tap     a table in Markdown on standard output; status 1 and a line on standard
                            error for each feature without a case that exists and passed

RESULTS.tap is what run.sh printed. Tests of bats files are looked up by name: their own run judges them.
"""
import collections
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
Feature = collections.namedtuple("Feature", "row weight name cases")


def read_features():
    with open(os.path.join(HERE, "features.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                # " | " separates; a feature's own bars have no blank on both sides.
                row, weight, name, cases = (c.strip() for c in line.split(" | "))
                yield Feature(row, weight, name, split_cases(cases))


def split_cases(text):
    """Case names, and "FILE.bats: words" which runs to the end."""
    bats = text.find(".bats:")
    if bats < 0:
        return text.split()
    start = text.rfind(" ", 0, bats) + 1
    return text[:start].split() + [text[start:]]


def read_results(path):
    results = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            m = re.match(r"(ok|not ok) - (\S+)", line)
            if m:
                results[m.group(2)] = m.group(1) == "ok"
    return results


def in_bats(case):
    name, words = case.split(":", 1)
    path = os.path.join(HERE, "..", "e2e", name)
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as f:
        tests = re.findall(r'^@test "(.*)" \{', f.read(), re.M)
    return any(words.strip() in t for t in tests)


def shown(case, results):
    if ".bats:" in case:
        return in_bats(case)
    return results.get(case, False)


def main():
    results = read_results(sys.argv[1])
    missing = 0
    named = set()
    print("| | feature | weight | cases |\n|---|---|---|---|")
    for f in read_features():
        good = [c for c in f.cases if shown(c, results)]
        bad = [c for c in f.cases if c not in good]
        named.update(f.cases)
        cells = ", ".join(good) + "".join(f", **{c}: {'failed' if c in results else 'not there'}**" for c in bad)
        print(f"| {f.row} | {f.name.replace('|', chr(92) + '|')} | {f.weight} | {cells.lstrip(', ')} |")
        for c in bad:
            missing += 1
            print(f"{f.row} {f.name}: {c} {'failed' if c in results else 'does not exist'}", file=sys.stderr)
    rest = sorted(set(results) - named)
    print(f"\nBeyond this list: {', '.join(rest)}\n")
    print(f"{len(results)} cases, {sum(results.values())} passed")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
