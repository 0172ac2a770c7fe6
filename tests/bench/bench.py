#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: W1 to W10 with bld, with Debian's buildah, with docker when a daemon answers, and as raw limit.

Every round of a workload runs the contestants one after the other, so that whatever the machine
does meanwhile meets them alike. Prints a table; JSON lines go to BENCH_JSON (build/bench.jsonl).
No time is asserted. docs/benchmarks.md says how to read it.

  BENCH_ONLY="W1 W3"      these workloads
  BENCH_ROUNDS=N          rounds of bld and the raw limit (default: by workload)
  BENCH_PEER_ROUNDS=N     rounds of the others; 0 leaves them out
  BENCH_LIMITS=1          afterwards, where the time of bld goes: limits.txt (perf, strace)
  BENCH_DIR=DIR           where everything is made, and left: nothing is deleted
"""
import os
import shutil
import statistics
import sys
import time

import limits
import peers
import table
import workloads
from harness import Bench, Skip, say

NEEDS = 30  # GiB that a whole run takes, with one peer


def interleave(b, name, contestants, rounds, peer_rounds):
    broken = set()
    for i in range(max(rounds, peer_rounds)):
        for who, command in contestants:
            mine = who == "bld" or who.startswith("raw")
            if who in broken or i >= (rounds if mine else peer_rounds):
                continue
            if not b.timed(name, who, command(i), round=i):
                broken.add(who)
                b.skipped.append("%s %s: failed, see %s" % (name, who, b.log))
    for who, command in contestants:
        if who == "bld" and who not in broken:
            b.timed(name, "bld-mem", command("mem"), memory=True)
            if os.environ.get("BENCH_LIMITS"):
                limits.record(b, name, command, os.environ)


def main():
    b = Bench("bench.jsonl")
    only = os.environ.get("BENCH_ONLY", "").split()
    began = time.monotonic()
    say("work directory: %s" % b.dir)
    if shutil.disk_usage(b.dir).free < NEEDS << 30:
        say("less than %d GiB are free there: a whole run may not end" % NEEDS)
    b.me = peers.Bld(b)
    workloads.base(b)
    b.peers = [] if os.environ.get("BENCH_PEER_ROUNDS") == "0" else peers.peers(b)
    for name, prepare, rounds, peer_rounds in workloads.ALL:
        if only and name not in only and name.rstrip("b") not in only:
            continue
        rounds = int(os.environ.get("BENCH_ROUNDS", rounds))
        peer_rounds = int(os.environ.get("BENCH_PEER_ROUNDS", peer_rounds))
        t = time.monotonic()
        try:
            contestants = prepare(b)
            ready = time.monotonic()
            interleave(b, name, contestants, rounds, peer_rounds)
            say("%-4s %.0f s to prepare, %.0f s to run" % (name, ready - t, time.monotonic() - ready))
        except Skip as e:
            b.skipped.append("%s: %s" % (name, e))
    if not b.records:
        sys.exit("nothing was run: %s" % "; ".join(b.skipped))
    print(table.table(b.json))
    for s in b.skipped:
        print("not run: %s" % s)
    loads = [r["load1"] for r in b.records]
    print("%d processors, Linux %s; load average %.1f-%.1f, median %.1f" % (
        b.cpus, os.uname().release, min(loads), max(loads), statistics.median(loads)))
    print("%d s; records: %s   work directory, to be removed by you: %s" % (
        time.monotonic() - began, b.json, b.dir))


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main()
