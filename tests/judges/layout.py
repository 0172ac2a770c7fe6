#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Put the image of a docker archive into an OCI layout, its configuration byte for byte.

    layout.py ARCHIVE LAYOUT NAME...

(skopeo makes an OCI configuration of it, which has no health check, no triggers and no shell.)
"""
import hashlib
import json
import os
import sys
import tarfile


def put(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    directory = os.path.join(layout, "blobs", "sha256")
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, digest)
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def add(archive, layout, names):
    """archive: a path or an open file"""
    how = {"name": archive} if isinstance(archive, str) else {"fileobj": archive}
    with tarfile.open(**how) as tar:
        image = json.load(tar.extractfile("manifest.json"))[0]
        config = put(layout, tar.extractfile(image["Config"]).read())
        layers = [put(layout, tar.extractfile(name).read()) for name in image["Layers"]]
    kind = "application/vnd.oci.image."
    manifest = put(layout, json.dumps({
        "schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
        "config": {"mediaType": kind + "config.v1+json", **config},
        "layers": [{"mediaType": kind + "layer.v1.tar", **d} for d in layers]}).encode())
    path = os.path.join(layout, "index.json")
    index = {"schemaVersion": 2, "manifests": []}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            index = json.load(f)
    key = "org.opencontainers.image.ref.name"
    index["manifests"] = [m for m in index["manifests"]
                          if m.get("annotations", {}).get(key) not in names]
    index["manifests"] += [{"mediaType": kind + "manifest.v1+json", **manifest,
                            "annotations": {key: name}} for name in names]
    with open(path, "w", encoding="utf-8") as f:
        json.dump(index, f)


if __name__ == "__main__":
    add(sys.argv[1], sys.argv[2], sys.argv[3:])
