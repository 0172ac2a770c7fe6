#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is the picture of the rooms in docs/CONTRIBUTING.md what the includes are?

A line "builder/" names the folder of the rows below it. A row is "room  text  -> room room ^room (header header)"; a
line that is indented further goes on with it. The rows stand in an order in which arrows lead down; "^" marks one that
leads up. Rooms below builder/ name the headers of it that they share, in brackets, instead of an arrow. Arrows to
store/base are left out: every room but parser/ has one, which is checked too.
"""
import collections
import os
import re
import subprocess
import sys

BASE = "base"
NO_BASE = {"parser", BASE}


def room(path):
    """builder/cli/x.h -> cli; builder/main.c is a room of its own."""
    return "main" if path == "builder/main.c" else os.path.basename(os.path.dirname(path))


def floor(path):
    """The folder that the picture has a room of this file below: its first part."""
    return path.split("/")[0] + "/"


def includes():
    """Of each room: the folder, the other rooms it includes, and the headers of builder/."""
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.[chly]"], check=True,
                           capture_output=True, text=True).stdout.split()
    floors, arrows, shared = {}, collections.defaultdict(set), collections.defaultdict(set)
    for path in files:
        if not path.startswith(("parser/", "store/", "builder/")) or not os.path.exists(path):
            continue
        floors[room(path)] = floor(path)
        arrows[room(path)]
        with open(path, encoding="utf-8") as f:
            for header in re.findall(r'^\s*#\s*include\s*"((?:parser|store|builder)/[^"]+)"', f.read(), re.M):
                if room(header) != room(path):
                    arrows[room(path)].add(room(header))
                    if room(header) == "builder":
                        shared[room(path)].add(os.path.basename(header)[:-len(".h")])
    return floors, arrows, shared


def row(name, order, arrows, shared):
    """What stands behind the arrow of a room."""
    targets = sorted(arrows[name] - {BASE}, key=order.index)
    below = order.index(name) > order.index("builder")
    words = [("^" if order.index(t) < order.index(name) else "") + t for t in targets if not (below and t == "builder")]
    if below and shared[name]:
        words.append("(%s)" % " ".join(sorted(shared[name])))
    return " ".join(words)


def drawn_rows(picture):
    """(folder, room, what stands behind its arrow) of each row; a line that is none is an error."""
    below, rows, bad = None, [], []
    for line in re.sub(r"\n {6,}", " ", picture).splitlines():
        heading, drawn = re.match(r"(\w+/)$", line), re.match(r"  (\w+) .*?(?:-> ?(.*))?$", line)
        if heading:
            below = heading[1]
        elif drawn:
            rows.append((below, drawn[1], drawn[2] or ""))
        else:
            bad.append("neither a folder nor a room: %s" % line)
    return rows, bad


def wrong_rooms(rows, floors, arrows):
    """Rooms that are missing, invented, drawn twice or below another folder; rooms below the base they use."""
    order = [name for _, name, _ in rows]
    bad = ["%s: not drawn" % name for name in sorted(set(arrows) - set(order))]
    bad += ["%s: there is no such room" % name for name in sorted(set(order) - set(arrows))]
    bad += ["%s: drawn twice" % name for name in sorted({n for n in order if order.count(n) > 1})]
    bad += ["%s: drawn below %s, its files are in %s" % (name, below, floors[name])
            for below, name, _ in rows if name in floors and below != floors[name]]
    if BASE in order:
        bad += ["%s: drawn below %s, which it includes" % (name, BASE)
                for name in order[order.index(BASE):] if BASE in arrows[name]]
    return bad


def main():
    document = sys.argv[1] if len(sys.argv) > 1 else "docs/CONTRIBUTING.md"
    with open(document, encoding="utf-8") as f:
        picture = re.search(r"^```rooms\n(.*?)^```", f.read(), re.M | re.S)
    if not picture:
        sys.exit("rooms: %s has no picture (```rooms)" % document)
    rows, bad = drawn_rows(picture.group(1))
    floors, arrows, shared = includes()
    bad += wrong_rooms(rows, floors, arrows)
    order = [name for _, name, _ in rows]
    for _, name, text in [] if bad else rows:
        real = row(name, order, arrows, shared)
        if " ".join(text.split()) != real:
            bad.append("%s -> %s\n\tthe includes say: %s" % (name, text, real))
        if (BASE in arrows[name]) == (name in NO_BASE):
            bad.append("%s: %s" % (name, "includes store/base" if name in NO_BASE else "does not include store/base"))
    for b in bad:
        print("rooms: " + b)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
