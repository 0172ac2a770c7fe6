# SPDX-License-Identifier: Apache-2.0
"""What all measurements share: the work directory, the programs, one timed run, one record.

Nothing is deleted while it runs: mass deletes make ext4 slow for minutes, which would swamp any
comparison. Every round that needs an empty place gets a new one.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile


def say(text):
    print(text, file=sys.stderr, flush=True)


class Skip(Exception):
    """A workload or a contestant that cannot run here, and why."""


class Bench:
    def __init__(self, json_name):
        self.repo = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
        self.build = os.path.realpath(os.environ.get("BUILD", "build"))
        self.bld = os.path.realpath(os.environ.get("BLD", self.build + "/bld"))
        self.dir = os.path.realpath(os.environ.get("BENCH_DIR") or tempfile.mkdtemp(
            prefix="bld-bench.", dir=os.environ.get("TMPDIR", "/tmp")))
        os.makedirs(self.dir, exist_ok=True)
        self.log = self.dir + "/log"
        self.json = os.environ.get("BENCH_JSON", "%s/%s" % (self.build, json_name))
        self.records = []
        self.skipped = []
        self.cpus = len(os.sched_getaffinity(0))
        open(self.json, "w").close()
        os.environ.update(BLD_ROOT=self.path("store"), BLD_PROGRESS="quiet", LC_ALL="C")
        os.environ.setdefault("STORAGE_DRIVER", "overlay")
        for v in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "SOURCE_DATE_EPOCH"):
            os.environ.pop(v, None)

    def path(self, *name):
        return os.path.join(self.dir, *name)

    def fresh(self, name):
        """A new empty directory."""
        return tempfile.mkdtemp(prefix=name + ".", dir=self.dir)

    def tool(self, name):
        return "%s/bench/%s" % (self.build, name)

    def dockerfile(self, name, text):
        path = self.path(name + ".Dockerfile")
        with open(path, "w") as f:
            f.write(text)
        return path

    def run(self, *argv, **kw):
        """Not timed; output to the log, an error when it ends badly."""
        with open(self.log, "ab") as log:
            r = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, **kw)
        if r.returncode:
            raise Skip("%s: status %d, see %s" % (" ".join(map(str, argv))[:120], r.returncode, self.log))

    def output(self, *argv, **kw):
        return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, **kw).stdout.strip()

    def timed(self, workload, who, argv, memory=False, env=None, **more):
        """Run once, keep a record, and say so. False when the command failed."""
        cmd = [self.tool("timeone")] + (["-m"] if memory else []) + [self.log] + [str(a) for a in argv]
        out = subprocess.run(cmd, stdout=subprocess.PIPE, check=True, env=dict(os.environ, **(env or {})))
        r = json.loads(out.stdout)
        r = dict(workload=workload, who=who, **more, **r, load1=round(os.getloadavg()[0], 2))
        self.records.append(r)
        with open(self.json, "a") as f:
            f.write(json.dumps(r) + "\n")
        if r["status"]:
            say("%s %s ended with status %d, see %s" % (workload, who, r["status"], self.log))
        return r["status"] == 0

    def bld_build(self, *argv):
        self.run(self.bld, "build", "-q", *argv)


def have(name):
    return shutil.which(name) is not None


def answers(argv):
    """Whether a command ends well within ten seconds."""
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
