#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random Dockerfiles with bld and docker: make check-docker-random LAB=DIR N=2000 SEED=1

    random_builds.py [--seed S] [--count N] [--again] [--show SEED]

Builds number S, S+1, ... S+N-1 (generate.py) with both, and compares exit, tree and configuration.
$BUILD/judges/random.jsonl has a line a build, so that a run that was stopped goes on where it was
(--again forgets it, --retry forgets the builds whose difference has no reason; a changed generator
makes other Dockerfiles, so its lines begin anew). A difference that KNOWN explains is counted under
its reason. --show writes one case to the current directory, builds nothing.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import generate
import lab

NEW = 1600000000


def made_by():
    """What tells the generator from one that makes other builds of the same seeds."""
    digest = hashlib.sha256()
    for seed in range(20):
        with tempfile.TemporaryDirectory() as d:
            args = generate.write(seed, d)
            for where, dirs, files in os.walk(d):
                dirs.sort()
                for name in sorted(dirs + files):
                    digest.update(f"{where[len(d):]}/{name}\n".encode())
            with open(f"{d}/Dockerfile", encoding="utf-8") as f:
                digest.update((f.read() + "\n".join(args)).encode())
    return digest.hexdigest()[:16]


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


def without_sizes(found):
    """Less the lines of ls that differ in the size of a directory, which is its file system's."""
    plain = [re.sub(r"^(~ /tmp/also\d+: [-+]d\S+ \d+ \d+) \d+ ", r"\1 ", line) for line in found]
    other = {line: re.sub(r": [-+]", lambda m: ": +" if m[0] == ": -" else ": -", line, count=1)
             for line in plain if line.startswith("~ ")}
    return [line for line in plain if other.get(line) not in plain]


def known(found, text):
    """The reasons for differences that are meant, or None when one line has none.

    found: lines of lab.differences(); text: the Dockerfile."""
    reasons, paths = set(), set()
    listings = []
    for line in without_sizes(found):
        if re.match(r"~ \S*/listing\d: [-+]/", line):
            listings.append(line)
            continue
        for pattern, needs, why in KNOWN:
            m = re.search(pattern, line)
            if m and re.search(needs.format(*m.groups()), text):
                reasons.add(why)
                paths.add(line.split(":")[0].split(" ")[-1] if line[0] in "*~" else line.split(" ")[1])
                break
        else:
            return None
    for line in listings:  # what RUN sees of paths that the image shows itself
        if not any(line.partition(": ")[2][1:].startswith(p + " ") for p in paths):
            return None
    return "; ".join(sorted(reasons)) or "the size of a directory is its file system's"


# (a line of the difference, something in the Dockerfile where {0} is the first group of the line, why)
KNOWN = [
    (r"^\* d \S+: mode=0?(\d+) \| 0755$", r"--chmod=0?{0} ",
     "an octal --chmod holds for the directories made as well: BuildKit since 0.20 (buildkit#4945)"),
    (r"^\* [dflp] \S+: own=\d+:\d+ \| \d+:\d+$", r"(?mi)^ *ADD .*--chown=",
     "--chown of ADD holds for what an archive has: BuildKit since 0.23"),
    (r"^\+ /w type=d mode=0755 own=", r"/w/\.\./z",
     "docker makes /w for /w/../z; bld cleans a path first"),
    (r"^config WorkingDir: \"/z\" \| \"/w/\.\./z\"$", r"WORKDIR /w/\.\./z",
     "bld cleans WORKDIR, docker keeps it as it is written"),
    (r"^config WorkingDir: \"/tgt\" \| \"/tgt/\"$", r"WORKDIR /tgt/", "bld cleans WORKDIR, docker keeps it as it is written"),
    (r"^config WorkingDir: \"/opt/x/y\" \| \"/opt//x/\./y\"$", r"WORKDIR /opt//x/\./y",
     "bld cleans WORKDIR, docker keeps it as it is written"),
    (r"^~ /tmp/hn\d+: (-bld|\+buildkitsandbox)$", r"hostname", "the host name of a step is the builder's own"),
    (r'^bld 0, docker 1: .*>>> (?:COPY|ADD) .*[*?\]].* \| .*failed to calculate checksum of ref \S+ "/.+": not found$', "",
     "docker 26 refuses a link to nowhere in a directory that a wildcard matches"),
    (r"^bld 0, docker 1: .*>>> RUN .*--mount=\S*source=\S*ä.* failed to calculate checksum of ref ", "",
     "docker 26 takes a letter outside ASCII in the source of a mount for two"),
    (r"^bld 0, docker 1: .*Error response from daemon: empty export - not implemented$", "",
     "docker 26 saves no image without layers"),
    (r"^bld 0, docker 1: .*source can't be a git ref for COPY$", r"\.git",
     "docker 26 takes a path that ends in .git for a repository"),
]


def one(base, maker, seed):
    work = f"{base}/{seed}"
    os.makedirs(f"{work}/home")
    args = generate.write(seed, work)
    name = f"localhost/random-{seed}:latest"
    with open(f"{work}/Dockerfile", encoding="utf-8") as f:
        text = f.read()
    subprocess.run(["cp", "-a", f"{base}/template", f"{work}/store"], check=True)
    ours = build(lab.BLD, work, name, args, f"{work}/store")
    theirs = build(os.path.join(lab.HERE, "as.sh"), work, name,
                   ["--no-cache", *args], f"{work}/docker")  # its cache keeps times of other builds
    if "Cannot connect to the Docker daemon" in theirs.stdout:
        raise RuntimeError(f"seed {seed}: no dockerd answers any more")
    row = {"seed": seed, "made_by": maker, "bld": ours.returncode, "docker": theirs.returncode, "found": []}
    if (ours.returncode == 0) != (theirs.returncode == 0):
        row["found"] = [f"bld {ours.returncode}, docker {theirs.returncode}: " + " / ".join(
            (ours if ours.returncode else theirs).stdout.strip().splitlines()[-6:])[:1500]]
    elif ours.returncode == 0:
        row["found"] = lab.differences((f"{work}/store", name), (f"{work}/docker", name), NEW)
    elif ours.returncode not in (1, 3, 4):
        row["found"] = [f"bld ends with {ours.returncode}: {ours.stdout.strip()[-300:]}"]
    if ours.returncode:
        row["said"] = next((w for w in ours.stdout.splitlines() if "rror" in w), "")[:200]
    row["text"] = text if row["found"] else ""
    lab.forget("docker", [name])
    if not (row["found"] and os.environ.get("KEEP")):
        lab.clear(work)
    return row


def finished(state, maker, retry):
    """Builds of earlier runs with the generator as it is, by seed."""
    rows = {}
    if os.path.exists(state):
        with open(state, encoding="utf-8") as f:
            rows = {r["seed"]: r for r in map(json.loads, f) if r.get("made_by") == maker}
    if retry:
        rows = {s: r for s, r in rows.items() if not r["found"] or known(r["found"], r["text"])}
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=20)
    p.add_argument("--again", action="store_true")
    p.add_argument("--retry", action="store_true")
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
    maker = made_by()
    rows = finished(state, maker, a.retry)
    todo = [s for s in range(a.seed, a.seed + a.count) if s not in rows]
    base = lab.workdir()
    lab.base_images(base)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool, \
            open(state, "a", encoding="utf-8") as out:
        for row in pool.map(lambda s: one(base, maker, s), todo):
            rows[row["seed"]] = row
            out.write(json.dumps(row) + "\n")
            out.flush()
    if not os.environ.get("KEEP"):
        lab.clear(base)
    return summary([rows[s] for s in range(a.seed, a.seed + a.count)], a)


def summary(rows, a):
    for r in rows:
        r["why"] = known(r["found"], r["text"]) if r["found"] else None
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
