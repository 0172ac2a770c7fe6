# SPDX-License-Identifier: Apache-2.0
"""W1 to W10: what each contestant runs. Every function gets the bench and returns a list of
(who, function of the round -> argv or (argv, environment)), after its untimed preparations.
"""
import json
import os
import shutil
import urllib.request

import contexts
import servers
from harness import Skip

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def base(b):
    """What RUN needs: one static busybox. As a directory for the raw limit, as an image for the others."""
    root = b.path("base")
    for d in ("bin", "proc", "sys", "dev", "tmp", "mnt"):
        os.makedirs(root + "/" + d, exist_ok=True)
    if not os.path.exists(root + "/bin/busybox"):
        shutil.copy("/bin/busybox", root + "/bin/busybox")
        for applet in ("sh", "true", "sleep", "echo"):
            os.link(root + "/bin/busybox", root + "/bin/" + applet)
    d = b.dockerfile("base", "FROM scratch\nCOPY . /\nENV PATH=/bin\n")
    b.bld_build("-t", "bench-base", "-f", d, root)


def fixed(argv):
    return lambda i: argv


def all_of(b, *args, raw, layers=False, **kw):
    """The raw limits, then every program on the same build."""
    it = [("bld", fixed(b.me.build(*args, **kw)))]
    for p in b.peers:
        it.append((p.name, fixed(p.build(*args, layers=layers, **kw))))
    return raw + it


def w1(b):
    one = contexts.small(b.path("w1", "one"), b"hello\n" * 100)
    d = b.dockerfile("w1", "FROM scratch\nCOPY one /one\n")
    return all_of(b, d, b.path("w1"), raw=[("raw", lambda i: [b.tool("rawtiny"), "publish", b.fresh("raw1"), one])])


def twenty_steps(b):
    """The context changes in the last step, so that after a change only that layer is made again."""
    ctx = contexts.tree(b.path("w2"), 10000, 10240)
    d = b.dockerfile("w2", "FROM bench-base\n" + "".join("RUN echo %d\n" % i for i in range(19)) + "COPY . /src\n")
    if not hasattr(b, "w2_primed"):
        b.w2_primed = True
        # bld twice: files as new as its index are hashed once more
        for p in [b.me, b.me] + b.peers:
            b.run(*p.build(d, ctx, cache=True))
    return ctx, d


def w2(b):
    ctx, d = twenty_steps(b)
    return all_of(b, d, ctx, cache=True, raw=[("raw", fixed([b.tool("rawtiny"), "stat", 1, ctx])),
                                              ("raw2", fixed([b.tool("rawtiny"), "stat", 2, ctx]))])


def w3(b):
    d = b.dockerfile("w3", "FROM bench-base\n" + 'RUN ["/bin/true"]\n' * 50)
    contexts.small(b.path("w1", "one"), b"hello\n" * 100)
    return all_of(b, d, b.path("w1"), layers=True, raw=[
        ("raw", lambda i: [b.tool("rawtiny"), "runs", 50, b.path("base"), b.fresh("raw3")])])


def w4(b):
    f = contexts.big(b.path("w4", "big"), 1 << 30)
    d = b.dockerfile("w4", "FROM scratch\nCOPY big /big\n")
    return all_of(b, d, b.path("w4"), raw=[("raw", fixed([b.tool("rawbulk"), "hash", f]))])


def w5(b):
    ctx = contexts.tree(b.path("w5"), 50000, 4096, 250)
    d = b.dockerfile("w5", "FROM scratch\nCOPY . /src\n")
    return all_of(b, d, ctx, raw=[("raw", fixed([b.tool("rawbulk"), "hashtree", 1, ctx])),
                                  ("raw2", fixed([b.tool("rawbulk"), "hashtree", 2, ctx]))])


def w6(b):
    contexts.small(b.path("w1", "one"), b"hello\n" * 100)
    d = b.dockerfile("w6", "".join('FROM bench-base AS s%d\nRUN sleep 2; echo %d >/done\n' % (i, i) for i in range(6)) +
                     "FROM scratch\n" + "".join("COPY --from=s%d /done /%d\n" % (i, i) for i in range(6)))
    return all_of(b, d, b.path("w1"), jobs=6, raw=[("raw", fixed([b.tool("rawtiny"), "sleep", 2]))])


APT = ("echo 'deb [trusted=yes] http://127.0.0.1:%d ./' >/etc/apt/sources.list && "
       "rm -f /etc/apt/sources.list.d/* && apt-get -qq update && "
       "DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends build-essential")


def debian(b):
    """The base in every store, and as the directory that the first RUN needs."""
    if hasattr(b, "apt"):
        return b.apt
    root = servers.debian_root(b)
    b.apt = APT % servers.serve(servers.fetch_packages(b, "build-essential"))
    archive = servers.debian_archive(b)
    shutil.copytree(b.repo + "/examples/multistage/src", b.path("w7", "src"), dirs_exist_ok=True)
    b.w7 = b.dockerfile("w7", """FROM localhost/bench-debian AS build
RUN %s
WORKDIR /src
COPY src/ ./
RUN make check install DESTDIR=/out
FROM scratch
COPY --from=build /out/ /
""" % b.apt)
    d = b.dockerfile("w7base", "FROM localhost/bench-debian\nRUN true\n")
    assert os.path.isdir(root)
    for p in [b.me] + b.peers:
        b.run(*p.load(archive))
        b.run(*p.build(d, b.path("w7")))
    return b.apt


def w7(b):
    apt = debian(b)
    commands = apt + " && cp -r /mnt/src /src && cd /src && make check install DESTDIR=/out && cp -r /out /copied"
    return all_of(b, b.w7, b.path("w7"), layers=True, raw=[("raw", lambda i: [
        b.tool("rawtiny"), "chroot", b.path("debian-root"), b.fresh("raw7"), b.path("w7"), commands])])


def built_stage(b):
    """W7's build stage as an archive of plain tars; its layers as files."""
    if hasattr(b, "layers"):
        return
    debian(b)
    b.stage = b.path("w7.archive")
    b.run(*b.me.build(b.w7, b.path("w7"), "--target", "build", "-t", "localhost/w7:1", cache=True))
    b.run(b.bld, "save", "-q", "-o", b.stage, "localhost/w7:1")
    out = b.fresh("w7layers")
    b.run("tar", "-C", out, "-xf", b.stage)
    with open(out + "/manifest.json") as f:
        b.layers = [os.path.join(out, n) for n in json.load(f)[0]["Layers"]]


def registry_name(b, name):
    return "127.0.0.1:%d/%sagain:1" % (b.port, name)


def loaded(b, p, name):
    """A new store of P that holds the stage and nothing else."""
    store = b.fresh(name)
    b.run(*p.load(b.stage, store=store))
    return store


def w8(b):
    """Every round pushes from a store that never compressed the layers to a registry that is empty: from
    one that has the blobs elsewhere they would only be mounted."""
    built_stage(b)

    def first(p):
        return lambda i: p.push("localhost/w7:1", "127.0.0.1:%d/w8:1" % servers.registry(b), store=loaded(b, p, "w8"))

    return [("raw", fixed([b.tool("rawbulk"), "gzip", b.cpus] + b.layers))] + \
        [(p.name, first(p)) for p in [b.me] + b.peers]


def get(url, accept=MANIFEST_TYPE):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept})) as r:
        return r.read()


def pushed(b):
    """The stage in the registry once, as bld pushed it; its manifest."""
    built_stage(b)
    if not hasattr(b, "manifest"):
        b.port = servers.registry(b)
        b.w9_store = {p.name: loaded(b, p, "again") for p in [b.me] + b.peers}
        for p in [b.me] + b.peers:
            b.run(*p.push("localhost/w7:1", registry_name(b, p.name), store=b.w9_store[p.name]))
        b.manifest = get("http://127.0.0.1:%d/v2/bldagain/manifests/1" % b.port)
    return json.loads(b.manifest)


def w8b(b):
    m = pushed(b)
    head = "Host: 127.0.0.1:%d\r\n" % b.port
    parts = ["HEAD /v2/bldagain/blobs/%s HTTP/1.1\r\n%s\r\n" % (x["digest"], head)
             for x in m["layers"] + [m["config"]]]
    parts.append("PUT /v2/bldagain/manifests/1 HTTP/1.1\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        head, MANIFEST_TYPE, len(b.manifest), b.manifest.decode()))
    requests = contexts.small(b.path("again.http", "requests"), b"".join(p.encode() + b"\0" for p in parts))
    return [("raw", fixed([b.tool("rawtiny"), "http", b.port, requests]))] + \
        [(p.name, fixed(p.push("localhost/w7:1", registry_name(b, p.name), store=b.w9_store[p.name])))
         for p in [b.me] + b.peers]


def w9(b):
    m = pushed(b)
    out = b.fresh("w9blobs")
    blobs = []
    for x in m["layers"]:
        blobs.append(os.path.join(out, x["digest"].split(":")[1]))
        with open(blobs[-1], "wb") as f:
            f.write(get("http://127.0.0.1:%d/v2/bldagain/blobs/%s" % (b.port, x["digest"]), "*/*"))
    d = b.dockerfile("w9", 'FROM %s\nRUN true\n' % registry_name(b, "bld"))
    it = [("raw", fixed([b.tool("rawbulk"), "gunzip"] + blobs))]
    for p in [b.me] + b.peers:
        if p.name != "docker":
            it.append((p.name, lambda i, p=p: p.build(d, b.path("w7"), store=b.fresh("w9"))))
    return it


def w10(b):
    ctx, d = twenty_steps(b)
    tar = b.path("w2.tar")
    if not os.path.exists(tar):
        b.run("tar", "-C", ctx, "-cf", tar, ".")

    def changed(p):
        def argv(i):
            contexts.change(ctx, os.urandom(8))
            return p.build(d, ctx, cache=True)
        return argv

    return [("raw", lambda i: [b.tool("rawbulk"), "relayer", tar, ctx, b.fresh("raw10") + "/tar"])] + \
        [(p.name, changed(p)) for p in [b.me] + b.peers]


# name, preparation, rounds of bld and the raw limit, rounds of the peers
ALL = [("W1", w1, 15, 5), ("W2", w2, 9, 2), ("W3", w3, 5, 1), ("W4", w4, 3, 2), ("W5", w5, 5, 1), ("W6", w6, 2, 2),
       ("W7", w7, 2, 1), ("W8", w8, 3, 2), ("W8b", w8b, 7, 3), ("W9", w9, 3, 2), ("W10", w10, 7, 2)]
__all__ = ["ALL", "base", "Skip"]
