#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random Dockerfiles with bld and docker: make check-docker-random LAB=DIR N=2000 SEED=1

    random_builds.py [--seed S] [--count N] [--again] [--show SEED]

Builds number S, S+1, ... S+N-1 (generate.py) with both, and compares exit, tree and configuration.
$BUILD/judges/random.jsonl has a line a build, so that a run that was stopped goes on where it was
(--again forgets it). A difference that known_differences() explains is counted under its reason. --show writes one case to
the current directory, builds nothing.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys

import generate
import lab

NEW = 1600000000


def build(tool, work, name, args, store):
    env = dict(os.environ, JUDGE="docker", LAB=lab.LAB, HOME=f"{work}/home")
    for k in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
              "SOURCE_DATE_EPOCH"):
        env.pop(k, None)
    try:
        return subprocess.run([tool, "--root", store, "build", "--progress=plain", "-t", name, "-f",
                               f"{work}/Dockerfile", *args, "ctx"], env=env, cwd=work, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, errors="replace",
                              stderr=subprocess.STDOUT, timeout=600)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess([], 124, "no end within 600 s")


def known(found, text):
    """The reason for differences that are meant, or None. found: lines; text: the Dockerfile."""
    for pattern, needs, why in KNOWN:
        if all(re.search(pattern, line) for line in found) and re.search(needs, text):
            return why
    return None


# (every line of the difference, something in the Dockerfile, why)
KNOWN = [
]


def one(base, seed):
    work = f"{base}/{seed}"
    os.makedirs(f"{work}/home")
    args = generate.write(seed, work)
    name = f"localhost/random-{seed}:latest"
    with open(f"{work}/Dockerfile", encoding="utf-8") as f:
        text = f.read()
    subprocess.run(["cp", "-a", f"{base}/template", f"{work}/store"], check=True)
    ours = build(lab.BLD, work, name, args, f"{work}/store")
    theirs = build(os.path.join(lab.HERE, "as.sh"), work, name, args, f"{work}/docker")
    row = {"seed": seed, "bld": ours.returncode, "docker": theirs.returncode, "found": []}
    if (ours.returncode == 0) != (theirs.returncode == 0):
        row["found"] = [f"bld {ours.returncode}, docker {theirs.returncode}: " + " / ".join(
            (ours if ours.returncode else theirs).stdout.strip().splitlines()[-6:])[:1500]]
    elif ours.returncode == 0:
        row["found"] = lab.differences((f"{work}/store", name), (f"{work}/docker", name), NEW)
    elif ours.returncode not in (1, 3, 4):
        row["found"] = [f"bld ends with {ours.returncode}: {ours.stdout.strip()[-300:]}"]
    if row["found"]:
        row["why"] = known(row["found"], text)
    lab.forget(name)
    if not (row["found"] and os.environ.get("KEEP")):
        lab.clear(work)
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=20)
    p.add_argument("--again", action="store_true")
    p.add_argument("--show", type=int)
    a = p.parse_args()
    if a.show is not None:
        print(" ".join(generate.write(a.show, ".")))
        return 0
    why = lab.ready()
    if why:
        print(f"check-docker-random: {why}", file=sys.stderr)
        return 2
    state = f"{lab.BUILD}/judges/random.jsonl"
    os.makedirs(os.path.dirname(state), exist_ok=True)
    if a.again and os.path.exists(state):
        os.unlink(state)
    rows = {}
    if os.path.exists(state):
        with open(state, encoding="utf-8") as f:
            rows = {r["seed"]: r for r in map(json.loads, f)}
    todo = [s for s in range(a.seed, a.seed + a.count) if s not in rows]
    base = lab.workdir()
    lab.base_images(base)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool, \
            open(state, "a", encoding="utf-8") as out:
        for row in pool.map(lambda s: one(base, s), todo):
            rows[row["seed"]] = row
            out.write(json.dumps(row) + "\n")
            out.flush()
    if not os.environ.get("KEEP"):
        lab.clear(base)
    return summary([rows[s] for s in range(a.seed, a.seed + a.count)], a)


def summary(rows, a):
    bad = [r for r in rows if r["found"] and not r.get("why")]
    for r in bad[:20]:
        print(f"not ok - seed {r['seed']}")
        print("\n".join("# " + line[:600] for line in r["found"][:10]))
    for why, n in collections.Counter(r["why"] for r in rows if r.get("why")).items():
        print(f"{n} x {why}")
    both = sum(r["bld"] == 0 and r["docker"] == 0 for r in rows)
    print(f"seeds {a.seed} to {a.seed + a.count - 1}: {len(rows)} builds, {both} built by both, "
          f"{sum(r['bld'] != 0 and r['docker'] != 0 for r in rows)} refused by both, "
          f"{len(bad)} unexplained differences")
    print(f"{len(rows) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
