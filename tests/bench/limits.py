# SPDX-License-Identifier: Apache-2.0
"""What limits a workload: where the time of one run of bld goes (perf, by object and by function),
and its most frequent system calls (strace -c). BENCH_LIMITS=1 adds it to make bench; one file,
limits.txt, in the work directory. Children are included. These runs are not timed.
"""
import re
import subprocess

from harness import have


def _perf(b, argv, env):
    data = b.path("perf.data")
    r = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-o", data, "--"] + argv,
                       env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if r.returncode:
        return ["perf record: status %d" % r.returncode]
    out = []
    for keys, least in (("dso", 3), ("dso,symbol", 3)):
        text = subprocess.run(["perf", "report", "-i", data, "--stdio", "-q", "--no-children", "--percent-limit",
                               str(least), "-s", keys], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        rows = [re.sub(r"\s+", " ", line.strip()) for line in text.stdout.splitlines() if "%" in line]
        out.append("  by %s: %s" % (keys, "; ".join(r for r in rows if "0x0000" not in r)[:900]))
    return out


def _strace(b, argv, env):
    summary = b.path("strace.txt")
    r = subprocess.run(["strace", "-f", "-c", "-S", "calls", "-o", summary] + argv, env=env,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if r.returncode:
        return ["strace: status %d" % r.returncode]
    with open(summary) as f:
        rows = [line.split() for line in f if re.match(r" *\d", line)]
    total = next((r for r in rows if r[-1] == "total"), None)
    top = ["%s %s" % (r[3], r[-1]) for r in rows if r[-1] != "total"][:10]
    return ["  calls: %s of %s" % (", ".join(top), total[3] if total and len(total) > 3 else "?")]


def record(b, name, command, environment):
    """COMMAND makes the arguments of a run, anew each time."""
    lines = [name]
    for tool, look in (("perf", _perf), ("strace", _strace)):
        if have(tool):
            lines += look(b, [str(a) for a in command("limits")], environment)
    with open(b.path("limits.txt"), "a") as f:
        f.write("\n".join(lines) + "\n")
