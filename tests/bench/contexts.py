# SPDX-License-Identifier: Apache-2.0
"""Build contexts of the benchmarks, from a fixed seed. What is there already is kept."""
import os
import random


def tree(root, files, size, per_dir=100, seed=2026):
    """FILES files of SIZE random bytes, PER_DIR in each directory."""
    if os.path.isdir(root):
        return root
    rnd = random.Random(seed)
    os.makedirs(root)
    for i in range(files):
        d = os.path.join(root, "d%03d" % (i // per_dir))
        if i % per_dir == 0:
            os.mkdir(d)
        with open(os.path.join(d, "f%05d" % i), "wb") as f:
            f.write(rnd.randbytes(size))
    return root


def big(path, size):
    """One file, four fifths random and one fifth zeros, as a program with its data is."""
    if os.path.exists(path):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rnd = random.Random(1)
    blocks = [rnd.randbytes(1 << 18) + bytes(1 << 16) for _ in range(64)]
    left = size
    with open(path, "wb") as f:
        while left:
            b = blocks[rnd.randrange(64)][:left]
            f.write(b)
            left -= len(b)
    return path


def small(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)
    return path


def change(root, what):
    """Change one file of a tree: the same name, the same size, other bytes that depend on WHAT."""
    path = os.path.join(root, "d050", "f05000")
    size = os.path.getsize(path)
    with open(path, "wb") as f:
        f.write(random.Random(what).randbytes(size))
