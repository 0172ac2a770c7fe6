#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build contexts of the benchmarks, from a fixed seed: contexts.py DIR makes DIR/w1 w2 w4 w5."""
import os
import random
import sys


def tree(root, files, size, per_dir):
    if os.path.isdir(root):
        return
    rnd = random.Random(2026)
    for i in range(files):
        d = os.path.join(root, "d%03d" % (i // per_dir))
        if i % per_dir == 0:
            os.makedirs(d)
        with open(os.path.join(d, "f%05d" % i), "wb") as f:
            f.write(rnd.randbytes(size))


def big(path, size):
    if os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rnd = random.Random(1)
    blocks = [rnd.randbytes(1 << 18) + bytes(1 << 16) for _ in range(64)]
    left = size
    with open(path, "wb") as f:
        while left:
            b = blocks[rnd.randrange(64)][:left]
            f.write(b)
            left -= len(b)


def main():
    d = sys.argv[1]
    only = os.environ.get("BENCH_ONLY", "W1 W2 W3 W4 W5").split()
    os.makedirs(os.path.join(d, "w1"), exist_ok=True)
    with open(os.path.join(d, "w1", "one"), "wb") as f:
        f.write(b"hello\n" * 100)
    if "W2" in only:
        tree(os.path.join(d, "w2"), 10000, 10240, 100)
    if "W4" in only:
        big(os.path.join(d, "w4", "big"), 1 << 30)
    if "W5" in only:
        tree(os.path.join(d, "w5"), 50000, 4096, 250)


main()
