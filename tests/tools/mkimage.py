#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make an image in an OCI layout out of tar files, good or deliberately bad ones.

    mkimage.py [OPTIONS] LAYOUT NAME [LAYER.tar...]

--config JSON     merged into the config's "config"
--top JSON        merged into the config itself
--gzip, --zstd    compress the layers
--docker          Docker media types
--arch A          architecture (default amd64)
--also A          an index with this architecture too (same layers)
--bad KIND        diff-id, size, config-json, missing-blob
Prints the digest of what NAME points to.
"""
import argparse
import gzip
import hashlib
import json
import os
import subprocess


def put(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    path = os.path.join(layout, "blobs", "sha256", digest)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return "sha256:" + digest


def dump(value):
    return json.dumps(value, separators=(",", ":")).encode()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--config", default="{}")
    p.add_argument("--top", default="{}")
    p.add_argument("--gzip", action="store_true")
    p.add_argument("--zstd", action="store_true")
    p.add_argument("--docker", action="store_true")
    p.add_argument("--arch", default="amd64")
    p.add_argument("--also")
    p.add_argument("--bad")
    p.add_argument("layout")
    p.add_argument("name")
    p.add_argument("layer", nargs="*")
    a = p.parse_args()
    os.makedirs(a.layout, exist_ok=True)
    with open(os.path.join(a.layout, "oci-layout"), "w", encoding="ascii") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    kind = ("application/vnd.docker.image.rootfs.diff.tar" if a.docker
            else "application/vnd.oci.image.layer.v1.tar")
    layers, diff_ids = [], []
    for name in a.layer:
        with open(name, "rb") as f:
            data = f.read()
        diff_ids.append("sha256:" + hashlib.sha256(data).hexdigest())
        media = kind
        if a.gzip:
            data = gzip.compress(data, 6, mtime=0)
            media += ".gzip" if a.docker else "+gzip"
        elif a.zstd:
            data = subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE,
                                  check=True).stdout
            media += "+zstd"
        layers.append({"mediaType": media, "digest": put(a.layout, data), "size": len(data)})
    if a.bad == "diff-id":
        diff_ids[-1] = "sha256:" + "0" * 64

    def manifest(arch):
        config = {"created": "2024-01-02T03:04:05Z", "architecture": arch, "os": "linux",
                  "config": json.loads(a.config),
                  "rootfs": {"type": "layers", "diff_ids": diff_ids},
                  "history": [{"created": "2024-01-02T03:04:05Z", "created_by": "mkimage"}
                              for _ in diff_ids]}
        config.update(json.loads(a.top))
        raw = b"{" if a.bad == "config-json" else dump(config)
        docker = "application/vnd.docker."
        value = {"schemaVersion": 2,
                 "mediaType": docker + "distribution.manifest.v2+json" if a.docker
                 else "application/vnd.oci.image.manifest.v1+json",
                 "config": {"mediaType": docker + "container.image.v1+json" if a.docker
                            else "application/vnd.oci.image.config.v1+json",
                            "digest": put(a.layout, raw), "size": len(raw)},
                 "layers": layers}
        if a.bad == "size":
            value["layers"][-1]["size"] += 1
        raw = dump(value)
        return {"mediaType": value["mediaType"], "digest": put(a.layout, raw), "size": len(raw)}

    desc = manifest(a.arch)
    if a.also:
        other = manifest(a.also)
        other["platform"] = {"architecture": a.also, "os": "linux"}
        desc["platform"] = {"architecture": a.arch, "os": "linux"}
        media = ("application/vnd.docker.distribution.manifest.list.v2+json" if a.docker
                 else "application/vnd.oci.image.index.v1+json")
        raw = dump({"schemaVersion": 2, "mediaType": media, "manifests": [other, desc]})
        desc = {"mediaType": media, "digest": put(a.layout, raw), "size": len(raw)}
    if a.bad == "missing-blob":
        os.unlink(os.path.join(a.layout, "blobs", "sha256", layers[-1]["digest"][7:]))

    index_path = os.path.join(a.layout, "index.json")
    index = {"schemaVersion": 2, "manifests": []}
    if os.path.exists(index_path):
        with open(index_path, encoding="utf-8") as f:
            index = json.load(f)
    key = "org.opencontainers.image.ref.name"
    index["manifests"] = [m for m in index["manifests"]
                          if m.get("annotations", {}).get(key) != a.name]
    index["manifests"].append({**desc, "annotations": {key: a.name}})
    with open(index_path, "w", encoding="utf-8") as f:
        json.dump(index, f)
    print(desc["digest"])


main()
