#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""table.py FILE: medians, ranges and ratios of the JSON lines of a benchmark run, as a Markdown table.

The raw limit has variants (1 and 2 threads); the one with the least median counts, which is the
hardest to compare with. Ratios are of medians. Memory is of runs of their own, see timeone.c.
"""
import json
import statistics
import sys

# name: what it does, goal in seconds, goal as a ratio to the raw limit
WHAT = {
    "W1": ("FROM scratch, COPY one file, no cache", 0.003, 3),
    "W2": ("20 steps cached, context of 10,000 files / 100 MB", 0.025, 1.5),
    "W3": ("50 x RUN true, no cache", 0.180, 2),
    "W4": ("COPY one 1 GiB file", 0.8, 1.3),
    "W5": ("COPY 50,000 files of 4 KiB", 0.5, 1.3),
    "W6": ("six independent stages of sleep 2", 2.1, 1.05),
    "W7": ("Debian: apt-get install build-essential, COPY, make, second stage", 12.5, 1.05),
    "W8": ("push of W7's build stage", 0.9, 1.5),
    "W8b": ("the same again", 0.1, None),
    "W9": ("pull it into an empty store, first RUN done", 0.9, 1.5),
    "W10": ("W2 after one file changed", 0.15, 2),
}
ORDER = list(WHAT)


def load(path):
    runs = {}
    with open(path) as f:
        for line in f:
            r = json.loads(line)
            if r["status"] == 0:
                runs.setdefault((r["workload"], r["who"]), []).append(r)
    return runs


def seconds(v):
    return "%.3g s" % v if v >= 1 else "%.3g ms" % (v * 1000)


def show(v):
    """median (least-greatest, how many)"""
    if not v:
        return "-"
    if len(v) == 1:
        return "%s (1 run)" % seconds(v[0])
    return "%s (%s-%s, %d)" % (seconds(statistics.median(v)), seconds(min(v)).split()[0]
                               if (min(v) >= 1) == (max(v) >= 1) else seconds(min(v)), seconds(max(v)), len(v))


def ratio(a, b, form):
    return form % (statistics.median(a) / statistics.median(b)) if a and b else "-"


def rows(runs):
    def wall(*key):
        return [r["wall_s"] for r in runs.get(key, [])]

    peers = [p for p in ("buildah", "docker") if any(k[1] == p for k in runs)]
    yield ["workload", "goal", "raw limit", "bld"] + peers + ["bld : raw (goal)"] + \
        ["%s : bld" % p for p in peers] + ["peak MiB: anon + file"]
    yield ["---"] * (4 + len(peers)) + ["---:"] * (2 + len(peers))
    for w in ORDER:
        if not any(k[0] == w for k in runs):
            continue
        text, goal, times = WHAT[w]
        variants = [wall(*k) for k in runs if k[0] == w and k[1].startswith("raw")]
        raw = min(variants, key=statistics.median) if variants else []
        bld = wall(w, "bld")
        mem = runs.get((w, "bld-mem"), [])
        yield ["%s %s" % (w.replace("W8b", "W8 again:"), text), seconds(goal), show(raw), show(bld)] + \
            [show(wall(w, p)) for p in peers] + \
            [ratio(bld, raw, "%.2f") + (" (%g)" % times if times else "")] + \
            [ratio(wall(w, p), bld, "%.1f") for p in peers] + \
            ["%.1f + %.1f" % (max(r["anon_kib"] + r["shmem_kib"] for r in mem) / 1024,
                              max(r["file_kib"] for r in mem) / 1024) if mem else "-"]


def table(path):
    return "\n".join("| %s |" % " | ".join(r) for r in rows(load(path)))


if __name__ == "__main__":
    print(table(sys.argv[1]))
