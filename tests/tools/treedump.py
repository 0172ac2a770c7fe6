#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print, compare or check the flattened tree of an image.

    treedump.py [OPTIONS] SOURCE             one sorted line an entry
    treedump.py [OPTIONS] SOURCE SOURCE2     the lines that differ; status 1 if there are any
    treedump.py [OPTIONS] --check F SOURCE   hold the tree against the statements of a file

SOURCE: oci:DIR[:NAME], dir:ROOT (a directory), tar:FILE (one layer).
Options: --mtime (also times), --no-xattr, --no-root, --ignore REGEX (paths, repeatable),
--layer N (only the raw entries of layer N, 0 is the lowest, -1 the highest).

Statements of a check file, one a line; values as printed (blanks and other odd bytes as %XX):
    /path [key=value]...   exists, with these values; keys as printed, and content= for small files
    ! /path                does not exist
    = /dir NAME...         the directory has exactly these names
    layers N               number of layers
    layer N: /path...      exactly these entries (with .wh. names) are in layer N
"""
import argparse
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ocidir  # noqa: E402


def get(source, want_layer=None):
    """-> (tree, layers or None)"""
    if source.startswith("dir:"):
        return ocidir.tree_of_dir(source[4:].rstrip("/") or "/"), None
    if source.startswith("tar:"):
        with open(source[4:], "rb") as f:
            layers = [ocidir.plain(f.read())]
    else:
        layers = ocidir.load(source)[4]
    if want_layer is not None:
        return dict(ocidir.layer_entries(layers[want_layer])), layers
    return ocidir.tree_of_layers(layers), layers


def lines(tree, args):
    hard = ocidir.groups(tree)
    skip = [re.compile(r) for r in args.ignore]
    out = []
    for path in sorted(tree):
        if path == "/" and args.no_root or any(r.search(path) for r in skip):
            continue
        out.append(" ".join(ocidir.describe(path, tree[path], hard, args.mtime, not args.no_xattr)))
    return out


def check(tree, layers, name):
    bad = []
    quoted = {ocidir.quote(p): p for p in tree}
    hard = ocidir.groups(tree)
    with open(name, encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "!":
                if words[1] in quoted:
                    bad.append(f"{words[1]} is there")
            elif words[0] == "=":
                base = words[1].rstrip("/") + "/"
                have = {p[len(base):] for p in quoted if p.startswith(base)}
                have = {p for p in have if p and "/" not in p}
                if have != set(words[2:]):
                    bad.append(f"{words[1]} has {sorted(have)}, not {sorted(words[2:])}")
            elif words[0] == "layers":
                if len(layers) != int(words[1]):
                    bad.append(f"{len(layers)} layers, not {words[1]}")
            elif words[0] == "layer" and int(words[1].rstrip(":")) >= len(layers):
                bad.append(f"there is no layer {words[1]}")
            elif words[0] == "layer":
                have = {ocidir.quote(p) for p, _ in
                        ocidir.layer_entries(layers[int(words[1].rstrip(":"))])} - {"/"}
                if have != set(words[2:]):
                    bad.append(f"layer {words[1]} has {sorted(have)}, not {sorted(words[2:])}")
            elif words[0] not in quoted:
                bad.append(f"{words[0]} is missing")
            else:
                path = quoted[words[0]]
                e = tree[path]
                have = dict(w.split("=", 1) for w in
                            ocidir.describe(path, e, hard, mtime=True)[1:])
                if e.data is not None:
                    have["content"] = ocidir.quote(e.data)
                for word in words[1:]:
                    key, _, value = word.partition("=")
                    if value == "" and key.startswith("!"):
                        if key[1:] in have:
                            bad.append(f"{words[0]}: has {key[1:]}")
                    elif have.get(key) != value:
                        bad.append(f"{words[0]}: {key} is {have.get(key)}, not {value}")
    return bad


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--mtime", action="store_true")
    p.add_argument("--no-xattr", action="store_true")
    p.add_argument("--no-root", action="store_true")
    p.add_argument("--ignore", action="append", default=[])
    p.add_argument("--layer", type=int)
    p.add_argument("--check")
    p.add_argument("source", nargs="+")
    args = p.parse_args()
    try:
        tree, layers = get(args.source[0], args.layer)
        if args.check:
            bad = check(tree, layers, args.check)
            print("\n".join(bad), end="\n" if bad else "")
            return 1 if bad else 0
        one = lines(tree, args)
        if len(args.source) == 1:
            print("\n".join(one))
            return 0
        two = lines(get(args.source[1], args.layer)[0], args)
    except ocidir.Bad as why:
        print(f"treedump: {why}", file=sys.stderr)
        return 2
    a, b = set(one), set(two)
    for line in sorted((a | b) - (a & b)):
        print(("-" if line in a else "+") + line)
    return 0 if a == b else 1


if __name__ == "__main__":
    sys.exit(main())
