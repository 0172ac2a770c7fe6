# SPDX-License-Identifier: Apache-2.0
"""What W7 to W9 need: a Debian base, its packages from 127.0.0.1, a registry.

The packages are fetched once, by the apt of the base from where it is configured to fetch them, and
kept below BUILD/cache; what is measured takes them from a server of this machine, all alike.
"""
import atexit
import glob
import hashlib
import http.server
import os
import re
import socketserver
import subprocess
import sys
import threading
import time

from harness import Skip, have, say


def _cache(bench):
    return os.environ.get("BLD_TEST_CACHE", bench.build + "/cache")


def debian_tar(bench):
    """The recipe that the tests use."""
    if not have("mmdebstrap") and not os.path.exists(_cache(bench) + "/debian.tar"):
        raise Skip("mmdebstrap is not installed")
    env = dict(os.environ, BUILD=bench.build, TOOLS=bench.repo + "/tests/tools")
    return bench.output("bash", "-c", '. "$1"; debian_tar', "_", bench.repo + "/tests/lib/images.sh", env=env)


def debian_root(bench):
    """The base as a directory, for the raw limit."""
    root = bench.path("debian-root")
    if not os.path.isdir(root):
        tar = debian_tar(bench)
        os.mkdir(root)
        bench.run("tar", "-C", root, "--numeric-owner", "-xpf", tar)
    return root


def debian_archive(bench):
    """The base as a docker-archive that every contestant can read: localhost/bench-debian."""
    archive = bench.path("debian.archive")
    if not os.path.exists(archive):
        layout = bench.path("debian.oci")
        bench.run(sys.executable, bench.repo + "/tests/tools/mkimage.py", "--config",
                  '{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["bash"]}',
                  layout, "debian", debian_tar(bench))
        bench.run("skopeo", "copy", "-q", "oci:%s:debian" % layout,
                  "docker-archive:%s:localhost/bench-debian:latest" % archive)
    return archive


def fetch_packages(bench, names):
    """The archives that installing NAMES in the base takes; a directory that serves as repository."""
    repo = _cache(bench) + "/bench-debs"
    if not glob.glob(repo + "/*.deb"):
        os.makedirs(repo, exist_ok=True)
        say("fetching packages, once")
        command = ("cat /mnt/resolv.conf >/etc/resolv.conf; export DEBIAN_FRONTEND=noninteractive; "
                   "apt-get -qq -o Acquire::Retries=5 update && "
                   "apt-get -qq -y -o Acquire::Retries=5 -o APT::Keep-Downloaded-Packages=1 "
                   "--no-install-recommends --download-only install %s && "
                   "cp /var/cache/apt/archives/*.deb /mnt/" % names)
        with open("/etc/resolv.conf") as a, open(repo + "/resolv.conf", "w") as b:
            b.write(a.read())
        bench.run(bench.tool("rawtiny"), "chroot", debian_root(bench), bench.fresh("fetch"), repo, command)
    index(repo)
    return repo


def index(repo):
    """A flat repository: one paragraph of Packages for each archive."""
    with open(repo + "/Packages", "w") as out:
        for deb in sorted(glob.glob(repo + "/*.deb")):
            control = subprocess.run(["dpkg-deb", "-f", deb], check=True, stdout=subprocess.PIPE, text=True).stdout
            with open(deb, "rb") as f:
                data = f.read()
            out.write("%s\nFilename: ./%s\nSize: %d\nSHA256: %s\n\n" % (
                control.strip(), os.path.basename(deb), len(data), hashlib.sha256(data).hexdigest()))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass


def serve(directory):
    """Serve a directory on a free port of 127.0.0.1 until this program ends; returns the port."""
    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), lambda *a: _Quiet(*a, directory=directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def registry(bench):
    """Debian's docker-registry on a free port, its storage in the work directory; returns the port."""
    if not have("docker-registry"):
        raise Skip("docker-registry is not installed")
    where = bench.fresh("registry")
    with open(where + "/config.yml", "w") as f:
        f.write("version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n"
                "storage:\n  filesystem: {rootdirectory: %s/data}\nhttp:\n  addr: 127.0.0.1:0\n" % where)
    log = open(where + "/log", "wb")
    proc = subprocess.Popen(["docker-registry", "serve", where + "/config.yml"], stdout=log, stderr=log)
    atexit.register(proc.terminate)
    for _ in range(500):
        with open(where + "/log") as f:
            m = re.search(r"listening on 127\.0\.0\.1:(\d+)", f.read())
        if m:
            return int(m.group(1))
        time.sleep(0.02)
    raise Skip("docker-registry does not start, see %s/log" % where)
