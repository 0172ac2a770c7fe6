# SPDX-License-Identifier: Apache-2.0
"""Read an image of an OCI layout and flatten its layers, independently of bld.

Layers are applied in order with whiteouts and opaque directories. Nothing is written to disk.
Every digest and size on the way is checked, and so is every diff ID.
"""
import gzip
import hashlib
import io
import json
import os
import re
import stat
import subprocess
import tarfile


class Bad(Exception):
    """The image is not what it claims to be."""


class Entry:
    __slots__ = ("kind", "mode", "uid", "gid", "size", "sha", "link", "dev", "xattrs", "mtime",
                 "ident", "data")

    def __init__(self, **kw):
        for name in self.__slots__:
            setattr(self, name, kw.get(name))
        self.xattrs = self.xattrs or {}


def read_blob(layout, desc):
    algo, _, hexa = desc["digest"].partition(":")
    path = os.path.join(layout, "blobs", algo, hexa)
    with open(path, "rb") as f:
        data = f.read()
    if hashlib.sha256(data).hexdigest() != hexa:
        raise Bad(f"{desc['digest']}: wrong digest")
    if "size" in desc and desc["size"] != len(data):
        raise Bad(f"{desc['digest']}: {len(data)} bytes, the descriptor says {desc['size']}")
    return data


def split_source(source):
    """oci:DIR[:NAME] -> (DIR, NAME or None). NAME may hold colons, DIR may not."""
    rest = source[4:] if source.startswith("oci:") else source
    layout, _, name = rest.partition(":")
    return layout, name or None


def find_manifest(source):
    layout, name = split_source(source)
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as f:
        index = json.load(f)
    found = [m for m in index["manifests"] if name is None or
             m.get("annotations", {}).get("org.opencontainers.image.ref.name") == name]
    if len(found) != 1:
        names = [m.get("annotations", {}).get("org.opencontainers.image.ref.name")
                 for m in index["manifests"]]
        raise Bad(f"{len(found)} manifests named {name!r} in {layout}; it has {names}")
    desc = found[0]
    raw = read_blob(layout, desc)
    manifest = json.loads(raw)
    if "manifests" in manifest:
        if len(manifest["manifests"]) != 1:
            raise Bad("index of several manifests")
        desc = manifest["manifests"][0]
        manifest = json.loads(read_blob(layout, desc))
    return layout, desc, manifest


def load(source):
    """-> (layout, manifest, config, [open uncompressed layer files])"""
    layout, desc, manifest = find_manifest(source)
    config = json.loads(read_blob(layout, manifest["config"]))
    diff_ids = config.get("rootfs", {}).get("diff_ids") or []
    if len(diff_ids) != len(manifest["layers"]):
        raise Bad(f"{len(manifest['layers'])} layers but {len(diff_ids)} diff IDs")
    real = [h for h in config.get("history", []) if not h.get("empty_layer")]
    if config.get("history") and len(real) != len(diff_ids):
        raise Bad(f"{len(diff_ids)} layers but {len(real)} history entries that are not empty")
    layers = []
    for layer, diff_id in zip(manifest["layers"], diff_ids):
        data = plain(read_blob(layout, layer))
        if "sha256:" + hashlib.sha256(data).hexdigest() != diff_id:
            raise Bad(f"layer {layer['digest']}: its content is not {diff_id}")
        layers.append(data)
    return layout, desc, manifest, config, layers


def plain(data):
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE,
                              check=True).stdout
    return data


def norm(name):
    parts = [p for p in name.split("/") if p not in ("", ".")]
    if ".." in parts:
        raise Bad(f"{name!r}: leaves the root")
    return "/" + "/".join(parts)


KINDS = {tarfile.REGTYPE: "f", tarfile.AREGTYPE: "f", tarfile.CONTTYPE: "f", tarfile.DIRTYPE: "d",
         tarfile.SYMTYPE: "l", tarfile.CHRTYPE: "c", tarfile.BLKTYPE: "b", tarfile.FIFOTYPE: "p",
         tarfile.GNUTYPE_SPARSE: "f", tarfile.LNKTYPE: "h"}


def layer_entries(data):
    """Yield (path, Entry) in the order of the archive; hard links have kind 'h'."""
    seen = set()
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errors="surrogateescape") as tar:
        for m in tar:
            path = norm(m.name)
            if path in seen and path != "/":
                raise Bad(f"{path}: twice in one layer")
            seen.add(path)
            kind = KINDS.get(m.type)
            if kind is None:
                raise Bad(f"{path}: entry of type {m.type!r}")
            e = Entry(kind=kind, mode=m.mode & 0o7777, uid=m.uid, gid=m.gid, mtime=m.mtime,
                      size=m.size if kind == "f" else None,
                      link=m.linkname if kind in "lh" else None,
                      dev=(m.devmajor, m.devminor) if kind in "cb" else None)
            if m.uname or m.gname:
                e.xattrs["!uname"] = f"{m.uname}:{m.gname}".encode()
            if kind == "f":
                body = tar.extractfile(m).read()
                e.sha = hashlib.sha256(body).hexdigest()
                e.data = body if len(body) <= 4096 else None
            for key, value in m.pax_headers.items():
                if key.startswith("SCHILY.xattr."):
                    e.xattrs[key[13:]] = value.encode("utf-8", "surrogateescape")
                elif key in ("atime", "ctime") or key.startswith("LIBARCHIVE"):
                    e.xattrs["!pax." + key] = value.encode()
            yield path, e


def resolve_parent(tree, path):
    """Symbolic links in the parents of path are followed inside the root, as extractors do."""
    done, todo, hops = "", path.strip("/").split("/"), 0
    while len(todo) > 1:
        part = todo.pop(0)
        if part == "..":
            done = done.rpartition("/")[0]
            continue
        here = f"{done}/{part}"
        e = tree.get(here)
        if e is not None and e.kind == "l":
            hops += 1
            if hops > 40:
                raise Bad(f"{path}: too many links")
            if e.link.startswith("/"):
                done = ""
            todo = [p for p in e.link.split("/") if p not in ("", ".")] + todo
        else:
            done = here
    return f"{done}/{todo[0]}" if todo else done or "/"


def remove(tree, path, children_only=False):
    below = path.rstrip("/") + "/"
    for p in [p for p in tree if p.startswith(below)]:
        del tree[p]
    if not children_only:
        tree.pop(path, None)


def apply(tree, data):
    entries = list(layer_entries(data))
    for path, e in entries:                     # first what hides lower layers
        parent, _, base = path.rpartition("/")
        if base == ".wh..wh..opq":
            remove(tree, resolve_parent(tree, path).rpartition("/")[0] or "/", True)
        elif base.startswith(".wh."):
            if base == ".wh." or e.kind != "f" or e.size:
                raise Bad(f"{path}: bad whiteout")
            real = resolve_parent(tree, path).rpartition("/")[0]
            remove(tree, f"{real}/{base[4:]}")
    made = set()
    for path, e in entries:
        if path.rpartition("/")[2].startswith(".wh."):
            continue
        path = resolve_parent(tree, path) if path != "/" else "/"
        parent = path.rpartition("/")[0]
        while parent and parent not in tree:
            tree[parent] = Entry(kind="d", mode=0o755, uid=0, gid=0, mtime=0)
            parent = parent.rpartition("/")[0]
        old = tree.get(path)
        if old is not None and not (old.kind == "d" and e.kind == "d"):
            remove(tree, path)
        if e.kind == "h":
            target = resolve_parent(tree, norm(e.link))
            if target not in tree or target not in made:
                raise Bad(f"{path}: hard link to {target}, which is not in the same layer")
            e = tree[target]
        elif e.ident is None:
            e.ident = object()
        tree[path] = e
        made.add(path)


def tree_of_layers(layers):
    tree = {}
    for data in layers:
        apply(tree, data)
    return tree


def tree_of_dir(root):
    tree, idents = {}, {}
    root_b = os.fsencode(root)

    def visit(path_b):
        full = root_b + path_b
        st = os.lstat(full)
        kind = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFCHR: "c",
                stat.S_IFBLK: "b", stat.S_IFIFO: "p", stat.S_IFSOCK: "s"}[stat.S_IFMT(st.st_mode)]
        e = Entry(kind=kind, mode=stat.S_IMODE(st.st_mode), uid=st.st_uid, gid=st.st_gid,
                  mtime=st.st_mtime_ns // 10**9)
        e.ident = idents.setdefault((st.st_dev, st.st_ino), object()) if kind != "d" else object()
        if kind == "f":
            digest, size = hashlib.sha256(), 0
            with open(full, "rb") as f:
                while chunk := f.read(1 << 20):
                    digest.update(chunk)
                    size += len(chunk)
            e.size, e.sha = size, digest.hexdigest()
            if size <= 4096:
                with open(full, "rb") as f:
                    e.data = f.read()
        elif kind == "l":
            e.link = os.fsdecode(os.readlink(full))
        elif kind in "cb":
            e.dev = (os.major(st.st_rdev), os.minor(st.st_rdev))
        try:
            for name in os.listxattr(full, follow_symlinks=False):
                if not name.startswith(("security.selinux", "system.")):
                    e.xattrs[name] = os.getxattr(full, name, follow_symlinks=False)
        except OSError:
            pass
        tree[os.fsdecode(path_b) or "/"] = e
        if kind == "d":
            for name in os.listdir(full):
                visit(path_b + b"/" + name)
    visit(b"")
    return tree


def quote(text):
    raw = os.fsencode(text) if isinstance(text, str) else text
    return re.sub(rb"[^!-$&-\[\]-~]", lambda m: b"%%%02x" % m.group()[0], raw).decode("ascii")


def groups(tree):
    """object -> first path of a hard-link group of at least two"""
    first, many = {}, set()
    for path in sorted(tree):
        e = tree[path]
        if e.ident is None or e.kind == "d":
            continue
        if e.ident in first:
            many.add(e.ident)
        first.setdefault(e.ident, path)
    return {i: first[i] for i in many}


def describe(path, e, hard=None, mtime=False, xattrs=True):
    out = [quote(path), "type=" + e.kind]
    if e.kind != "l":
        out.append(f"mode={e.mode:04o}")
    out.append(f"own={e.uid}:{e.gid}")
    if e.kind == "f":
        out += [f"size={e.size}", f"sha={e.sha}"]
    if e.link is not None:
        out.append("link=" + quote(e.link))
    if e.dev is not None:
        out.append("dev=%d,%d" % e.dev)
    if hard and e.ident in hard:
        out.append("hard=" + quote(hard[e.ident]))
    if mtime:
        out.append(f"mtime={e.mtime:.9f}".rstrip("0").rstrip("."))
    if xattrs:
        out += [f"xattr.{quote(k)}={quote(v)}" for k, v in sorted(e.xattrs.items())]
    return out


