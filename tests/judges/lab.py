# SPDX-License-Identifier: Apache-2.0
"""The judges (docker, buildah) and bld side by side: work directories, base images, comparisons.

LAB is the directory of the judges: a chroot $LAB/trixie with docker and buildah, dockerd answering
on $LAB/run/docker.sock, and $LAB itself visible inside under the same path. Nothing here starts or
stops a daemon.
"""
import difflib
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(REPO, "tests", "tools")
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(REPO, "build")))
BLD = os.environ.get("BLD", os.path.join(BUILD, "bld"))
LAB = os.environ.get("LAB", "")
BUILDAH = os.environ.get("BUILDAH_STORE", "b-judge")  # two runs at a time need one each
JUDGES = tuple(os.environ.get("JUDGES", "docker buildah").split())

sys.path.insert(0, TOOLS)
import configdump  # noqa: E402
import ocidir  # noqa: E402
import layout as layouts  # noqa: E402

# Where builders leave places to mount on; who needs which is its own business.
STUBS = re.compile(r"^/(dev|proc|sys|run|etc|etc/(hosts|hostname|resolv\.conf))$")


def ready():
    """None, or why the judges cannot be asked."""
    if not LAB:
        return "LAB is not set: the directory of the judges"
    if not os.path.exists(f"{LAB}/run/docker.sock"):
        return f"{LAB}: no dockerd answers there"
    return None


def sh(*argv, **kw):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **kw)


def in_chroot(*argv):
    return sh("chroot", f"{LAB}/trixie", "env", f"HOME={LAB}/run", *argv)


class Dockerd(http.client.HTTPConnection):
    """Requests to dockerd itself: a client of its own costs more than what is asked for."""

    def __init__(self):
        super().__init__("localhost", timeout=600)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(f"{LAB}/run/docker.sock")


def save(name, layout):
    """An image of dockerd into an OCI layout; None, or what dockerd says."""
    dockerd = Dockerd()
    try:
        dockerd.request("GET", f"/images/{name}/get")
        answer = dockerd.getresponse()
        data = answer.read()
    finally:
        dockerd.close()
    if answer.status != 200:
        return json.loads(data)["message"]
    os.makedirs(layout, exist_ok=True)
    layouts.add(io.BytesIO(data), layout, [name])
    return None


def remove(name):
    """Take an image from dockerd, if it is there."""
    dockerd = Dockerd()
    try:
        dockerd.request("DELETE", f"/images/{name}?force=1")
        dockerd.getresponse().read()
    finally:
        dockerd.close()


def workdir():
    os.makedirs(f"{LAB}/t", exist_ok=True)
    return tempfile.mkdtemp(prefix="judge.", dir=f"{LAB}/t")


def base_images(work):
    """localhost/base and localhost/onbuild, in a store of bld (work/template) and with each judge."""
    out = sh("bash", "-c", 'export BUILD=$1 TOOLS=$2; . "$3/tests/lib/images.sh" && base_layout',
             "_", BUILD, TOOLS, REPO)
    if out.returncode:
        raise RuntimeError(out.stdout)
    layout = out.stdout.strip().splitlines()[-1]
    for name in ("base", "onbuild"):
        archive = f"{work}/{name}.archive"
        steps = (lambda: sh("skopeo", "copy", "-q", f"oci:{layout}:{name}",
                            f"docker-archive:{archive}:localhost/{name}:latest"),
                 lambda: sh(BLD, "--root", f"{work}/template", "load", "-i", archive),
                 lambda: in_chroot("docker", "-H", f"unix://{LAB}/run/docker.sock", "load", "-q",
                                   "-i", archive),
                 lambda: in_chroot("buildah", "--root", f"{LAB}/store/{BUILDAH}", "--runroot",
                                   f"{LAB}/run/{BUILDAH}", "--storage-driver", "overlay", "pull",
                                   "-q", f"docker-archive:{archive}"))
        for step in steps:
            done = step()
            if done.returncode:
                raise RuntimeError(done.stdout)
    return layout


def describe(tree, newer_than):
    """Lines of a tree; times only of what came from a context or an archive (older)."""
    hard = ocidir.groups(tree)
    out = {}
    for path in tree:
        e = tree[path]
        words = ocidir.describe(path, e, hard, False, True)
        words.append("mtime=" + (str(int(e.mtime)) if e.mtime < newer_than else "new"))
        out[path] = " ".join(words)
    return out


def text_of(e):
    """The lines of a small text file, or None."""
    try:
        return e.data.decode().split("\n") if e and e.kind == "f" and e.data is not None else None
    except UnicodeDecodeError:
        return None


def in_text(path, one, two):
    """Two small texts that differ: their lines, "~ PATH: -line"; or None when they are none."""
    a, b = text_of(one), text_of(two)
    if a is None or b is None or a == b:
        return None
    return [f"~ {path}: {line}" for line in difflib.unified_diff(a, b, n=0, lineterm="")
            if not line.startswith(("---", "+++", "@@"))]


def fields(a, b, text):
    """What differs of an entry that both have: "* d PATH: mode=0700 | 0755", a line a field."""
    out = []
    one, two = (dict(w.partition("=")[::2] for w in words[1:]) for words in (a, b))
    for key in sorted(set(one) | set(two)):
        if one.get(key) == two.get(key) or (text and key in ("size", "sha", "mtime")):
            continue
        # A directory has the time of what was last made in it, and who leaves what there to mount on
        # is the builder's business.
        if one["type"] != "d" or key != "mtime" or "new" not in (one[key], two[key]):
            out.append(f"* {one['type']} {a[0]}: {key}={one.get(key, '-')} | {two.get(key, '-')}")
    return out


def differences(one, two, newer_than):
    """What differs between two images (layouts): lines, empty when they are equal."""
    found = []
    images = []
    for layout, name in (one, two):
        try:
            images.append(ocidir.load(f"oci:{layout}:{name}"))
        except (ocidir.Bad, OSError, ValueError) as why:
            return [f"{layout}: {why}"]
    flat = [ocidir.tree_of_layers(i[4]) for i in images]
    trees = [describe(t, newer_than) for t in flat]
    for path in sorted(set(trees[0]) | set(trees[1])):
        a, b = (t.get(path) for t in trees)
        if a == b or path == "/" or (STUBS.match(path) and (a is None or b is None)):
            continue
        text = in_text(path, *(t.get(path) for t in flat))
        found += text or []
        if a and b and a.split(" ")[1] == b.split(" ")[1]:
            found += fields(a.split(" "), b.split(" "), bool(text))
        else:
            found += ([f"- {a}"] if a else []) + ([f"+ {b}"] if b else [])
    configs = [configdump.normal(i[3]) for i in images]
    for c in configs:
        c["config"]["Env"] = sorted(c["config"].get("Env", []))
    keys = sorted(set(configs[0]["config"]) | set(configs[1]["config"]))
    for key in keys:
        a, b = (c["config"].get(key) for c in configs)
        if a != b:
            found.append(f"config {key}: {json.dumps(a, sort_keys=True)} | "
                         f"{json.dumps(b, sort_keys=True)}")
    for key in ("author", "architecture", "os", "variant"):
        a, b = (c.get(key) for c in configs)
        if a != b:
            found.append(f"{key}: {a} | {b}")
    return found


def forget(who, names):
    """Take images of cases from a judge again, so that its store stays small.

    Not while the same buildah builds: one that meets a layer that has just gone gives up."""
    if who == "docker":
        in_chroot("docker", "-H", f"unix://{LAB}/run/docker.sock", "rmi", "-f", *names)
    else:
        in_chroot("buildah", "--root", f"{LAB}/store/{BUILDAH}", "--runroot", f"{LAB}/run/{BUILDAH}",
                  "--storage-driver", "overlay", "rmi", "-f", *names)


def fresh():
    """What earlier runs have left: docker's cache mounts, buildah's images with their cache."""
    if "docker" in JUDGES:
        in_chroot("docker", "-H", f"unix://{LAB}/run/docker.sock", "builder", "prune", "-af",
                  "--filter", "type=exec.cachemount")
    if "buildah" in JUDGES:
        in_chroot("buildah", "--root", f"{LAB}/store/{BUILDAH}", "--runroot", f"{LAB}/run/{BUILDAH}",
                  "--storage-driver", "overlay", "rmi", "-af")


def clear(path):
    shutil.rmtree(path, ignore_errors=True)


def port_of(server, path):
    """The port that a server writes to a file once it listens; waits for it, not for a time."""
    while server.poll() is None:
        if os.path.exists(path) and os.path.getsize(path):
            with open(path, encoding="ascii") as f:
                return f.read().strip()
        os.sched_yield()
    raise RuntimeError("the file server did not start")
