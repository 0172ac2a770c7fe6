#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Budgets of instructions and system calls, so that a regression is found on a noisy machine.

    budgets.py check [--calls]    compare with budgets.tsv, TAP; --calls leaves the instructions out
    budgets.py write [N]          measure N times (5) and write budgets.tsv; never done by a check
    budgets.py show [N]           measure N times, print least and greatest of everything

System calls are counted by strace, of all processes, by kind. Calls whose number depends on who runs
when (futex, waiting, memory of threads) are of no kind. Instructions are counted by callgrind, of
the main process; a RUN cannot be (valgrind knows neither openat2 nor namespaces).

A budget is an upper limit: using less passes, and is said when it is much less.
"""
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import contexts  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.realpath(os.environ.get("BLD") or os.environ.get("BUILD", "build") + "/bld")
TABLE = os.environ.get("BENCH_BUDGETS", HERE + "/budgets.tsv")
KINDS = {
    "process": "fork vfork execve execveat",
    "stat": "stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat statfs fstatfs",
    "open": "open openat openat2 creat name_to_handle_at open_by_handle_at getdents64",
    "data": "read pread64 readv preadv write pwrite64 writev pwritev copy_file_range sendfile splice "
            "sendto sendmsg recvfrom recvmsg lseek ftruncate fallocate",
    "names": "rename renameat renameat2 mkdir mkdirat unlink unlinkat rmdir link linkat symlink symlinkat mknod mknodat",
    "attributes": "chmod fchmod fchmodat chown fchown fchownat utimensat fgetxattr getxattr lgetxattr flistxattr "
                  "listxattr llistxattr fsetxattr setxattr lsetxattr fremovexattr",
    "mount": "mount umount2 fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr pivot_root "
             "unshare setns",
    "sync": "fsync fdatasync syncfs sync sync_file_range msync",
}
KIND_OF = {call: kind for kind, calls in KINDS.items() for call in calls.split()}
EXACT = ("process", "mount", "sync")  # what never varies gets no room but what was seen to vary
SANITISED = (b"__asan_init", b"__tsan_init", b"__ubsan_handle", b"__gcov_")


class Skip(Exception):
    pass


class Room:
    """A store and contexts in a directory of its own, and the small workloads on them."""

    def __init__(self):
        self.bld = PROGRAM
        self.dir = tempfile.mkdtemp(prefix="bld-budgets.", dir=os.environ.get("TMPDIR", "/tmp"))
        os.chdir(self.dir)
        # Names relative to it, for its depth is not to be counted.
        self.env = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "BLD_ROOT": "store", "LC_ALL": "C",
                    "BLD_PROGRESS": "quiet", "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", "")}
        self.turn = 0
        contexts.tree("tree", 1000, 1000)
        contexts.small("one/one", b"hello\n" * 100)
        for d in ("bin", "proc", "sys", "dev", "tmp"):
            os.makedirs("base/" + d)
        shutil.copy("/bin/busybox", "base/bin/busybox")
        for applet in ("sh", "true"):
            os.link("base/bin/busybox", "base/bin/" + applet)
        self.file("base", "FROM scratch\nCOPY . /\nENV PATH=/bin\n")
        self.file("w1", "FROM scratch\nCOPY one /one\n")
        self.file("steps", "FROM scratch\n" + "".join("ENV N%d=1\n" % i for i in range(19)) + "COPY . /src\n")
        self.file("copy", "FROM scratch\nCOPY . /src\n")
        self.file("run", "FROM budget-base\n" + 'RUN ["/bin/true"]\n' * 5)
        self.do("build", "-q", "-t", "budget-base", "-f", "base.Dockerfile", "base")
        self.do("build", "-q", "--no-cache", "-f", "run.Dockerfile", "one")

    def file(self, name, text):
        with open(name + ".Dockerfile", "w") as f:
            f.write(text)

    def do(self, *argv, root=None):
        env = dict(self.env, **({"BLD_ROOT": root} if root else {}))
        r = subprocess.run([self.bld] + list(argv), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
        if r.returncode:
            raise SystemExit("bld %s: status %d: %s" % (" ".join(argv), r.returncode, r.stderr))
        return r.stdout

    def fresh(self):
        self.turn += 1
        return "store%d" % self.turn

    # Each workload: untimed preparation, then (arguments, store).

    def version(self):
        return ["--version"], None

    def one_file(self):
        argv = ["build", "-q", "--no-cache", "-f", "w1.Dockerfile", "one"]
        self.do(*argv)
        return argv, None

    def cached_steps(self):
        argv = ["build", "-q", "-f", "steps.Dockerfile", "tree"]
        self.do(*argv)
        self.do(*argv)
        return argv, None

    def copy_cold(self):
        store = self.fresh()
        self.do("images", root=store)
        return ["build", "-q", "--no-cache", "-f", "copy.Dockerfile", "tree"], store

    def run_true(self):
        argv = ["build", "-q", "--no-cache", "-f", "run.Dockerfile", "one"]
        self.do(*argv)
        return argv, None

    def one_changed(self):
        argv = ["build", "-q", "-f", "copy.Dockerfile", "other"]
        contexts.tree("other", 1000, 1000, 100, 7)
        # Files of the clock's present tick are not recorded, and would be read again.
        time.sleep(0.05)
        self.do(*argv)
        self.do(*argv)
        self.turn += 1
        with open("other/d005/f00500", "wb") as f:
            f.write(b"%1000d" % self.turn)
        return argv, None

    def save(self):
        store = self.fresh()
        self.do("build", "-q", "-t", "small", "-f", "copy.Dockerfile", "one", root=store)
        return ["save", "-q", "--format", "oci-archive", "-o", "small.tar", "small"], store

    def load(self):
        if not os.path.exists("small.tar"):
            argv, store = self.save()
            self.do(*argv, root=store)
        store = self.fresh()
        self.do("images", root=store)
        return ["load", "-q", "-i", "small.tar"], store

    WORKLOADS = ["version", "one_file", "cached_steps", "copy_cold", "run_true", "one_changed", "save", "load"]


def one_cpu():
    """Where the number of threads follows from the processors, it is the same on every machine."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measured(room, tool, name):
    argv, root = getattr(room, name)()
    env = dict(room.env, **({"BLD_ROOT": root} if root else {}))
    r = subprocess.run(tool + [room.bld] + argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, text=True, preexec_fn=one_cpu)
    return r.returncode, r.stderr


def calls(room, name):
    """Kind -> how many, with "calls" for all kinds together."""
    trace = "%s/trace" % room.dir
    rc, err = measured(room, ["strace", "-f", "-qq", "-o", trace], name)
    if rc:
        raise Skip("strace: status %d: %s" % (rc, err.strip()[-200:]))
    n = dict.fromkeys(list(KINDS) + ["calls"], 0)
    with open(trace, errors="replace") as f:
        for line in f:
            m = re.match(r"\d+ +([a-z_0-9]+)\(", line)
            if not m:
                continue
            call = m.group(1)
            kind = KIND_OF.get(call)
            if call in ("clone", "clone3") and "CLONE_THREAD" not in line:
                kind = "process"
            if kind:
                n[kind] += 1
                n["calls"] += 1
    return n


def instructions(room, name):
    rc, err = measured(room, ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"], name)
    m = re.search(r"Collected : (\d+)", err)
    if rc or not m:
        raise Skip("callgrind: status %d: %s" % (rc, err.strip()[-200:]))
    return {"instructions": int(m.group(1))}


def ways(calls_only):
    """What can be counted here: (function, workloads); and what cannot, with the reason."""
    able, not_able = [], []
    for tool, count, names in (("strace", calls, Room.WORKLOADS),
                               ("valgrind", instructions, [w for w in Room.WORKLOADS if w != "run_true"])):
        if tool == "valgrind" and calls_only:
            continue
        if not shutil.which(tool):
            not_able.append((tool, "%s is not installed" % tool))
        elif tool == "strace" and subprocess.run(["strace", "-o", "/dev/null", "true"],
                                                 stderr=subprocess.DEVNULL).returncode:
            not_able.append((tool, "strace may not trace here"))
        else:
            able.append((count, names))
    return able, not_able


def measure(room, able, times):
    """(workload, metric) -> values"""
    seen = {}
    for count, names in able:
        for name in names:
            for _ in range(times):
                for metric, v in count(room, name).items():
                    seen.setdefault((name, metric), []).append(v)
    return seen


def room_for(metric, values):
    spread = max(values) - min(values)
    if metric in EXACT:
        return spread
    return 2 * spread + math.ceil(max(values) * (0.03 if metric == "instructions" else 0.01)) + 2


def write(times):
    able, not_able = ways(False)
    for _, why in not_able:
        sys.exit("all budgets or none: " + why)
    room = Room()
    seen = measure(room, able, times)
    shutil.rmtree(room.dir, ignore_errors=True)
    with open(TABLE, "w") as f:
        f.write("# Made by `make bench-budgets`, %d readings each; tests/bench/budgets.py says what is counted.\n"
                "# workload\tmetric\tbudget: the greatest reading\ttolerance\n" % times)
        for (name, metric), v in seen.items():
            if max(v) or metric in EXACT:
                f.write("%s\t%s\t%d\t%d\n" % (name, metric, max(v), room_for(metric, v)))


def show(times):
    room = Room()
    for (name, metric), v in measure(room, ways(False)[0], times).items():
        print("%-14s %-12s %10d - %d" % (name, metric, min(v), max(v)))
    shutil.rmtree(room.dir, ignore_errors=True)


def budgets():
    with open(TABLE) as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith("#")]
    return {(w, m): (int(b), int(t)) for w, m, b, t in rows}


def verdict(name, metric, value, limit):
    budget, tolerance = limit
    if value > budget + tolerance:
        return False, "%s %s: %d, budget %d + %d" % (name, metric, value, budget, tolerance)
    note = " (the budget can be lowered)" if value < budget * 0.9 - tolerance else ""
    return True, "%s %s: %d of %d%s" % (name, metric, value, budget, note)


def check(calls_only):
    with open(PROGRAM, "rb") as f:
        program = f.read()
    if any(mark in program for mark in SANITISED):
        print("1..0 # the program is instrumented: its calls are not those of bld")
        return 0
    limits, room, n, bad = budgets(), Room(), 0, 0
    able, not_able = ways(calls_only)
    for count, names in able:
        for name in names:
            try:
                got = count(room, name)
            except Skip as e:
                n += 1
                print("not ok %d - %s: %s" % (n, name, e))
                bad = 1
                continue
            for metric, value in got.items():
                if (name, metric) in limits:
                    n += 1
                    ok, text = verdict(name, metric, value, limits[(name, metric)])
                    bad |= not ok
                    print("%s %d - %s" % ("ok" if ok else "not ok", n, text), flush=True)
    for tool, why in not_able:
        n += 1
        print("ok %d - budgets by %s # skip %s" % (n, tool, why))
    print("1..%d" % n)
    if bad:
        print("# left for a look: %s" % room.dir)
    else:
        shutil.rmtree(room.dir, ignore_errors=True)
    return bad


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    times = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 5
    if what == "check":
        sys.exit(check("--calls" in sys.argv))
    elif what == "write":
        write(times)
    elif what == "show":
        show(times)
    else:
        sys.exit(__doc__)


main()
