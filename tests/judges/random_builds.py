#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random Dockerfiles with bld and docker: make check-docker-random LAB=DIR N=2000 SEED=1

    random_builds.py [--seed S] [--count N] [--again | --retry] [--record] [--show SEED]

Builds number S, S+1, ... S+N-1 (generate.py) with both, and compares exit, tree and configuration.
$BUILD/judges/random.jsonl has a line a build, so that a run that was stopped goes on where it was
(--again forgets it, --retry forgets the builds whose difference has no reason; a changed generator
makes other Dockerfiles, so its lines begin anew). Ranges that done.tsv has with this generator and
without an unexplained difference are not built again unless --again is given; --record adds what this
run found out. A difference that KNOWN explains is counted under its reason; so is one that a TRIAL
explains: the build is changed so that what is meant to differ is not in it, and has to be equal then.
--show writes one case to the current directory, builds nothing.
"""
import argparse
import bz2
import collections
import concurrent.futures
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zlib

import generate
import lab
import ledger

NEW = 1600000000


def made_by():
    """What tells the generator from one that makes other builds of the same seeds."""
    digest = hashlib.sha256()
    for seed in range(20):
        with tempfile.TemporaryDirectory() as d:
            args = generate.write(seed, d)
            for where, dirs, files in os.walk(d):
                dirs.sort()
                for name in sorted(dirs + files):
                    digest.update(f"{where[len(d):]}/{name}\n".encode())
            with open(f"{d}/Dockerfile", encoding="utf-8") as f:
                digest.update((f.read() + "\n".join(args)).encode())
    return digest.hexdigest()[:16]


class Servers:
    """What the builds reach on this machine: files and a repository for ADD, an ssh agent."""

    def __init__(self, base):
        generate.web(f"{base}/www")
        self.agent = f"{base}/agent"
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                 "stderr": subprocess.DEVNULL}
        self.running = [
            subprocess.Popen([sys.executable, f"{lab.TOOLS}/webfiles.py", "--root", f"{base}/www",
                              "--port-file", f"{base}/port", "--log", f"{base}/web.log"], **quiet),
            subprocess.Popen(["ssh-agent", "-D", "-a", self.agent], **quiet)]
        self.web = f"http://127.0.0.1:{lab.port_of(self.running[0], f'{base}/port')}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.running:
            p.terminate()
            p.wait()

    def filled(self, args):
        return [a.replace("@WEB@", self.web).replace("@AGENT@", self.agent) for a in args]


def ran(argv, work):
    env = dict(os.environ, HOME=f"{work}/home")
    for k in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
              "SOURCE_DATE_EPOCH", "SSH_AUTH_SOCK"):
        env.pop(k, None)
    try:
        return subprocess.run(argv, env=env, cwd=work, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, errors="replace", stderr=subprocess.STDOUT,
                              timeout=600)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess([], 124, "no end within 600 s")


def with_bld(work, name, args):
    lab.clear(f"{work}/store")
    subprocess.run(["cp", "-a", f"{work}/../template", f"{work}/store"], check=True)
    return ran([lab.BLD, "--root", f"{work}/store", "build", "--progress=plain", "-t", name, "-f",
                f"{work}/Dockerfile", *args, "ctx"], work)


def with_docker(work, name, args):
    """Without its cache, which keeps times of other builds, and in a directory of a name of its
    own: dockerd keeps what it knows of a context under that."""
    lab.clear(f"{work}/docker")
    context = ".".join(["ctx", *work.split("/")[-2:]])
    if not os.path.lexists(f"{work}/{context}"):
        os.symlink("ctx", f"{work}/{context}")
    done = ran(["chroot", f"{lab.LAB}/trixie", "env", "-C", work, f"HOME={lab.LAB}/run", "docker",
                "-H", f"unix://{lab.LAB}/run/docker.sock", "build", "--network=host",
                "--progress=plain", "--no-cache", "-t", name, "-f", f"{work}/Dockerfile", *args,
                context], work)
    if "Cannot connect to the Docker daemon" in done.stdout:
        raise RuntimeError(f"{name}: no dockerd answers any more")
    if done.returncode == 0:
        said = lab.save(name, f"{work}/docker")
        if said:
            return subprocess.CompletedProcess([], 1, f"Error response from daemon: {said}")
    lab.remove(name)
    return done


def without_sizes(found):
    """Less the lines of ls that differ in the size of a directory, which is its file system's."""
    plain = [re.sub(r"^(~ /tmp/also\d+: [-+]d\S+ \d+ \d+) \d+ ", r"\1 ", line) for line in found]
    other = {line: re.sub(r": [-+]", lambda m: ": +" if m[0] == ": -" else ": -", line, count=1)
             for line in plain if line.startswith("~ ")}
    return [line for line in plain if other.get(line) not in plain]


def fits(line, table, text):
    """The first entry of a table that explains a line."""
    for entry in table:
        m = re.search(entry[0], line)
        needs = entry[1]
        if m and (needs(m, text) if callable(needs) else re.search(needs.format(*m.groups()), text)):
            return entry
    return None


def path_of(line):
    return line.split(":")[0].split(" ")[-1] if line[0] in "*~" else line.split(" ")[1]


def known(row):
    """The reasons for differences that are meant, or None when one line has none."""
    tried = row.get("tried")
    if tried and (not tried["found"] or explained(tried["found"], tried["text"], KNOWN)):
        # Equal but for that. What RUN says of it in its listings goes with it.
        return explained(row["found"], row["text"], KNOWN + [
            t for t in TRIALS if t[2].__name__ in tried["changes"]] + [(SEEN, "", "")])
    return explained(row["found"], row["text"], KNOWN)


# What RUN says of files.
SEEN = r"^~ (?:/tmp/(?:also|ls|m)\d+|\S*/listing\d): "


def is_chmod(m, text):
    """Has a directory got its mode from a --chmod of the Dockerfile?"""
    bits = "".join("0" if c in "-ST" else "1" for c in m[1].lower().replace("s", "x").replace("t", "x"))
    mode = int(bits, 2) + sum(n for at, n in ((2, 0o4000), (5, 0o2000), (8, 0o1000)) if m[1][at].lower() in "st")
    return re.search(rf"--chmod=0?{mode:o} ", text)


def explained(found, text, table):
    reasons, paths, listings = set(), set(), []
    for line in without_sizes(found):
        entry = fits(line, table, text)
        if not entry and re.match(r"~ \S*/listing\d: [-+]/", line):
            listings.append(line)
            continue
        if not entry:
            return None
        reasons.add(entry[-1])
        paths.add(path_of(line))
    for line in listings:  # what RUN sees of paths that the image shows itself
        if not any(line.partition(": ")[2][1:].startswith(p + " ") for p in paths):
            return None
    return "; ".join(sorted(reasons - {""})) or "the size of a directory is its file system's"


# --- trials ----------------------------------------------------------------------------------

ADD_OWNER = re.compile(r"^([ ]*(?:onbuild +)?add\b(?:[^\n]*[\\`]\n#[^\n]*\n)?[^\n]*?) --chown=(\S+)"
                       r"(?=[^\n]*(?:\.t|[*?\]]))", re.M | re.I)
UIDS = {"root": "0:0", "app": "1000:1000", "web": "1001:50"}
GIDS = {"audio": "63", "staff": "50", "root": "0"}


def owner(spec):
    """What --chown means with the users of the base image."""
    user, _, group = spec.partition(":")
    both = UIDS.get(user, f"{user}:{user}").split(":")
    return f"{both[0]}:{GIDS.get(group, group) or both[1]}"


def is_added_owner(m, text):
    return m[1] in [owner(spec) for _, spec in ADD_OWNER.findall(text)]


def edited(work, change):
    with open(f"{work}/Dockerfile", encoding="utf-8", newline="") as f:
        text = f.read()
    with open(f"{work}/Dockerfile", "w", encoding="utf-8", newline="") as f:
        f.write(change(text))


def no_owner_of_archives(work):
    edited(work, lambda text: ADD_OWNER.sub(r"\1", text))


def plain_letters(work):
    """The letter ä becomes Q, in names and wherever they are written."""
    edited(work, lambda text: text.replace("ä", "Q"))
    for where, dirs, files in os.walk(work, topdown=False):
        if not where.startswith((f"{work}/ctx", f"{work}/more")):
            continue
        for name in dirs + files:
            path = f"{where}/{name}"
            if os.path.islink(path) and "ä" in os.readlink(path):
                to = os.readlink(path).replace("ä", "Q")
                os.unlink(path)
                os.symlink(to, path)
            if "ä" in name:
                os.rename(path, f"{where}/{name.replace('ä', 'Q')}")


def no_dangling_links(work):
    """Links that end nowhere or outside of their context become files."""
    for root in (f"{work}/ctx", f"{work}/more"):
        for where, dirs, files in os.walk(root):
            for name in dirs + files:
                path = f"{where}/{name}"
                real = os.path.realpath(path)
                if os.path.islink(path) and not (os.path.exists(path) and real.startswith(f"{root}/")):
                    os.unlink(path)
                    with open(path, "w", encoding="ascii"):
                        pass


def whole_archives(work):
    """What is cut off or has bytes behind it becomes an archive of one file, packed the same way."""
    packs = {b"\x1f\x8b": gzip, b"BZ": bz2, b"\xfd7": lzma}
    for where, _, files in os.walk(f"{work}/ctx"):
        for path in (f"{where}/{n}" for n in files if ".t" in n and not os.path.islink(f"{where}/{n}")):
            with open(path, "rb") as f:
                data = f.read()
            pack = packs.get(data[:2])
            try:
                plain = pack.decompress(data) if pack else data
            except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
                plain = b""
            if len(plain) >= 1024 and not any(plain[-1024:]):
                continue
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w") as tar:
                tar.addfile(tarfile.TarInfo("whole"))
            with open(path, "wb") as f:
                f.write(pack.compress(out.getvalue()) if pack else out.getvalue())


def group_file_stays(work):
    edited(work, lambda text: text.replace("rm -f /etc/group; mkdir /etc/group", "true"))


def clean_destinations(work):
    edited(work, lambda text: text.replace("/w/../z", "/z"))


def no_names_twice(work):
    """Of two entries for one path in an archive, however it is written, the last one stays."""
    for where, _, files in os.walk(f"{work}/ctx"):
        for path in (f"{where}/{n}" for n in files if ".t" in n and not os.path.islink(f"{where}/{n}")):
            try:
                with tarfile.open(path) as tar:
                    last = {os.path.normpath("/" + m.name): m for m in tar}
                    entries = [(m, tar.extractfile(m).read() if m.isreg() else b"") for m in last.values()]
            except (OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError, zlib.error):
                continue
            with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
                for m, data in entries:
                    tar.addfile(m, io.BytesIO(data))


# (a line of the difference, what has to hold of it and the Dockerfile, the change of the directory
# after which there must be no difference that is not in KNOWN, why)
TRIALS = [
    (r"^[-+] /w[ /]", r"/w/\.\./z", clean_destinations, "docker makes /w for /w/../z; bld cleans a path first"),
    (r"^\* f \S+: mtime=\d+ \| \d+$", r"\.t", no_names_twice,
     "a file of an archive that replaces a directory of it has the directory's time there"),
    (r"^bld 0, docker 1: .*>>> .* did not complete successfully: "
     r"(?:exit code: 1|unable to find groups for spec \S+: read \S+/etc/group: is a directory)$", "mkdir /etc/group", group_file_stays,
     "docker runs nothing when /etc/group is a directory; with bld the user needs no groups of it"),
    (r"^\* [dflpcb] \S+: own=(\d+:\d+) \| \d+:\d+$", is_added_owner, no_owner_of_archives,
     "--chown of ADD holds for what an archive has: BuildKit since 0.23"),
    (r"^bld 0, docker 1: .*>>> .*--mount=\S*source=\S*ä.* failed to calculate checksum of ref ", "",
     plain_letters, "docker 26 takes a letter outside ASCII in a flag for two"),
    (r"(?i)^bld 0, docker 1: .*(?:COPY|ADD) .*(?: failed to calculate checksum of ref [^ ]+(?: \"/.+\": not found|: too many symlinks: /.*)"
     r"| lstat \S+/buildkit-mount\d+/\S*: no such file or directory)$",
     r"[*?\]]", no_dangling_links, "docker 26 refuses a link to nowhere in a directory that a wildcard matches"),
    (r"^(?:\+ |- \S+\.t|bld 4, docker 0: .*error: \S+: archive: |bld 0, docker 1: .*ADD .*(?:unexpected EOF|xz: \(stdin\): Unexpected end of input))", r"\.t",
     whole_archives, "an archive that is cut off: docker unpacks what it finds, bld refuses it or takes it for a file"),
]


# (a line of the difference, something in the Dockerfile where {0} is the first group of the line, why)
KNOWN = [
    (r"^\* d \S+: mode=0?(\d+) \| 0755$", r"--chmod=0?{0} ",
     "an octal --chmod holds for the directories made as well: BuildKit since 0.20 (buildkit#4945)"),
    (r"^\+ /w type=d mode=0755 own=", r"/w/\.\./z",
     "docker makes /w for /w/../z; bld cleans a path first"),
    (r'^config WorkingDir: "(.*)" \| "(.*)"$', lambda m, _: m[1] == os.path.normpath(m[2]).replace("//", "/"),
     "bld cleans WORKDIR, docker keeps it as it is written"),
    (r"^~ /tmp/m(\d+): (?:-(?:directory )?1777|\+(?:directory )?\d+) 0 0$", r"(?i)type=tmpfs[^\n]* /tmp/m{0} ",
     "a tmpfs has the mode of the directory that it covers there; 1777 with bld and buildah"),
    (r"^~ \S*/listing\d: -/.* d([rwxsStT-]{9}) \d+ \d+$|^~ /tmp/(?:also|ls)\d+: -d([rwxsStT-]{9}) ", lambda m, text: is_chmod(m if m[1] else [0, m[2]], text),
     "an octal --chmod holds for the directories made as well: BuildKit since 0.20 (buildkit#4945)"),
    (r"^~ \S*/listing\d: \+/.* drwxr-xr-x \d+ \d+$|^~ /tmp/(?:also|ls)\d+: \+drwxr-xr-x ", "--chmod=",
     "an octal --chmod holds for the directories made as well: BuildKit since 0.20 (buildkit#4945)"),
    (r"^~ /tmp/m(\d+): (?:-/(?:m|m/in|w/m)|\+(?:m|/m/|/w/\./m))$", r"type=ssh[^\n]* /tmp/m{0} ", "SSH_AUTH_SOCK is absolute; docker has a target= in it as it is written"),
    (r"^bld 9, docker 0: .* sandbox: mount (/m\S*): Read-only file system ", r"--mount=\S*\b(?:ro|readonly)\b\S*type=tmpfs|--mount=\S*type=tmpfs\S*,(?:ro|readonly)\b",
     "a mount below a tmpfs that is read-only: docker makes it so last, bld has no place for the mount, as below all that is read-only"),
    (r"^bld 0, docker 1: .* lstat \S+/buildkit-mount\d+/([^/ ]+): no such file or directory$",
     lambda m, text: re.search(rf"(?i)(?:copy|add) .*{re.escape(m[1])}/\S*(?:\[\w\]|[*?])", text),
     "a pattern that matches nothing, in a directory of which nothing else is copied: docker misses the directory"),
    (r"^~ /tmp/m(\d+): ", r"--mount=(?=\S*type=cache)(?=\S*from=)\S*(?:uid|gid|mode)=[^\n]* /tmp/m{0} ",
     "a cache mount with from= and an owner or a mode is empty there; it begins with what from= has"),
    (r"^bld 3, docker 0: .* error: RUN --mount: target needs a value ", r"--mount=target= ",
     "a target= with nothing behind it is a mistake with bld; docker takes it for none"),
    (r"^bld 3, docker 0: .* ONBUILD RUN --mount=target=/m,colour=red ", "", "bld reads a trigger when it is written, docker when it is used"),
    (r"^bld 0, docker 1: .* failed to solve: link (/.+)/[^/]+ \1: no such file or directory$", "",
     "a hard link of an archive in the place of the directory that has its file: an error of docker, the file with bld"),
    (r"^~ \S*/hn\d+: (-bld|\+buildkitsandbox)$", r"hostname", "the host name of a step is the builder's own"),
    (r"^bld 0, docker 1: .*Error response from daemon: empty export - not implemented$", "",
     "docker 26 saves no image without layers"),
    (r"^bld 0, docker 1: .*(?:source can't be a git ref for COPY|unable to access 'https://\S*/\.git/': Could not resolve host: \S+)$", r"\.git",
     "docker 26 takes a path that ends in .git for a repository"),
]


def both(work, name, args):
    """Build with both: (what differs, the two results)."""
    ours, theirs = with_bld(work, name, args), with_docker(work, name, args)
    found = []
    if (ours.returncode == 0) != (theirs.returncode == 0):
        found = [f"bld {ours.returncode}, docker {theirs.returncode}: " + " / ".join(
            (ours if ours.returncode else theirs).stdout.strip().splitlines()[-6:])[:1500]]
    elif ours.returncode == 0:
        found = lab.differences((f"{work}/store", name), (f"{work}/docker", name), NEW)
    elif ours.returncode not in (1, 3, 4, 5, 10):
        found = [f"bld ends with {ours.returncode}: {ours.stdout.strip()[-300:]}"]
    return found, ours, theirs


def text_in(work):
    with open(f"{work}/Dockerfile", encoding="utf-8", newline="") as f:
        return f.read()


def trial(work, name, args, row):
    """Change what may explain the differences, and build again, until nothing new shows up."""
    changes, now = [], row
    while True:
        new = {entry[2] for entry in (fits(line, TRIALS, now["text"]) for line in now["found"]
                                      if not fits(line, KNOWN, now["text"])) if entry}
        new -= set(changes)
        if not new:
            return
        for change in new:
            change(work)
        changes += new
        found = both(work, f"{name}-again{len(changes)}:latest", args)[0]
        now = {"changes": [c.__name__ for c in changes], "found": found, "text": text_in(work)}
        row["tried"] = now


def one(base, servers, stamp, seed):
    work = f"{base}/{seed}"
    os.makedirs(f"{work}/home")
    args = servers.filled(generate.write(seed, work))
    name = f"localhost/random-{seed}:latest"
    found, ours, theirs = both(work, name, args)
    row = {"seed": seed, **stamp, "bld": ours.returncode, "docker": theirs.returncode, "found": found}
    if ours.returncode:
        row["said"] = next((w for w in ours.stdout.splitlines() if "rror" in w), "")[:200]
    row["text"] = text_in(work) if found else ""
    if found:
        trial(work, f"localhost/random-{seed}", args, row)
    if not (found and os.environ.get("KEEP")):
        lab.clear(work)
    return row


def finished(state, maker, retry):
    """Builds of earlier runs with the generator as it is, by seed."""
    rows = {}
    if os.path.exists(state):
        with open(state, encoding="utf-8") as f:
            rows = {r["seed"]: r for r in map(json.loads, f) if r.get("made_by") == maker}
    if retry:
        rows = {s: r for s, r in rows.items() if not r["found"] or known(r)}
    return rows


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=20)
    p.add_argument("--again", action="store_true")
    p.add_argument("--retry", action="store_true")
    p.add_argument("--record", action="store_true")
    p.add_argument("--show", type=int)
    return p.parse_args()


def build_all(todo, rows, stamp, state):
    base = lab.workdir()
    lab.base_images(base)
    with Servers(base) as servers, open(state, "a", encoding="utf-8") as out, \
            concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        for row in pool.map(lambda s: one(base, servers, stamp, s), todo):
            rows[row["seed"]] = row
            out.write(json.dumps(row) + "\n")
            out.flush()
    if not os.environ.get("KEEP"):
        lab.clear(base)


def main():
    a = arguments()
    if a.show is not None:
        print(" ".join(generate.write(a.show, ".")))
        return 0
    why = lab.ready()
    if why:
        print(f"check-docker-random: {why}", file=sys.stderr)
        return 2
    state = f"{lab.BUILD}/judges/random.jsonl"
    os.makedirs(os.path.dirname(state), exist_ok=True)
    if a.again and os.path.exists(state):
        os.unlink(state)
    stamp = {"made_by": made_by(), "commit": ledger.commit()}
    rows = finished(state, stamp["made_by"], a.retry)
    seeds = range(a.seed, a.seed + a.count)
    done = set() if a.again else ledger.seeds(stamp["made_by"]) - set(rows)
    todo = [s for s in seeds if s not in rows and s not in done]
    if todo:
        build_all(todo, rows, stamp, state)
    return summary([rows[s] for s in seeds if s in rows], seeds, done & set(seeds), a.record)


def summary(rows, seeds, done, record):
    for r in rows:
        r["why"] = known(r) if r["found"] else None
    bad = [r for r in rows if r["found"] and not r["why"]]
    for r in bad[:20]:
        print(f"not ok - seed {r['seed']}")
        print("\n".join("# " + line[:600] for line in r["found"][:10]))
        if r.get("tried"):
            print(f"# after {' and '.join(r['tried']['changes'])}: {r['tried']['found'][:3]}"[:600])
    for why, n in collections.Counter(r["why"] for r in rows if r["why"]).items():
        print(f"{n} x {why}")
    if done:
        print(f"{len(done)} of the seeds are in done.tsv")
    print(f"seeds {seeds[0]} to {seeds[-1]}: {len(rows)} builds, {ledger.counts(rows)['same']} built by both "
          f"and equal, {ledger.counts(rows)['refused']} refused by both, {len(rows) - len(bad)} without an "
          f"unexplained difference")
    print(f"{len(rows) - len(bad)} passed, {len(bad)} failed")
    if record:
        ledger.add_random(rows)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
