#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Let every system call of bld fail once, and look at what it made of it.

    inject.py [--sample N] [--turns N] [--merge N] [--flow NAME]... [--jobs N] [--points FILE]
              [--list] [--record]

A point is a flow (a command over a store that is made anew each time), a system call, its number
in that flow, and an error that fits the call. tests/tools/inject.c lets it fail. Then

  status 0     the result is that of an undisturbed run: same names and digests, same objects, same
               output, and `bld verify` is clean                          else: FALSE SUCCESS
               A build may lack the record that only --explain reads (builder/explain/explain.c leaves it out
               rather than fail): then the same build again finds every step in the cache
  else         there is one message with a reason                         else: NO REASON
               every image that had a name has it still, is whole, and `bld verify` is clean, or was
               so after `bld verify --repair`; the same command again succeeds and gives what an
               undisturbed run gives                                      else: LOSS
  no end       within a minute                                            HANG

Each point is a line of --points (default $BUILD/inject/points); what is there is not tried again, so
a run that was interrupted goes on where it was. Its first line tells which program it is about: with
another one it is put aside and all points are tried. The first error of every call comes first, then
the second one of each, and so on; --turns N ends after the N-th. --merge N leaves out nine in ten of
the points behind the N-th of a flow that have the same error at a call with the same callers.
--sample N tries about N points, some of every flow and on one machine always the same ones, and
remembers nothing. The stores lie on an ext4 of their own in memory where a loop device can be had.
Prints the figures; exit status 1 if anything was found.

--record tries nothing and writes what --points holds to done.tsv beside this file, a row for each
commit and flow: how many points were tried of how many, and what came of them.
"""
import argparse
import concurrent.futures
import datetime
import hashlib
import http.server
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import uuid

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(REPO, "build")))
BLD = os.path.abspath(os.environ.get("BLD", os.path.join(BUILD, "bld")))
INJECT = os.path.join(BUILD, "tools", "inject")
LEDGER = os.path.join(REPO, "tests", "inject", "done.tsv")
SECONDS = 60

OPEN = ("EIO", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC")
DESCRIPTOR = ("EMFILE", "ENFILE", "ENOMEM")
READ = ("EIO", "ENOMEM")
WRITE = ("ENOSPC", "EIO")
CHANGE = ("EIO", "ENOSPC", "ENOMEM")
MEMORY = ("ENOMEM",)
MEMORY_CALLS = ("mmap", "mprotect", "mremap")
FITS = {
    **{c: OPEN for c in ("open", "openat", "openat2")},
    **{c: DESCRIPTOR for c in (
        "accept4", "dup", "dup2", "dup3", "epoll_create1", "eventfd2", "fcntl", "memfd_create",
        "pidfd_open", "pipe2", "socket", "socketpair", "timerfd_create", "open_tree", "fsopen",
        "fsmount", "fspick", "landlock_create_ruleset")},
    **{c: READ for c in (
        "read", "readv", "pread64", "getdents64", "fstat", "newfstatat", "stat", "statx", "fstatfs",
        "statfs", "readlink", "readlinkat", "fgetxattr", "getxattr", "lgetxattr", "flistxattr",
        "listxattr", "llistxattr", "lseek", "access", "faccessat", "faccessat2")},
    **{c: WRITE for c in (
        "write", "writev", "pwrite64", "copy_file_range", "fallocate", "ftruncate", "fsync",
        "fdatasync", "syncfs", "sendfile", "splice")},
    **{c: CHANGE for c in (
        "fchmod", "fchmodat", "fchown", "fchownat", "lchown", "linkat", "mkdir", "mkdirat",
        "mknodat", "rename", "renameat", "renameat2", "symlinkat", "unlink", "unlinkat",
        "utimensat", "fsetxattr", "lsetxattr", "setxattr")},
    **{c: ("ENOMEM", "EAGAIN") for c in ("clone", "clone3", "setresuid")},
    **{c: ("ENOLCK", "EIO") for c in ("flock",)},
    **{c: ("ECONNRESET", "ENOBUFS") for c in ("connect", "sendto", "recvfrom")},
}
# Tried after those: what a signal, a policy, and a state that lasts (+: from this call on) make of it.
MORE = (
    (("EINTR",), (
        "accept4", "connect", "flock", "open", "openat", "poll", "ppoll", "read", "recvfrom", "recvmsg",
        "sendmsg", "sendto", "write", "writev")),
    (("EACCES",), (
        "access", "faccessat", "faccessat2", "linkat", "mkdir", "mkdirat", "newfstatat", "open", "openat",
        "openat2", "readlinkat", "rename", "renameat", "renameat2", "symlinkat", "unlink", "unlinkat")),
    (("EPERM",), (
        "bpf", "fchmod", "fchmodat", "fchown", "fchownat", "fsconfig", "fsetxattr", "fsmount", "fsopen",
        "fspick", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "linkat",
        "lsetxattr", "mknodat", "mount", "mount_setattr", "move_mount", "open_tree", "pivot_root", "prctl",
        "seccomp", "setgroups", "setns", "setresgid", "setresuid", "setxattr", "unshare", "utimensat")),
    (("EMFILE+",), ("open", "openat", "openat2")),
    (("EIO+",), ("pread64", "read")),
    (("ENOSPC+",), ("write", "pwrite64", "mkdirat", "linkat")),
)

DOCKERFILES = {
    "one": "FROM scratch\nCOPY a /a\nCOPY d /d\nENV A=b\n",
    "two": "FROM scratch\nCOPY d /d\nLABEL a=b\n",
    "copy": "FROM base\nCOPY --chmod=640 a /new/a\nCOPY d/ /new/d/\nCOPY --from=app:1 /d /old\n",
    "run": 'FROM base\nRUN ["/bin/busybox","sh","-c","/bin/busybox mkdir /n; echo x >/n/f; '
           '/bin/busybox rm /etc/gone; /bin/busybox touch -d @0 /n/f /n /etc /"]\nCMD ["x"]\n',
    "again": 'FROM base\nCOPY a /z\nRUN ["/bin/busybox","sh","-c","echo y >/y; /bin/busybox touch -d '
             '@0 /y /"]\nRUN ["/bin/busybox","true"]\n',
    "base": "FROM scratch\nCOPY busybox /bin/busybox\nCOPY a /etc/gone\n",
    "more": 'FROM base AS first\nADD a.tar /t/\nWORKDIR /w/x\nUSER 5:6\n'
            'RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/tmp --mount=target=/in '
            '--mount=type=secret,id=s ["/bin/busybox","sh","-c","echo x >/tmp/x; '
            '/bin/busybox cat /in/a >/dev/stdout; echo y >>/dev/stderr"]\nVOLUME /v\nEXPOSE 1-3\n'
            'FROM first AS second\nUSER 0\nRUN --mount=from=first,target=/f --network=none '
            '["/bin/busybox","sh","-c","/bin/busybox cp /f/t/a /k; /bin/busybox touch -d @0 /k /"]\n',
}
# Output that tells times or paths of one run.
NOISE = re.compile(r"\d+\.\d+s|\"(created|Created)\": *\"[^\"]*\"|[0-9]+ (bytes|[KMG]i?B)")


TURNS = max(len(f) for f in FITS.values())


class Flow:
    def __init__(self, name, argv, template="plain", out=False, registry=False, loose=False):
        self.name, self.argv, self.template = name, argv, template
        self.out, self.registry, self.loose = out, registry, loose or registry


FLOWS = [
    Flow("prune", ["prune"]),
    Flow("prune-all", ["prune", "--all"]),
    Flow("gc", ["prune", "--keep-time", "1000h"]),
    Flow("verify", ["verify"]),
    Flow("repair", ["verify", "--repair"]),
    Flow("repair-damaged", ["verify", "--repair"], template="damaged"),
    Flow("rmi", ["rmi", "app:2"]),
    Flow("rmi-id", ["rmi", "@ID"]),
    Flow("tag", ["tag", "app:1", "new:1"]),
    Flow("tag-index", ["tag", "both:1", "new:2"]),
    Flow("images", ["images", "--digests"]),
    Flow("pull", ["pull", "-q", "@REGISTRY/app:1"], template="empty", registry=True),
    Flow("push", ["push", "-q", "app:1", "@REGISTRY/to:1"], registry=True),
    Flow("build-copy", ["build", "-q", "-t", "new:3", "-f", "copy.df", "@CONTEXT"], loose=True),
    Flow("build-run", ["build", "-q", "-t", "new:4", "-f", "again.df", "@CONTEXT"], loose=True),
    Flow("build-again", ["build", "-q", "-t", "new:5", "-f", "one.df", "@CONTEXT"]),
    Flow("build-more", ["build", "-q", "-t", "new:6", "-f", "more.df", "--secret", "id=s,src=@SECRET",
                        "@CONTEXT"], loose=True),
    Flow("output-tar", ["build", "-q", "-o", "type=tar,dest=@OUT", "-f", "one.df", "@CONTEXT"],
         out=True, loose=True),
    Flow("manifest", ["manifest", "create", "many:1", "app:1"]),
    Flow("save-two", ["save", "-q", "-o", "@OUT", "app:1", "app:3"], out=True),
    Flow("save", ["save", "-q", "-o", "@OUT", "app:1"], out=True),
    Flow("save-oci", ["save", "-q", "--format", "oci-archive", "-o", "@OUT", "both:1"], out=True),
    Flow("load", ["load", "-q", "-i", "@ARCHIVE"], template="empty"),
    Flow("recover", ["tag", "app:1", "new:1"], template="dead"),
]

# What a machine may be like for good: bld does without, and says so or shows so. Call, error, what
# the call was about, and the kinds of objects that may be others then; all else has to be the same.
FORMS = ("bld/forms", "bld/dirs", "bld/erofs")
LACKS = (
    # As without /proc: no form of before counts.
    ("openat", "EACCES", "/proc/sys/kernel/random/boot_id", FORMS),
    # Is this the first user namespace, which may mount EROFS? As without /proc: layers are directories.
    ("newfstatat", "EACCES", "/proc/self/ns/user", FORMS),
    # Mounting EROFS is refused, as by a filter around bld: layers are directories.
    ("fsopen", "EPERM", "fsopen", FORMS),
    ("fsconfig", "EPERM", "[fscontext]", FORMS),
    ("fsmount", "EPERM", "[fscontext]", FORMS),
)
# What prune says when directories were not readable: they are gone all the same.
SIZE = re.compile(r"(at least )?[\d.]+[kMG]?B \(")
# What an undisturbed run of these leaves, a disturbed one leaves as well.
CLEANERS = ("prune", "prune-all", "gc", "verify", "repair", "repair-damaged")


# --- a registry that takes and gives ----------------------------------------------------------

class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A head and a body that are two small packets wait 40 ms for each other.
    disable_nagle_algorithm, wbufsize = True, 1 << 16
    blobs, manifests, lock = {}, {}, threading.Lock()

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):
            pass  # the other side went away

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            data = b""
            while True:
                n = int(self.rfile.readline(), 16)
                data += self.rfile.read(n)
                self.rfile.readline()
                if n == 0:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        m = re.fullmatch(r"/v2/([^/]+)/(manifests|blobs)/(.+)", self.path)
        if self.path == "/v2/":
            return self.answer(200)
        if not m:
            return self.answer(404)
        with self.lock:
            if m[2] == "blobs":
                data, kind = self.blobs.get(m[3]), "application/octet-stream"
            else:
                kind, data = self.manifests.get((m[1], m[3]), (None, None))
        if data is None:
            return self.answer(404)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        return self.answer(200, data, Content_Type=kind, Docker_Content_Digest=digest)

    do_HEAD = do_GET

    def do_POST(self):
        self.body()
        self.answer(202, Location=f"/v2/up/{uuid.uuid4()}")

    def do_PATCH(self):
        with self.lock:
            self.blobs[self.path] = self.blobs.get(self.path, b"") + self.body()
            n = len(self.blobs[self.path])
        self.answer(202, Location=self.path, Range=f"0-{n - 1}")

    def do_PUT(self):
        data = self.body()
        m = re.fullmatch(r"/v2/([^/]+)/manifests/(.+)", self.path)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        with self.lock:
            if m:
                kind = self.headers["Content-Type"]
                self.manifests[(m[1], m[2])] = self.manifests[(m[1], digest)] = (kind, data)
                return self.answer(201, Docker_Content_Digest=digest)
            path, _, query = self.path.partition("?")
            data = self.blobs.pop(path, b"") + data
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
            wanted = query.replace("%3A", ":").partition("digest=")[2]
            if wanted != digest:
                return self.answer(400)
            self.blobs[digest] = data
        return self.answer(201)


def start_registry():
    handler = type("OneRegistry", (Registry,), {"blobs": {}, "manifests": {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}", handler


# --- stores -----------------------------------------------------------------------------------

def environment(root):
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    for k in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "BLD_PROGRESS", "BUILDKIT_PROGRESS"):
        env.pop(k, None)
    env.update(BLD_ROOT=root, HOME=os.path.dirname(root), XDG_RUNTIME_DIR=os.path.dirname(root),
               SOURCE_DATE_EPOCH="1000000000", LC_ALL="C", TZ="UTC")
    return env


def call(root, argv, prefix=(), cwd="/"):
    p = subprocess.Popen([*prefix, BLD, *argv], env=environment(root), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                         start_new_session=True)
    try:
        out, err = p.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        return None, "", ""
    return p.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def good(root, *argv, **kw):
    status, out, err = call(root, list(argv), **kw)
    if status != 0:
        sys.exit(f"inject: bld {' '.join(argv)}: status {status}: {err}")
    return out


def names(root):
    """Names of the store -> digest of the manifest."""
    with open(os.path.join(root, "index.json")) as f:
        index = json.load(f)
    return {m["annotations"]["org.opencontainers.image.ref.name"]: m["digest"]
            for m in index["manifests"]}


def objects(root):
    """What the store holds, without what comes and goes: locks, trash, logs, stat indexes."""
    found = set()
    for d in ("blobs/sha256", "bld/cache", "bld/forms", "bld/dirs", "bld/erofs", "bld/mounts"):
        try:
            found.update(f"{d}/{n}" for n in os.listdir(os.path.join(root, d)))
        except FileNotFoundError:
            pass
    return found


def trace(root):
    """Changes when anything of worth in the store is touched."""
    found = set()
    for d in ("", "blobs/sha256", "bld", "bld/cache", "bld/forms", "bld/dirs", "bld/erofs",
              "bld/mounts", "bld/logs", "bld/tmp", "bld/trash"):
        try:
            with os.scandir(os.path.join(root, d)) as it:
                for e in it:
                    if d != "" and d != "bld" or not e.is_dir():
                        st = e.stat(follow_symlinks=False)
                        found.add((d, e.name, st.st_ino, st.st_size, st.st_mtime_ns))
        except FileNotFoundError:
            pass
    return found


def whole(root, digest):
    """Is every object of this manifest there, with the right content?"""
    def load(d):
        with open(os.path.join(root, "blobs/sha256", d.partition(":")[2]), "rb") as f:
            data = f.read()
        if "sha256:" + hashlib.sha256(data).hexdigest() != d:
            raise ValueError(d)
        return data
    try:
        doc = json.loads(load(digest))
        for m in doc.get("manifests", []):
            if not whole(root, m["digest"]):
                return False
        for d in doc.get("layers", []) + ([doc["config"]] if "config" in doc else []):
            load(d["digest"])
    except (OSError, ValueError):
        return False
    return True


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def signs(root):
    """Of every entry below: what changes when it does. Of a directory only what does not by its
    entries."""
    found, todo = {}, [""]
    while todo:
        d = todo.pop()
        with os.scandir(os.path.join(root, d)) as it:
            for e in it:
                st, path = e.stat(follow_symlinks=False), os.path.join(d, e.name)
                sign = (st.st_ino, st.st_mode, st.st_uid, st.st_gid)
                if stat.S_ISDIR(st.st_mode):
                    todo.append(path)
                else:
                    sign += (st.st_nlink, st.st_size, st.st_mtime_ns, st.st_ctime_ns)
                found[path] = sign
    return found


def mend(root, template, old):
    """Makes root, which was a copy of template with these signs, one again. False: it takes a new one."""
    if not os.path.isdir(root):
        return False
    now = signs(root)
    changed = {p for p in old if now.get(p) != old[p]}
    if any(old[p][4] > 1 for p in changed if len(old[p]) > 4):
        return False
    for p in sorted(now, reverse=True):
        if p not in old or p in changed:
            at = os.path.join(root, p)
            if not stat.S_ISDIR(now[p][1]):
                os.unlink(at)
            elif os.path.isdir(at):
                shutil.rmtree(at)
    for p in changed:
        if os.path.dirname(p) in changed:
            continue
        source, at = os.path.join(template, p), os.path.join(root, p)
        st = os.lstat(source)
        if stat.S_ISREG(st.st_mode):
            shutil.copy2(source, at)
            os.chown(at, st.st_uid, st.st_gid)
            os.chmod(at, stat.S_IMODE(st.st_mode))
        else:
            subprocess.run(["cp", "-a", source, at], check=True)
    for p in ["", *(p for p in old if stat.S_ISDIR(old[p][1]))]:
        st = os.stat(os.path.join(template, p))
        os.utime(os.path.join(root, p), ns=(st.st_atime_ns, st.st_mtime_ns))
    return True


def repository(root):
    return "to-" + os.path.basename(os.path.dirname(root))


class Bench:
    """Templates, and the place where the copies lie."""

    def __init__(self, top):
        self.top = top
        self.clean = {}  # of a worker: template and trace of its store
        self.signs = {}  # of a template and a worker: what its store was when it was new
        self.context = os.path.join(top, "context")
        os.makedirs(os.path.join(self.context, "d/sub"))
        write(os.path.join(self.context, "a"), "a\n" * 100)
        for i in range(4):
            write(os.path.join(self.context, f"d/{i}"), f"{i}\n")
        write(os.path.join(self.context, "d/sub/x"), "x\n")
        os.symlink("0", os.path.join(self.context, "d/link"))
        for name, text in DOCKERFILES.items():
            write(os.path.join(self.context, name + ".df"), text)
        shutil.copy(shutil.which("busybox"), os.path.join(self.context, "busybox"))
        with tarfile.open(os.path.join(self.context, "a.tar"), "w") as t:
            t.add(os.path.join(self.context, "a"), "a")
            t.add(os.path.join(self.context, "d"), "d")
        self.registry, self.handler = start_registry()
        self.make_plain()
        self.make_dead()
        self.make_damaged()
        os.makedirs(os.path.join(top, "empty"))
        good(self.root("empty"), "images")
        self.archive = os.path.join(top, "archive.tar")
        good(self.root("plain"), "save", "-q", "-o", self.archive, "app:1")
        good(self.root("plain"), "push", "-q", "app:1", self.registry + "/app:1")
        self.id = self.image_id("app:2")

    def root(self, template):
        return os.path.join(self.top, template, "store")

    def image_id(self, name):
        root = self.root("plain")
        digest = names(root)[f"docker.io/library/{name}"].partition(":")[2]
        with open(os.path.join(root, "blobs/sha256", digest)) as f:
            return json.load(f)["config"]["digest"].partition(":")[2][:12]

    def build(self, root, tag, df):
        good(root, "build", "-q", "-t", tag, "-f", os.path.join(self.context, df + ".df"),
             self.context)

    def make_plain(self):
        os.makedirs(os.path.join(self.top, "plain"))
        root = self.root("plain")
        self.build(root, "base", "base")
        self.build(root, "app:1", "one")
        self.build(root, "app:2", "two")
        self.build(root, "gone:1", "run")
        self.build(root, "app:3", "run")
        good(root, "manifest", "create", "both:1", "app:1")
        good(root, "save", "-q", "--format", "oci-archive", "-o", "/dev/null", "app:3")
        good(root, "rmi", "gone:1")
        write(os.path.join(root, "blobs/sha256", hashlib.sha256(b"junk").hexdigest()), "junk")

    def copy(self, template, name):
        to = os.path.join(self.top, name)
        os.makedirs(to, exist_ok=True)
        root = os.path.join(to, "store")
        if os.path.exists(root):
            shutil.rmtree(root)
        subprocess.run(["cp", "-a", self.root(template), root], check=True)
        return root

    def again(self, template, name):
        """A copy as if new: of one that was made before only what has changed since is made again."""
        root, old = os.path.join(self.top, name, "store"), self.signs.pop((template, name), None)
        if old is None or not mend(root, self.root(template), old):
            for key in [k for k in self.signs if k[1] == name]:
                del self.signs[key]
            self.copy(template, name)
        self.signs[(template, name)] = signs(root)
        return root

    def make_dead(self):
        """A process died and left a directory with a file in it."""
        root = self.copy("plain", "dead")
        os.mkdir(os.path.join(root, "bld/tmp/p.1.0000000000000000"))
        write(os.path.join(root, "bld/tmp/p.1.0000000000000000/f"), "x")
        write(os.path.join(root, "bld/tmp/p.1.0000000000000000.lock"), "")

    def make_damaged(self):
        """A record and a form that are wrong, and a blob that no name needs."""
        root = self.copy("plain", "damaged")
        for d in ("bld/cache", "bld/forms"):
            name = sorted(os.listdir(os.path.join(root, d)))[0]
            write(os.path.join(root, d, name), "torn")
        with open(os.path.join(root, "blobs/sha256", hashlib.sha256(b"junk").hexdigest()), "a") as f:
            f.write("torn")

    def argv(self, flow, root):
        words = {"@CONTEXT": self.context, "id=s,src=@SECRET": f"id=s,src={self.context}/d/0", "@ID": self.id, "@ARCHIVE": self.archive,
                 "@OUT": os.path.join(os.path.dirname(root), "out")}
        # Each worker pushes to a repository of its own.
        argv = [words.get(a, a).replace("@OUT", words["@OUT"]).replace("@REGISTRY/to", f"{self.registry}/{repository(root)}")
                .replace("@REGISTRY", self.registry) for a in flow.argv]
        return [os.path.join(self.context, a) if a.endswith(".df") else a for a in argv]


# --- one point --------------------------------------------------------------------------------

def result(flow, bench, root, out):
    """What a run of the flow gave, as something to compare."""
    found = objects(root)
    if flow.loose:
        # Layers have the times of their directories until they are clamped for the image, and where
        # else a registry has a layer is a hint: their number counts, or not even that.
        found = {d: sum(o.startswith(d) for o in found)
                 for d in ("blobs", "bld/forms", "bld/dirs", "bld/erofs", "bld/cache")}
        if flow.registry:
            del found["bld/cache"]
    state = {"names": names(root), "objects": found,
             "output": NOISE.sub("", out.replace(root, "ROOT"))}
    if flow.out:
        with open(os.path.join(os.path.dirname(root), "out"), "rb") as f:
            state["file"] = hashlib.sha256(f.read()).hexdigest()
    if flow.name == "push":
        with Registry.lock:
            state["pushed"] = bench.handler.manifests.get((repository(root), "1"))
            if state["pushed"]:
                doc = json.loads(state["pushed"][1])
                state["blobs"] = all(d["digest"] in bench.handler.blobs
                                     for d in doc["layers"] + [doc["config"]])
    return state


def reset(flow, bench, root):
    try:
        os.unlink(os.path.join(os.path.dirname(root), "out"))
    except FileNotFoundError:
        pass
    if flow.name == "push":
        bench.handler.manifests.pop((repository(root), "1"), None)


def but_for(state, kinds):
    """The result without objects of these kinds, and how many of them prune took."""
    found = state["objects"]
    if isinstance(found, dict):
        found = {d: n for d, n in found.items() if d not in kinds}
    else:
        found = {o for o in found if os.path.dirname(o) not in kinds}
    return {**state, "objects": found, "output": re.sub("freed .*", "freed", state["output"])}


def is_lack(what, point, have, want):
    """Is the difference only what one of LACKS, or a directory that cannot be read, accounts for?"""
    call_name, _, error = point
    for c, e, about, kinds in LACKS:
        if (c, e) == (call_name, error) and about in what:
            return not difference(but_for(have, kinds), but_for(want, kinds))
    if error != "EACCES" or "at least" not in have["output"]:
        return False
    return not difference(*({**s, "output": SIZE.sub("SIZE (", s["output"])} for s in (have, want)))


def difference(have, want):
    for k, v in want.items():
        if k == "status" or have.get(k) == v:
            continue
        if isinstance(v, set):
            return f"{k}: missing {sorted(v - have[k])[:3]}, more {sorted(have[k] - v)[:3]}"
        return f"{k}: {str(have.get(k))[:300]!r} instead of {str(v)[:300]!r}"
    return None


REASONLESS = re.compile(r"(Success|unknown error)$|:\s*$|^$|Undefined error|\(null\)")
POOR = re.compile(r"Bad file descriptor")


def judge_message(status, err):
    lines = [m[1] for m in re.finditer(r"^(?:\S+:\d+:\d+: )?(error: .*)$", err, re.M)]
    if status >= 128:
        return f"ended by signal {status - 128}: {err[-200:]}"
    if not lines:
        return f"status {status} without a message: {err[-200:]!r}"
    if len(lines) > 1:
        return f"{len(lines)} messages: {lines}"
    if REASONLESS.search(lines[0]) or POOR.search(lines[0]):
        return lines[0]
    return None


def judge_store(flow, bench, root, want):
    """After a failure: what must still be there, and that the next run gives what it should."""
    before = names(bench.root(flow.template))
    now = names(root)
    for n, d in before.items():
        if now.get(n) != d and want["names"].get(n) == d:
            return f"the name {n} is gone"
        if n in now and not whole(root, now[n]):
            return f"image {n} is not whole"
    for n, d in now.items():
        if n not in before and not whole(root, d):
            return f"new image {n} is not whole"
    if flow.name in CLEANERS and want["objects"] - objects(root):
        return f"gone: {sorted(want['objects'] - objects(root))[:3]}"
    status, out, err = call(root, ["verify"])
    if status == 10:
        call(root, ["verify", "--repair"])
        status, out, err = call(root, ["verify"])
    if status != 0:
        return f"verify: {out[-300:]} {err[-300:]}"
    reset(flow, bench, root)
    status, out, err = call(root, bench.argv(flow, root))
    # What was done before the error is not done twice: that is no failure of the second run.
    if flow.name.startswith("rmi") and status == 4:
        status, out = 0, want["output"]
    if flow.name == "manifest" and status == 2 and "already" in err:
        status, out = 0, want["output"]
    if flow.name == "repair-damaged":
        status, out = (0 if status in (0, 10) else status), want["output"]
    if status != 0:
        return f"the next run: status {status}: {err[-300:]}"
    have = result(flow, bench, root, out)
    if flow.name in (*CLEANERS, "rmi", "rmi-id"):
        have["output"] = want["output"]
    return difference({**have, "objects": want["objects"]}, want)


def only_explanation(flow, bench, root, have, want):
    """Is one record less in the cache all that is different, and none that a step needs?"""
    if not flow.name.startswith("build-") or not isinstance(have["objects"], dict):
        return False
    less = {**have, "objects": {**have["objects"], "bld/cache": have["objects"]["bld/cache"] + 1}}
    if difference(less, want):
        return False
    before = objects(root)
    status, _, _ = call(root, bench.argv(flow, root))
    return status == 0 and objects(root) == before and names(root) == have["names"]


def attempt(flow, bench, want, point, name):
    call_name, n, error = point
    root = os.path.join(bench.top, name, "store")
    # One that the last point left as it was serves again.
    if bench.clean.pop(name, None) != (flow.template, trace(root)):
        root = bench.again(flow.template, name)
    reset(flow, bench, root)
    told = os.path.join(os.path.dirname(root), "told")
    untouched = trace(root)
    kind, text = attempt_on(root, told, untouched, flow, bench, want, point)
    if trace(root) == untouched:
        bench.clean[name] = (flow.template, untouched)
    return kind, text


def attempt_on(root, told, untouched, flow, bench, want, point):
    call_name, n, error = point
    status, out, err = call(root, bench.argv(flow, root),
                            (INJECT, "-c", call_name, "-n", str(n), "-e", error, "-o", told, "--"))
    with open(told) as f:
        what = f.read().strip().replace(os.path.dirname(root), "")
    if not what:
        return "not reached", ""
    if status is None:
        return "HANG", what
    if status == want["status"]:
        have = result(flow, bench, root, out)
        found = difference(have, want)
        if found and is_lack(what, point, have, want):
            found = None
        if found and only_explanation(flow, bench, root, have, want):
            found = None
        if not found and trace(root) != untouched:
            s, o, e = call(root, ["verify"])
            found = f"verify: {o[-200:]} {e[-200:]}" if s != 0 else None
        return ("FALSE SUCCESS", f"{what}: {found}") if found else ("same", what)
    said = judge_message(status, err)
    # A store that nobody has touched has lost nothing, and the next run is an undisturbed one.
    lost = trace(root) != untouched and judge_store(flow, bench, root, want)
    if lost:
        return "LOSS", f"{what}: {lost} [{err.strip()[-200:]}]"
    if said:
        return "NO REASON", f"{what}: {said}"
    return "error", f"{what}: {err.strip().splitlines()[-1][:200]}"


def prepare(flow, bench, merge=None):
    """What an undisturbed run gives, the points of the flow, and how many of them were merged."""
    root = bench.copy(flow.template, "reference-" + flow.name)
    reset(flow, bench, root)
    counts = os.path.join(os.path.dirname(root), "counts")
    status, out, err = call(root, bench.argv(flow, root), (INJECT, "-s", "-o", counts, "--"))
    if status not in (0, 10):
        sys.exit(f"inject: {flow.name}: status {status}: {err}")
    want = {**result(flow, bench, root, out), "status": status}
    points, seen, merged = [], {}, 0
    with open(counts) as f:
        for line in f:
            name, n, site = line.split()
            n = int(n)
            fits = FITS.get(name, MEMORY)
            errors = [(turn, fits[(n - 1 + turn) % len(fits)]) for turn in range(len(fits))]
            errors += enumerate((e for es, names_ in MORE if name in names_ for e in es), TURNS)
            for turn, error in errors:
                k = seen[(name, site, error)] = seen.get((name, site, error), 0) + 1
                if merge and k > merge and random.Random(f"{flow.name}{name}{n}{error}").random() > 0.1:
                    merged += 1
                else:
                    points.append((turn, (name, n, error)))
    shutil.rmtree(root)
    return want, points, merged


def sample(todo, flows, n):
    """n points, some of every flow; the same ones each time."""
    picked = []
    with open(BLD, "rb") as program:
        sanitized = b"__asan_init" in program.read()
    for f in flows:
        # Memory that a sanitizer does not get is the end of it.
        mine = [t for t in todo if t[0] is f and not (sanitized and t[1][0] in MEMORY_CALLS)]
        k = max(2, n // 2 // len(flows)) + -(-n // 2 * len(mine) // len(todo))
        picked += random.Random(f.name).sample(mine, min(k, len(mine)))
    return picked


# --- what was done ----------------------------------------------------------------------------

KINDS = ("error", "same", "FALSE SUCCESS", "LOSS", "NO REASON", "HANG")


def program():
    """The first line of a file of points: the commit, and what the program is."""
    p = subprocess.run(["git", "-C", REPO, "rev-parse", "--short=12", "HEAD"], capture_output=True,
                       text=True)
    with open(BLD, "rb") as f:
        return f"# {p.stdout.strip() or 'unknown'} {hashlib.sha256(f.read()).hexdigest()}"


def begin_points(path):
    """Opens the file of points to be gone on with, and returns what it holds too."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    done, head = {}, program()
    if os.path.exists(path):
        with open(path) as f:
            if f.readline().split()[-1:] != head.split()[-1:]:
                os.replace(path, path + ".old")
                print(f"# another program: {path} begins anew, what it held is in {path}.old")
            else:
                done = {tuple(l.split("\t")[:4]): l.rstrip("\n").split("\t")[4:6] for l in f}
    log = open(path, "a")
    if log.tell() == 0:
        log.write(head + "\n")
    return log, done


def record(path, flows, todo):
    """A row for each flow that has points; it takes the place of an older one of the same commit."""
    with open(path) as f:
        commit = f.readline().split()[1]
        tried = {}
        for line in f:
            flow, kind = line.split("\t")[0], line.rstrip("\n").split("\t")[4]
            tried.setdefault(flow, []).append(kind)
    rows = {}
    with open(LEDGER) as f:
        head, *lines = f.read().splitlines()
    for line in lines:
        rows[tuple(line.split("\t")[1:3])] = line
    today = datetime.date.today().isoformat()
    for flow in (f for f in flows if f.name in tried):
        kinds = tried[flow.name]
        figures = (len(kinds), sum(f is flow for f, _ in todo), *(kinds.count(k) for k in KINDS))
        rows[(commit, flow.name)] = "\t".join((today, commit, flow.name, *map(str, figures)))
    with open(LEDGER, "w") as f:
        f.write("\n".join((head, *rows.values())) + "\n")
    return 0


# --- all of them ------------------------------------------------------------------------------

def mount_memory(top):
    image = os.path.join(top, "disk")
    with open(image, "wb") as f:
        f.truncate(1 << 30)
    at = os.path.join(top, "at")
    os.mkdir(at)
    ok = subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", image],
                        capture_output=True).returncode == 0 and subprocess.run(
        ["mount", "-o", "loop,noatime", image, at], capture_output=True).returncode == 0
    return at, ok


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--sample", type=int)
    p.add_argument("--turns", type=int)
    p.add_argument("--merge", type=int, metavar="N")
    p.add_argument("--flow", action="append")
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--points", default=os.path.join(BUILD, "inject", "points"))
    p.add_argument("--list", action="store_true")
    p.add_argument("--record", action="store_true")
    p.add_argument("--call", action="append", metavar="CALL:N:ERROR",
                   help="of one --flow: only these points, in words")
    o = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(1))
    if os.geteuid() != 0:
        print("ok 1 - inject # skip needs root\n1..1")
        return 0
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    # What somebody bound elsewhere with all that is below is busy for good.
    with tempfile.TemporaryDirectory(prefix="bld-inject.", dir=shm, ignore_cleanup_errors=True) as top:
        at, mounted = mount_memory(top)
        try:
            return run(o, at)
        finally:
            if mounted:
                subprocess.run(["umount", at], check=False)


def run(o, top):
    bench = Bench(top)
    flows = [f for f in FLOWS if not o.flow or f.name in o.flow]
    todo, wants, merged = [], {}, {}
    for f in flows:
        wants[f.name], points, merged[f.name] = prepare(f, bench, o.merge)
        todo += [(turn, f, x) for turn, x in points]
    # Each call with one of its errors first: a run that is cut short has seen all of them.
    todo = [(f, x) for turn, f, x in sorted(todo, key=lambda t: t[0])
            if o.turns is None or turn < o.turns]
    if o.list:
        for f in flows:
            print(f"{f.name:16} {sum(g is f for g, _ in todo):6} points, {merged[f.name]:6} merged")
        return 0
    if o.record:
        return record(o.points, flows, todo)
    log, done, kinds, bad = None, {}, {}, []
    if o.call:
        calls = [c.split(":") for c in o.call]
        todo = [(flows[0], (c, int(n), e)) for c, n, e in calls]
    elif o.sample:
        todo = sample(todo, flows, o.sample)
    else:
        log, done = begin_points(o.points)
    lock = threading.Lock()
    free = [f"work{i}" for i in range(o.jobs)]

    def note(key, kind, text):
        kinds[kind] = kinds.get(kind, 0) + 1
        if kind.isupper():
            bad.append((key, kind, text))

    def one(flow, point):
        key = (flow.name, point[0], str(point[1]), point[2])
        if key in done:
            with lock:
                note(key, *done[key])
            return
        with lock:
            name = free.pop()
        try:
            kind, text = attempt(flow, bench, wants[flow.name], point, name)
        except Exception as e:  # the store is so broken that it cannot even be looked at
            kind, text = "LOSS", f"{type(e).__name__}: {e}"
        with lock:
            free.append(name)
            text = text.replace("\n", " | ").replace("\t", " ")
            if log and kind != "not reached":
                log.write("\t".join((*key, kind, text)) + "\n")
                log.flush()
            if o.call or (kind.isupper() and not o.sample):
                print(f"{' '.join(key)}: {kind}: {text}", flush=True)
            note(key, kind, text)

    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        try:
            for x in [pool.submit(one, f, x) for f, x in todo]:
                x.result()
        except BaseException:  # interrupted: what is begun ends, the rest waits for the next run
            pool.shutdown(cancel_futures=True)
            raise
    for key, kind, text in bad if o.sample else []:
        print(f"# {' '.join(key)}: {kind}: {text}")
    figures = ", ".join(f"{n} {k}" for k, n in sorted(kinds.items()))
    print(f"{'not ok' if bad else 'ok'} 1 - inject: {sum(kinds.values())} points "
          f"in {len(flows)} flows: {figures}")
    print("1..1")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
