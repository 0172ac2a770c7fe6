#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shape of the house, as a table: files per folder, cycles of modules, functions, headers.

A module is a .c file with its header. `house.py` prints the table; `house.py --check` says what is
over a limit and exits 1: a cycle of more than CYCLE_MAX modules, a .c file without an opening
comment (of the unit tests and their support, too), a name that functions of several files have (in
a backtrace or a profile a static function says by its name where it is).
"""
import collections
import os
import re
import subprocess
import sys

CYCLE_MAX = 3


FLOORS = ("parser/", "store/", "builder/")
TESTS = ("tests/unit/", "tests/support/", "tests/tools/")


def sources(folders=FLOORS):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"], check=True,
                         capture_output=True, text=True).stdout.split()
    return [f for f in out if f.startswith(folders) and os.path.exists(f)]


def module(path):
    return os.path.splitext(path)[0]


def graph(files):
    g = collections.defaultdict(set)
    for f in files:
        g[module(f)]
        for line in open(f, encoding="utf-8"):
            m = re.match(r'#include "((?:parser|store|builder)/[^"]+)\.h"', line)
            if m and m[1] != module(f):
                g[module(f)].add(m[1])
    return g


def cycles(g):
    """Strongly connected components of more than one module (Tarjan, without recursion)."""
    index, low, on, stack, found = {}, {}, set(), [], []
    for root in sorted(g):
        if root in index:
            continue
        work = [(root, iter(sorted(g[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            v, it = work[-1]
            for w in it:
                if w not in g:
                    continue
                if w not in index:
                    index[w] = low[w] = len(index)
                    stack.append(w)
                    on.add(w)
                    work.append((w, iter(sorted(g[w]))))
                    break
                if w in on:
                    low[v] = min(low[v], index[w])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[v])
                if low[v] == index[v]:
                    part = []
                    while True:
                        w = stack.pop()
                        on.discard(w)
                        part.append(w)
                        if w == v:
                            break
                    if len(part) > 1:
                        found.append(sorted(part))
    return sorted(found, key=len, reverse=True)


def functions(files):
    """(lines, name) of each function, by the layout that clang-format gives: braces in column 0."""
    out = []
    for f in files:
        if not f.endswith(".c"):
            continue
        lines = open(f, encoding="utf-8").read().split("\n")
        begin = None
        for i, line in enumerate(lines):
            if line == "{":
                begin = i
            elif line == "}" and begin is not None:
                head = " ".join(lines[max(0, begin - 4):begin])
                names = re.findall(r"\b([a-z_0-9]+)\(", head)
                out.append((i - begin + 1, names[0] if names else "?", f))
                begin = None
    return out


def definitions(files):
    """(file, name, parameters) of each function of the .c files."""
    for f in files:
        if not f.endswith(".c"):
            continue
        text = open(f, encoding="utf-8").read()
        for m in re.finditer(r"^(?:static )?[a-z][^;{}()#=]*?\b([a-z_0-9]+)\(([^;{}#]*?)\)\n\{", text,
                             re.M):
            yield f, m[1], m[2]


def parameters(files):
    """Functions with more than five parameters."""
    return sum(p.count(",") >= 5 for _, _, p in definitions(files))


def namesakes(files):
    """{name: files} of the functions whose name another file has too."""
    where = collections.defaultdict(set)
    for f, name, _ in definitions(files):
        where[name].add(f)
    return {name: sorted(w) for name, w in where.items() if len(w) > 1}


def unopened(files):
    """.c files that do not begin with a comment behind the licence line."""
    out = []
    for f in files:
        lines = open(f, encoding="utf-8").read().split("\n", 2)
        if f.endswith(".c") and not (len(lines) > 1 and lines[1].startswith("/*")):
            out.append(f)
    return out


def main():
    files = sources()
    g = graph(files)
    found = cycles(g)
    bad = [p for p in found if len(p) > CYCLE_MAX]
    if "--check" in sys.argv:
        for p in bad:
            print("cycle of %d modules: %s" % (len(p), " ".join(p)))
        bare = unopened(files + sources(TESTS))
        for f in bare:
            print("%s: no opening comment below the licence line: what it does, and how" % f)
        twins = namesakes(files)
        for name, where in sorted(twins.items()):
            print("%s() is in %s: a static function carries the name of its file" % (
                name, ", ".join(where)))
        return 1 if bad or bare or twins else 0
    per = collections.Counter(os.path.dirname(f) for f in files)
    print("files per folder: " + ", ".join("%s %d" % x for x in sorted(per.items())))
    for floor in ("parser", "store", "builder"):
        own = [p for p in found if p[0].startswith(floor + "/")]
        print("largest cycle of modules in %s: %s" % (
            floor, "%d (%s)" % (len(own[0]), " ".join(m.split("/", 1)[1] for m in own[0])) if own else "none"))
    f = sorted(functions(files))
    print("functions: %d, lines: median %d, 90th percentile %d, longest %d (%s, %s)" % (
        len(f), f[len(f) // 2][0], f[len(f) * 9 // 10][0], f[-1][0], f[-1][1], f[-1][2]))
    headers = [(h, len(re.findall(r"^[a-z].*\b[a-z_0-9]+\(", open(h, encoding="utf-8").read(), re.M)),
                sum(1 for _ in open(h, encoding="utf-8"))) for h in files if h.endswith(".h")]
    most = max(headers, key=lambda x: x[1])
    longest = max(headers, key=lambda x: x[2])
    print("headers: %d, most functions: %d (%s), most lines: %d (%s)" % (
        len(headers), most[1], most[0], longest[2], longest[0]))
    c = [f for f in files if f.endswith(".c")]
    print("C files with an opening comment: %d of %d" % (len(c) - len(unopened(c)), len(c)))
    print("functions with more than 5 parameters: %d" % parameters(files))
    return 0


sys.exit(main())
