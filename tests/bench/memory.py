#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench-memory: the most memory that bld has at once for one very large file, and for very many files.

  sparse   COPY of one file of BENCH_GIB (10) GiB that is a hole; its layer is small
  files    FROM busybox, COPY of BENCH_FILES (1000000) empty files from a tmpfs, RUN on top

Anonymous memory and file mappings are the greatest of readings of /proc/PID/status a millisecond apart
(timeone -m). Only bld is measured, with its own process: what RUN starts is not in it. JSON lines go to
BENCH_JSON (build/memory.jsonl).

A million files are never deleted one by one: the context is in a tmpfs of a mount namespace of our own,
which the kernel drops with it. The store is on the disk, where layers need not be unpacked, and is
removed in the end: it has a few large files.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402
import workloads  # noqa: E402
from harness import Bench, Skip, say  # noqa: E402

PER_DIR = 1000
PRIVATE = "BENCH_MEMORY_PRIVATE"


def in_private_namespace():
    """Start again where mounts are ours alone."""
    if os.environ.get(PRIVATE):
        return
    os.environ[PRIVATE] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable] + sys.argv)


def sparse(b):
    gib = int(os.environ.get("BENCH_GIB", 10))
    ctx = b.fresh("sparse")
    with open(ctx + "/big", "wb") as f:
        f.truncate(gib << 30)
    return ["COPY of a sparse file of %d GiB" % gib], b.dockerfile("sparse", "FROM scratch\nCOPY big /big\n"), ctx


def files(b):
    n = int(os.environ.get("BENCH_FILES", 1000000))
    if "EROFS indexes, nothing is unpacked" not in b.output(b.bld, "info"):
        raise Skip("this kernel has no EROFS indexes: the layer would be unpacked, file by file")
    workloads.base(b)
    ctx = b.fresh("files")
    b.run("mount", "-t", "tmpfs", "-o", "size=100%,nr_inodes=0,mode=0755", "bench", ctx)
    say("making %d files" % n)
    for i in range(n):
        d = "%s/d%04d" % (ctx, i // PER_DIR)
        if i % PER_DIR == 0:
            os.mkdir(d)
        os.mknod("%s/f%06d" % (d, i))
    what = "FROM busybox, COPY of %d empty files, RUN" % n
    return ([what, what + "; again"],
            b.dockerfile("files", "FROM bench-base\nCOPY . /src\nRUN echo done\n"), ctx)


def main():
    in_private_namespace()
    b = Bench("memory.jsonl")
    b.me = peers.Bld(b)
    b.peers = []
    status = 0
    print("| | anonymous | file mappings | peak of the sum | time |\n|---|---:|---:|---:|---:|")
    for workload in (sparse, files):
        try:
            what, dockerfile, ctx = workload(b)
        except Skip as e:
            print("| %s | skipped: %s | | | |" % (workload.__name__, e))
            continue
        for title in what:
            if not b.timed(workload.__name__, "bld", b.me.build(dockerfile, ctx), memory=True):
                status = 1
                break
            r = b.records[-1]
            print("| %s | %.1f MiB | %.1f MiB | %.1f MiB | %.1f s |" % (
                title, r["anon_kib"] / 1024, r["file_kib"] / 1024, r["hwm_kib"] / 1024, r["wall_s"]), flush=True)
        if workload is files:
            subprocess.run(["umount", ctx], check=True)
    if not os.environ.get("BENCH_DIR") and status == 0:
        shutil.rmtree(b.dir)
    else:
        say("left: " + b.dir)
    return status


if __name__ == "__main__":
    sys.exit(main())
