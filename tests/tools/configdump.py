#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the configuration of an image, for judging.

    configdump.py SOURCE             the config as it is, indented
    configdump.py --norm SOURCE      what can be compared between builders: no times, no digests,
                                     empty values left out, keys sorted
    configdump.py --manifest SOURCE  the manifest
    configdump.py --digest SOURCE    the digest of the manifest

SOURCE: oci:DIR[:NAME], or json:FILE with a config (as `buildah inspect` has under .Docker).
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ocidir  # noqa: E402

FIELDS = ("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels",
          "StopSignal", "Healthcheck", "OnBuild", "Shell")


def normal(config):
    inner = config.get("config") or {}
    out = {k: inner[k] for k in FIELDS if inner.get(k) not in (None, "", [], {})}
    labels = {k: v for k, v in (out.get("Labels") or {}).items() if k != "io.buildah.version"}
    out["Labels"] = labels
    if not labels:
        del out["Labels"]
    if out.get("WorkingDir") == "/":
        del out["WorkingDir"]
    top = {k: config[k] for k in ("author", "architecture", "os", "variant") if config.get(k)}
    return {**top, "config": out}


def main():
    args = sys.argv[1:]
    flags = {a for a in args if a.startswith("--")}
    source = [a for a in args if not a.startswith("--")][0]
    try:
        if source.startswith("json:"):
            with open(source[5:], encoding="utf-8") as f:
                out = json.load(f)
        elif "--digest" in flags:
            print(ocidir.find_manifest(source)[1]["digest"])
            return 0
        else:
            _, _, manifest, config, _ = ocidir.load(source)
            out = manifest if "--manifest" in flags else config
    except ocidir.Bad as why:
        print(f"configdump: {why}", file=sys.stderr)
        return 2
    if "--norm" in flags:
        out = normal(out)
    print(json.dumps(out, indent=1, sort_keys="--norm" in flags))
    return 0


if __name__ == "__main__":
    sys.exit(main())
