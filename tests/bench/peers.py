# SPDX-License-Identifier: Apache-2.0
"""The contestants: one way to say "build this", "push that" for each program."""
import os

from harness import Skip, answers, have


class Bld:
    name = "bld"

    def __init__(self, bench):
        self.b = bench
        r = bench.output(bench.bld, "build", "--help")
        self.has_jobs = "--jobs" in r

    def build(self, dockerfile, context, *options, cache=False, jobs=None, store=None):
        argv = [self.b.bld, "build", "-q"] + ([] if cache else ["--no-cache"])
        if jobs and self.has_jobs:
            argv += ["--jobs", str(jobs)]
        return argv + (["--root", store] if store else []) + list(options) + ["-f", dockerfile, context]

    def load(self, archive, store=None):
        return [self.b.bld, "load", "-q", "-i", archive] + (["--root", store] if store else [])

    def push(self, name, dest, store=None):
        return [self.b.bld, "push", "-q"] + (["--root", store] if store else []) + [name, dest]


class Buildah:
    """chroot isolation is its cheapest: no runtime is started."""
    name = "buildah"

    def __init__(self, bench):
        if not have("buildah"):
            raise Skip("buildah is not installed")
        self.b = bench

    def _at(self, store):
        store = store or self.b.path("buildah")
        return ["buildah", "--root", store + "/root", "--runroot", store + "/run"]

    def build(self, dockerfile, context, *options, cache=False, jobs=None, store=None, layers=False):
        argv = self._at(store) + ["bud", "--isolation=chroot", "-q", "--tls-verify=false"]
        argv += ["--layers"] if cache or layers else []
        argv += [] if cache else ["--no-cache"]
        if jobs:
            argv += ["--jobs", str(jobs)]
        return argv + list(options) + ["-f", dockerfile, context]

    def load(self, archive, store=None):
        return self._at(store) + ["pull", "-q", "docker-archive:" + archive]

    def push(self, name, dest, store=None):
        return self._at(store) + ["push", "-q", "--tls-verify=false", name, "docker://" + dest]


class Docker:
    """Whatever daemon answers; its store is its own, so it never starts from an empty one."""
    name = "docker"

    def __init__(self, bench):
        if not have("docker") or not answers(["docker", "version"]):
            raise Skip("no docker daemon answers")
        self.b = bench
        os.environ["DOCKER_BUILDKIT"] = "1"

    def build(self, dockerfile, context, *options, cache=False, jobs=None, store=None, layers=False):
        if store:
            raise Skip("docker has one store")
        argv = ["docker", "build", "-q", "--network=host"] + ([] if cache else ["--no-cache"])
        return argv + list(options) + ["-f", dockerfile, context]

    def load(self, archive, store=None):
        return ["docker", "load", "-q", "-i", archive]

    def push(self, name, dest, store=None):
        return ["sh", "-c", 'docker tag "$1" "$2" && docker push -q "$2"', "sh", name, dest]


def peers(bench):
    """Those that work here; the others are noted with the reason."""
    found = []
    for kind in (Buildah, Docker):
        try:
            p = kind(bench)
            bench.run(*p.build(bench.path("base.Dockerfile"), bench.path("base"), "-t", "bench-base"))
            found.append(p)
        except Skip as e:
            bench.skipped.append("%s: %s" % (kind.name, e))
    return found
