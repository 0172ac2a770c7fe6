# SPDX-License-Identifier: Apache-2.0
"""done.tsv: what took long, and what it showed. A line a run:

date, commit of bld, what, of, same, refused, explained, unexplained, generator

"random": of is a range of seeds; same were built by both and are equal, refused by both; "cases
JUDGE": of is the number of conformance cases; same agree, refused were not asked (reasons.txt says
why), explained have a reason.
"""
import datetime
import os
import subprocess

import lab

FILE = os.path.join(lab.HERE, "done.tsv")


def commit():
    """That of the tree; "+" behind it: the program's sources have been changed since."""
    def git(*argv):
        return lab.sh("git", "-C", lab.REPO, *argv).stdout.strip()
    changed = git("status", "--porcelain", "--", "parser", "store", "builder")
    return git("rev-parse", "--short=9", "HEAD") + ("+" if changed else "")


def lines():
    if not os.path.exists(FILE):
        return []
    with open(FILE, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if line.strip() and line[0] != "#"]


def seeds(generator):
    """Those that need not be built again."""
    out = set()
    for row in lines():
        if row[2] == "random" and row[7] == "0" and row[8] == generator:
            first, last = row[3].split("-")
            out |= set(range(int(first), int(last) + 1))
    return out


def add(at, what, of, counts, generator):
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    with open(FILE, "a", encoding="utf-8") as f:
        f.write("\t".join([day, at, what, of, *(str(counts[k]) for k in (
            "same", "refused", "explained", "unexplained")), generator]) + "\n")


def counts(rows):
    """rows: builds, with "why" where a difference has a reason"""
    return {"same": sum(not r["found"] and r["bld"] == 0 for r in rows),
            "refused": sum(not r["found"] and r["bld"] != 0 for r in rows),
            "explained": sum(bool(r["found"] and r["why"]) for r in rows),
            "unexplained": sum(bool(r["found"] and not r["why"]) for r in rows)}


def add_random(rows):
    """A line for each run of seeds that one commit has built."""
    group = []
    have = seeds(rows[0]["made_by"]) if rows else set()
    for r in sorted((r for r in rows if r["seed"] not in have), key=lambda r: r["seed"]) + [None]:
        if group and (r is None or r["seed"] != group[-1]["seed"] + 1 or r["commit"] != group[-1]["commit"]):
            add(group[0]["commit"], "random", f"{group[0]['seed']}-{group[-1]['seed']}", counts(group),
                group[0]["made_by"])
            group = []
        if r:
            group.append(r)
