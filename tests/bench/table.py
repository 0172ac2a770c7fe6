#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""table.py FILE: medians, ranges and ratios of the JSON lines of a benchmark run, as a Markdown table."""
import json
import statistics
import sys

WHAT = {
    "W1": "scratch + one file, no cache",
    "W2": "20 steps cached, context of 10,000 files / 100 MB",
    "W3": "50 x RUN true",
    "W4": "COPY of one 1 GiB file",
    "W5": "COPY of 50,000 files of 4 KiB",
}
runs = {}
for line in open(sys.argv[1]):
    r = json.loads(line)
    if r["status"] == 0:
        runs.setdefault((r["workload"], r["who"]), []).append(r)


def wall(key):
    return [r["wall_s"] for r in runs.get(key, [])]


def show(v):
    if not v:
        return "-"
    m = statistics.median(v)
    return "%.3g s (%.3g-%.3g)" % (m, min(v), max(v))


print("| workload | raw limit | bld | buildah | bld : raw | buildah : bld | bld peak MiB |")
print("|---|---|---|---|---:|---:|---:|")
for w in sorted({k[0] for k in runs}):
    raw, bld, peer = wall((w, "raw")), wall((w, "bld")), wall((w, "buildah"))
    med = statistics.median
    print("| %s %s | %s | %s | %s | %s | %s | %s |" % (
        w, WHAT.get(w, ""), show(raw), show(bld), show(peer),
        "%.2f" % (med(bld) / med(raw)) if raw and bld else "-",
        "%.1f" % (med(peer) / med(bld)) if peer and bld else "-",
        "%.1f" % max(r["peak_mib"] for r in runs[(w, "bld")]) if bld else "-"))
