# SPDX-License-Identifier: Apache-2.0
"""Random Dockerfiles over small random trees. The same seed gives the same directory.

    write(seed, directory): directory/Dockerfile, directory/ctx, -> arguments of the build

Everything is valid most of the time: what a source, a user or a variable may be is drawn from small
pools, so that instructions meet each other's files. What the judge cannot have is not drawn:
extended attributes but capabilities (docker keeps none of the user's), zstd (its archives are newer),
modes that are no octal numbers up to 7777, --parents, --exclude, RUN --security and ADD --unpack (newer than its frontend, or
of its labs), RUN --network=host and --security (they need an entitlement), --link onto what is there
(with graph drivers it makes an ordinary copy of it, so the place is a new one and owners are numbers),
letters behind a backslash in an ignore file (it takes them for those of Go's regular expressions).
ADD takes files and a repository from a server on this machine, which the caller starts over what
web() makes: "@WEB@" in the arguments stands for its URL, "@AGENT@" for the socket of an ssh agent.
Hard links in archives carry the attributes of the file they name, as every writer of archives has
it, and no name stands there twice but for directories (docker gives a file the time of the
directory that was there before).
"""
import bz2
import glob
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import re
import subprocess
import tarfile

QUOTE = '"'
OLD = 1500000000  # times in contexts and archives lie within a year behind this
NAMES = ["a", "b", "c.txt", "d.o", "e f", ".hid", "ä", "lib", "src", "long-name-of-a-file.conf"]
CAPABILITY = "\1\0\0\2\0\4\0\0" + "\0" * 12  # CAP_NET_BIND_SERVICE, permitted and effective
WEB_FILES = {"plain.txt": b"from a server\n", "run.sh": b"#!/bin/sh\n", "empty": b"", "e%20f": b"blank\n"}
ODD_NAMES = ["st*r", "br[a]ck", "$A", "a,b", "quo\"te", "-dash", "#hash", "=is", "it's", "n" * 120, "ü" * 90, "~", "a:b"]
DIRS = ["d1", "d2", "lib", "src", ".git", "x y"]
MODES = [0o644, 0o644, 0o600, 0o755, 0o4755, 0o2755, 0o777, 0o400, 0o000]
DIR_MODES = [0o755, 0o755, 0o700, 0o1777, 0o2775, 0o777]
OWNERS = [(0, 0), (0, 0), (1000, 1000), (12345, 54321), (1, 50), (2100000, 70000)]
USERS = ["root", "app", "web", "1000", "1000:50", "app:audio", "0:0", "4321", "4321:1234", "app:77"]
PLACES = ["/", "/w/", "/w", "/opt/x/", "/opt/x/y", "rel/", "./", ".", "/tmp/", "/home/app/", "/var/lib/n",
          "/w/../z/", "/link/in/", "/etc/conf.d/", "../up/", "/lnk", "/lnk/", "/dangle", "/dangle/", "/plain",
          "/etc/passwd2", "/tmp/../bin/../new/", "//d//e/", "/tgt/sub/."]


class Tree:
    """A directory made at random, and the names in it."""

    def __init__(self, rng, root):
        self.rng, self.root = rng, root
        self.files, self.dirs, self.links, self.archives = [], [], [], []
        os.makedirs(root, exist_ok=True)

    def fill(self, depth=0, below=""):
        rng = self.rng
        for _ in range(rng.randint(2, 5) if depth else rng.randint(4, 9)):
            kind = rng.choices(["file", "dir", "symlink", "hardlink", "archive", "fifo"],
                               [10, 5 if depth < 2 else 0, 4, 2, 2, 0.2])[0]
            name = rng.choice(DIRS if kind == "dir" else NAMES)
            if rng.random() < 0.06:
                name = rng.choice(ODD_NAMES)
            name = below + name
            if kind == "archive":
                name += rng.choice([".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"])
            if os.path.lexists(f"{self.root}/{name}"):
                continue
            getattr(self, kind)(name, depth)

    def path(self, name):
        return f"{self.root}/{name}"

    def file(self, name, _depth=0):
        rng = self.rng
        with open(self.path(name), "wb") as f:
            f.write(rng.choice([b"", b"x\n", name.encode() + b"\n", bytes(rng.randrange(5000)),
                                b"#!/bin/sh\necho hi\n", b"line\r\nline\r\n"]))
        os.chown(self.path(name), *rng.choice(OWNERS))
        os.chmod(self.path(name), rng.choice(MODES))
        self.files.append(name)

    def dir(self, name, depth):
        os.mkdir(self.path(name))
        self.fill(depth + 1, name + "/")
        os.chown(self.path(name), *self.rng.choice(OWNERS))
        os.chmod(self.path(name), self.rng.choice(DIR_MODES))
        self.dirs.append(name)

    def symlink(self, name, _depth=0):
        rng = self.rng
        to = rng.choice(["nowhere", "/etc/passwd", "../" * rng.randint(1, 3) + "a", "a", "lib", ".",
                         "/" + name, "c.txt"] + self.files[-3:] + self.dirs[-2:])
        os.symlink(to, self.path(name))
        os.chown(self.path(name), *rng.choice(OWNERS), follow_symlinks=False)
        self.links.append(name)

    def sound(self, name):
        """Does a link end somewhere? Roughly: what is above the context is in it."""
        to = os.readlink(self.path(name))
        return os.path.exists(self.root + to if to.startswith("/") else self.path(name))

    def sound_links(self, rng):
        return [n for n in self.links if self.sound(n) or rng.random() < 0.05]

    def matching(self, patterns, rng):
        """Those that name something; seldom the others."""
        return [p for p in patterns if rng.random() < 0.05 or any(
            os.path.exists(f) for f in glob.iglob(f"{glob.escape(self.root)}/{p}", include_hidden=True))]

    def hardlink(self, name, _depth=0):
        if self.files:
            os.link(self.path(self.rng.choice(self.files)), self.path(name))
            self.files.append(name)

    def fifo(self, name, _depth=0):
        os.mkfifo(self.path(name))

    def archive(self, name, _depth=0):
        rng, data = self.rng, archive(self.rng, name.rpartition(".")[2])
        if rng.random() < 0.06:
            data = rng.choice([data[:len(data) // 2], b"", b"no archive\n", data[:-1], bytes(600), bytes(1024),
                               data + b"behind it\n"])
        if rng.random() < 0.08:
            name += ".txt"  # what it is decides its content
        with open(self.path(name), "wb") as f:
            f.write(data)
        self.archives.append(name)

    def settle(self):
        """Times last: every entry gets its own."""
        for where, dirs, files in os.walk(self.root, topdown=False):
            for n in sorted(dirs + files):
                t = (OLD + self.rng.randrange(31536000)) * 10**9
                if self.rng.random() < 0.2:
                    t = self.rng.choice([t + 1, t + 999999999, t + 500000000, 0, -1, -1500000000, 10**9 - 1])
                os.utime(f"{where}/{n}", ns=(t, t), follow_symlinks=False)


def member(rng, tar, name, plain, seen):
    """One entry of an archive and its bytes; seen: the files that a hard link may name."""
    m, data = tarfile.TarInfo(name), b""
    m.mtime = OLD + rng.randrange(31536000)
    if tar.format == tarfile.PAX_FORMAT and rng.random() < 0.1:
        m.mtime += 0.75
    m.uid, m.gid = rng.choice(OWNERS)
    m.mode = rng.choice(MODES)
    kind = rng.choices("fdlhcp", [6, 3, 2, 1, 0.2, 0.2])[0]
    if kind == "d":
        m.type, m.mode = tarfile.DIRTYPE, rng.choice(DIR_MODES)
    elif kind == "l":
        m.type, m.linkname = tarfile.SYMTYPE, rng.choice(["a", "nowhere", "/etc", "../a", "../../../tmp", "lib"])
    elif kind == "h" and seen:
        m.type, m.linkname = tarfile.LNKTYPE, rng.choice(list(seen))
        first = seen[m.linkname]
        m.mode, m.uid, m.gid, m.mtime = first.mode, first.uid, first.gid, first.mtime
    elif kind == "c":
        m.type, m.devmajor, m.devminor = rng.choice([tarfile.CHRTYPE, tarfile.BLKTYPE]), 1, 3
    elif kind == "p":
        m.type = tarfile.FIFOTYPE
    else:
        data = rng.choice([b"", b"in an archive\n", bytes(rng.randrange(3000))])
        m.size = len(data)
        seen[plain] = m
        if tar.format == tarfile.PAX_FORMAT and rng.random() < 0.05:
            m.pax_headers = {"SCHILY.xattr.security.capability": CAPABILITY}
    return m, data


def archive(rng, suffix):
    out, seen, taken = io.BytesIO(), {}, {}
    with tarfile.open(fileobj=out, mode="w", format=rng.choice([tarfile.GNU_FORMAT,
                                                                tarfile.PAX_FORMAT])) as tar:
        if rng.random() < 0.2:
            m = tarfile.TarInfo("./")
            m.type, m.mode, m.mtime = tarfile.DIRTYPE, rng.choice(DIR_MODES), OLD + rng.randrange(31536000)
            m.uid, m.gid = rng.choice(OWNERS)
            tar.addfile(m)
        for _ in range(rng.randint(0 if rng.random() < 0.05 else 1, 7)):
            name = rng.choice(["", "", "./", "in/", "d1/", "in/deep/"]) + rng.choice(NAMES)
            if rng.random() < 0.05:
                name = rng.choice(["/abs/", "../", "in/../", "lib/", "src/", "./../../", "long" * 30 + "/"]) + rng.choice(NAMES)
            plain = name[2:] if name.startswith("./") else name
            m, data = member(rng, tar, name, plain, seen)
            if plain in taken and (m.type, taken[plain]) != (tarfile.DIRTYPE, tarfile.DIRTYPE):
                seen.pop(plain, None) if not data and taken[plain] != tarfile.REGTYPE else None
                continue
            taken[plain] = m.type
            tar.addfile(m, io.BytesIO(data))
    pack = {"tar": bytes, "bz2": bz2.compress, "xz": lzma.compress}
    return pack.get(suffix, lambda data: gzip.compress(data, mtime=OLD))(out.getvalue())


def ignore_file(rng):
    rules = ["a", "*.o", "**/*.o", "d1", "d1/", "!d1/a", "lib/**", "!lib/a", "# comment", "", "**/.hid",
             "/src", "./b", "x?y", "[a-c]", "!**/c.txt", "**/d2", "src/*", "*", "!src", "d?/lib",
             "e f", "!*.tar", ".git", "../a", " b ", "lib/./a", "**", "!**/a", "**/src/**", "!src/**/a", "[!a]", "[^a-c]*",
             "d\\.o", "lib/*/", "/", ".", "!.", "**/", "a/**/b", "d1/../lib", "*/*", "!*/*/a", "x y/*", "! a", "ä", "?"]
    end = rng.choice(["\n", "\n", "\r\n", ""])
    return rng.choice(["", "", "", "\ufeff"]) + end.join(rng.sample(rules, rng.randint(1, 5))) + end if end else rng.choice(rules)


def plain(word):
    """May it stand in a list of options?"""
    return not set(word) & set(" ,\"'$*[")


def quote(word):
    return '"' + word + '"' if " " in word else word


class Stage:
    def __init__(self, maker, name, shell):
        self.maker, self.name, self.shell = maker, name, shell


class Maker:
    """The lines of one Dockerfile."""

    def __init__(self, rng, tree):
        self.rng, self.tree, self.lines, self.stages = rng, tree, [], []
        self.count = 0
        self.escape = "\\"

    def say(self, line):
        self.lines.append(self.keyword(line) if line[:1].isupper() else line)

    def value(self):
        return self.rng.choice(["v", "1.2.3", "two words", "a/b/c", "", "$A", "${B:-none}", "${C:+set}",
                                "x${A}y", "'single $A'", "\\$A", "${A#v}", "${D%.*}", "${D%%.*}",
                                "${D##*/}", "${A/v/w}", "${D//./-}", "ä"])

    def word(self):
        v = self.value()
        return f'"{v}"' if " " in v or v == "" else v

    def number(self):
        self.count += 1
        return self.count

    def keyword(self, line):
        """The instruction as other people may write it: in small letters, indented, over two lines."""
        rng = self.rng
        word, _, rest = line.partition(" ")
        if rng.random() < 0.05:
            word = word.lower()
        if rng.random() < 0.04:
            word = "  " + word
        if rng.random() < 0.04 and "\n" not in line:
            return f"{word} {self.escape}\n# a comment\n  {rest}"
        return f"{word} {rest}"

    def build(self):
        rng = self.rng
        if rng.random() < 0.12:
            self.escape = "`"
            self.say("# escape=`")
        if rng.random() < 0.3:
            self.say(rng.choice(["ARG BASE=localhost/base", "ARG BASE=localhost/base\nARG D=global",
                                 "ARG NAME=base BASE=localhost/base", "ARG NAME=base\nARG BASE=localhost/${NAME}"]))
        for n in range(rng.choices([1, 2, 3], [5, 3, 1])[0]):
            self.stage(n)
        return "\n".join(self.lines) + "\n"

    def stage(self, n):
        rng = self.rng
        named = any("BASE=" in line for line in self.lines)
        bases = ["localhost/base"] * 6 + (["$BASE", "${BASE}:latest"] if named else [])
        bases += [s for s, _ in self.stages] + (["scratch", "more"] if n else [])
        base = rng.choice(bases)
        shell = dict(self.stages).get(base, base not in ("scratch", "more"))
        name = f"s{n}"
        self.say(rng.choices([f"FROM {base} AS {name}", f"FROM {base} as {name}",
                              f"FROM --platform=linux/amd64 {base} AS {name}",
                              f"FROM --platform=$BUILDPLATFORM {base} AS {name}"], [12, 1, 1, 1])[0])
        self.shell = shell
        for _ in range(rng.randint(2, 8)):
            self.instruction()
        if shell and rng.random() < 0.5:
            self.say("USER root\nRUN find /w /opt /rel /up /z -exec stat -c '%n %A %u %g' {} + "
                     f"2>/dev/null | sort > /listing{n}; true")
        self.stages.append((name, shell))

    def instruction(self):
        kinds = {self.copy: 8, self.add: 4, self.env: 3, self.arg: 2, self.workdir: 3, self.user: 1.5,
                 self.label: 1.5, self.config: 3, self.heredoc: 1, self.onbuild: 0.5}
        if self.shell:
            kinds[self.run] = 8
            kinds[self.mount] = 4
            kinds[self.then_copy] = 1.5
        self.rng.choices(list(kinds), list(kinds.values()))[0]()

    # --- files ------------------------------------------------------------------------------

    def owner_flags(self):
        rng, out = self.rng, ""
        if rng.random() < 0.3:
            pool = USERS if self.shell else ["1000", "0:0", "12:34"]
            out += " --chown=" + rng.choice(pool)
        if rng.random() < 0.25:
            out += " --chmod=" + rng.choice(["644", "0755", "4711", "700", "1777"])
        if rng.random() < 0.2:
            out = re.sub(r"--chown=\S*[a-z]\S*", "--chown=1001:50", out) + " --link"
        return out

    def sources(self, also=()):
        rng, t = self.rng, self.tree
        links = t.sound_links(rng)
        pool = t.files * 2 + t.dirs * 2 + links + list(also) + [".", *t.matching(["*.txt", "d*", "[ab]", "?", "*/a", "l*/"], rng)]
        picks = rng.sample(pool, min(len(pool), rng.choices([1, 2, 3], [6, 2, 1])[0]))
        return [("/" + p if rng.random() < 0.1 else p) for p in map(self.protected, picks)]

    def protected(self, name):
        """A name in which quotes and dollars mean nothing else; seldom not."""
        if self.rng.random() < 0.1:
            return name
        return re.sub(r"([\"'$])", lambda m: self.escape + m[1], name)

    def put(self, word, flags, sources, to=None):
        rng = self.rng
        to = f"/linked{self.number()}/" if "--link" in flags else to or rng.choice(PLACES)
        if len(sources) > 1 and not to.endswith("/"):
            to += "/"
        if any(set(w) & set(" \"'") for w in sources) or rng.random() < 0.15:
            inner = ", ".join(json.dumps(w, ensure_ascii=False) for w in sources + [to])
            self.say(f"{word}{flags} [{inner}]")
        else:
            self.say(f"{word}{flags} {' '.join(sources + [to])}")

    def copy(self):
        rng = self.rng
        if self.stages and rng.random() < 0.3:
            source = rng.choice(["/w", "/opt", "/etc/passwd", "/tmp", "/home/app", "/bin/sh", "/etc/", "w/*", "/lnk", "/link",
                                 "/etc/p*", "/*/passwd", ".", "/dev", "/proc"]
                                + (["/tgt/", "/dangle", "/plain"] if rng.random() < 0.1 else []))
            stage = rng.randrange(len(self.stages))
            stage = rng.choice([self.stages[stage][0], self.stages[stage][0].upper(), str(stage)])
            self.put("COPY", self.owner_flags() + " --from=" + stage, [source])
            return
        if rng.random() < 0.08:
            self.put("COPY", self.owner_flags() + " --from=more", [self.often([".", ".", "*", "/*", "./"], ["a", "d1", "/lib", "d*/", "src/*", "nosuch"])])
            return
        if rng.random() < 0.1:
            self.put("COPY", self.owner_flags() + " --from=localhost/base",
                     [rng.choice(["/etc/passwd", "/home", "/bin/ls", "/etc"])])
            return
        self.put("COPY", self.owner_flags(), self.sources())

    def add(self):
        t = self.tree
        if self.rng.random() < 0.12:
            self.fetch()
            return
        if t.archives and self.rng.random() < 0.6:
            self.put("ADD", self.owner_flags(), [self.protected(self.rng.choice(t.archives))])
        else:
            self.put("ADD", self.owner_flags(), self.sources(t.archives))

    def fetch(self):
        """ADD of what a server has: a file with or without its digest, a repository."""
        rng = self.rng
        self.say("ARG WEB")
        if rng.random() < 0.4:
            flags = rng.choice(["", "", " --keep-git-dir=false", " --link"])
            self.put("ADD", flags + rng.choice(["", "", " --chown=12:34"]),
                     ["$WEB/smart/r.git" + rng.choice(["", "#main", "#v1", "#dev", "#:sub", "#v1:sub", "#dev:d2", "#nosuch", "#main:nosuch"])])
            return
        # The judge takes what it once had for a digest, with the time that it had then: what has
        # a checksum, and what has no date, are files of their own.
        name, where = rng.choice(sorted(WEB_FILES)), rng.choice(["files", "files", "dated", "moved"])
        flags = self.owner_flags()
        if rng.random() < 0.4:
            data = WEB_FILES[name] + (b"" if rng.random() < 0.9 else b"other")
            flags += " --checksum=sha256:" + hashlib.sha256(data).hexdigest()
            name = "sum-" + name
        elif rng.random() < 0.3:
            where, name = "plain", "undated-" + name
        self.put("ADD", flags, [f"${{WEB}}/{where}/{name}" + rng.choice(["", "", "", "?q=1"])])

    def then_copy(self):
        """COPY or ADD onto what a RUN has put there: a file, a directory, links."""
        rng, t = self.rng, self.tree
        self.say("RUN " + rng.choice(["mkdir -p /tgt/sub /w && ln -sfn /tgt /lnk && ln -sfn /tgt/new /dangle && echo p > /plain",
                                      "mkdir -p /w/d1 /w/lib /opt/x; echo o > /w/a; ln -s /etc /w/src; echo o > /opt/x/b; chmod 700 /w/d1",
                                      "mkdir -p /w && ln -s a /w/b; ln /etc/group /w/c.txt; mkdir /w/d2; chown 7:8 /w/d2",
                                      "mkdir -p /opt/x /etc/conf.d; ln -s /etc/conf.d /opt/x/d1; ln -s ../../bin /opt/x/lib"]))
        for _ in range(rng.randint(1, 2)):
            picks = [self.protected(rng.choice(t.files + t.dirs + t.sound_links(rng) + t.archives + ["."]))]
            self.put(rng.choice(["COPY", "COPY", "ADD"]), self.owner_flags(), picks,
                     rng.choice(["/w", "/w/", "/opt/x", "/opt/x/", "/lnk", "/lnk/", "/dangle", "/dangle/", "/plain", "/plain/", "/w/a",
                                 "/w/b", "/w/d2", "/lnk/sub", "/"]))

    def heredoc(self):
        rng = self.rng
        mark = rng.choice(["EOF", "'EOF'", '"X"'])
        end = mark.strip("'\"")
        dash = rng.choice(["", "-"])
        body = "\n".join(rng.sample(["line $A", "\ttabbed ${B:-x}", "  blank", "", "\\$A", "# no comment", "a \\"], 3))
        if self.shell and rng.random() < 0.5:
            if rng.random() < 0.2:
                self.say(f"RUN cat <<{dash}{mark} > /here{self.number()}\n{body}\n{end}")
            elif rng.random() < 0.25:
                self.say(f"RUN <<{mark}\n#!/bin/sh\necho $0 $# > /here{self.number()}\n{end}")
            else:
                self.say(f"RUN <<{dash}{mark}\necho \"$A\" > /here{self.number()}\n\tid -u >> /tmp/ids\n{end}")
        else:
            flags, n = self.owner_flags(), self.number()
            to = f"/linked{n}/f" if "--link" in flags else f"/here/f{n}"
            if rng.random() < 0.3:
                self.say(f"{rng.choice(['COPY', 'ADD'])}{flags} <<{dash}{mark} <<Two {to}/\n{body}\n{end}\n2 $A\nTwo")
            else:
                self.say(f"{rng.choice(['COPY', 'COPY', 'ADD'])}{flags} <<{dash}{mark} {to}\n{body}\n{end}")

    # --- what runs --------------------------------------------------------------------------

    def run(self):
        rng, n = self.rng, self.number()
        command = rng.choice([
            f"env | grep -v -e HOSTNAME -e SHLVL | sort > /tmp/env{n}",
            f"id > /tmp/id{n}; id -G >> /tmp/id{n}",
            f"pwd > /tmp/pwd{n}; ls -lan . | awk '{{print $1, $3, $4, $9}}' > /tmp/ls{n}",
            f"mkdir -p /w/made{n}/deep && echo {n} > /w/made{n}/deep/f && chmod 700 /w/made{n}",
            "rm -rf /w/* /opt/x", "rm -rf /home/app/a /etc/conf.d && mkdir -p /etc/conf.d", "ln -sfn /tmp /link",
            f"ln -s nowhere /tmp/l{n}; ln /etc/passwd /tmp/h{n} || cp /etc/passwd /tmp/h{n}",
            "mv /w /moved 2>/dev/null || true", "chmod -R go-w /opt /w 2>/dev/null; true",
            "chown -R 1000:50 /home/app 2>/dev/null; true", f"mkfifo /tmp/p{n}; umask > /tmp/u{n}",
            f"dd if=/dev/zero of=/tmp/z{n} bs=1k count=70 2>/dev/null", f"touch -d @1500000123 /tmp/t{n}",
            "echo more >> /etc/group 2>/dev/null || true", f"echo \"$A|${{B:-b}}\" '$A' > /tmp/q{n}",
            f"cat /proc/self/status | grep -E '^(Cap|Seccomp:|NoNewPrivs)' | grep -v CapEff > /tmp/caps{n}; true",
            f"ls -la /dev | tail -n +2 | awk '{{print $1,$3,$4,$NF}}' | grep -vE ' (core|shm|console|mqueue|fd|\\.|\\.\\.)$' > /tmp/dev{n}; true",
            f"stat -c '%n %a %u %g' /dev/shm /tmp /proc/self/fd/1 > /tmp/st{n} 2>/dev/null; true",
            f"df -k /dev/shm | tail -1 | awk '{{print $2}}' > /tmp/shm{n}",
            "rm -rf /home/app && mkdir -p /home/app/new", "rm -rf /w; ln -s /opt /w", "mv /etc/conf.d /etc/conf2; mkdir -p /etc/conf.d",
            "rm -rf /etc2; cp -a /etc /etc2; rm -f /etc2/hosts /etc2/hostname /etc2/resolv.conf", "echo x:x:77:88:::/bin/sh >> /etc/passwd",
            "mkdir -p /vol /a && echo v > /vol/x && echo v > /a/x", f"hostname > /tmp/hn{n}; ulimit -n >> /tmp/hn{n}",
            f"echo $HOME $PATH $USER $0 $# > /tmp/h{n}; wc -c < /dev/stdin >> /tmp/h{n}", f"mknod /tmp/n{n} c 1 3; chmod 600 /tmp/n{n}",
            f"echo to > /dev/stdout; echo x | tee /dev/stderr > /tmp/tee{n}", f"touch /tmp/.wh{n}; mkdir -p /tmp/d{n}; rmdir /tmp/d{n}",
            "chmod 1777 /opt; chown 5:6 /opt; touch -d @1500000000 /opt", "touch -h -d @1500000000 /lnk /link 2>/dev/null; true",
            "rm -f /etc/group; mkdir /etc/group", "find / -xdev -name passwd | sort > /tmp/found; true"])
        if rng.random() < 0.02:
            command = rng.choice(["exit 3", "nosuch-command", "sh -c 'kill -9 $$' && true"])
        form = rng.random()
        if form < 0.15:
            inner = ", ".join('"' + w.replace("\\", "\\\\").replace('"', '\\"') + '"'
                              for w in ("sh", "-c", command))
            self.say(f"RUN [{inner}]")
        elif form < 0.3:
            self.say("RUN " + command.replace(" && ", f" && {self.escape}\n  # in between\n  "))
        else:
            self.say("RUN " + command)

    def any_mount(self):
        """A mount with options drawn from all that its type has, each with any of its values."""
        rng, t = self.rng, self.tree
        kind = rng.choice(["bind", "cache", "tmpfs", "secret", "ssh"])
        stages = [s for s, _ in self.stages] + ["localhost/base", "more"]
        flag = ["=true", "=false", "", "=1", "=0"]
        here = [rng.choice([f for f in t.files + t.dirs if plain(f)] or ["."]), ".", "/", "d1", "./lib/..", "/src/"]
        both = {"readonly": flag, "ro": flag, "rw": flag, "readwrite": flag}
        ids = {"uid": ["=0", "=1000", "=77"], "gid": ["=0", "=50", "=88"],
               "mode": ["=0700", "=755", "=0", "=1777", "=0444", "=4711"]}
        options = {"bind": {"from": ["=" + s for s in stages], "source": ["=" + h for h in here], **both},
                   "cache": {"from": ["=" + s for s in stages], "source": ["=/etc", "=/home", "=/"],
                             "sharing": ["=shared", "=private", "=locked", "=LOCKED"], **ids, **both},
                   "tmpfs": {"size": ["=1m", "=65536", "=10k", "=0", "=1gb"], **both},
                   "secret": {"id": ["=s1", "=s1", "=none"], "required": ["=false", "=0"], **ids},
                   "ssh": {"id": ["=default", "=default", "=other"], "required": ["=false", "=0"], **ids}}[kind]
        words = [f"type={kind}"]
        if kind == "cache":
            words.append(f"id=c{rng.getrandbits(40)}")
        # Of a cache and a secret the judge takes nothing but the permissions, less its umask.
        if kind in ("cache", "secret"):
            options["mode"] = ["=0700", "=755", "=0", "=0444", "=0711"]
        for name in rng.sample(sorted(options), min(len(options), rng.choice([0, 1, 1, 2, 3]))):
            words.append(name + rng.choice(options[name]))
        words.append(rng.choice(["target", "dst", "destination"]) + "=" + rng.choice(["/m", "/m", "/m/", "/m/in", "m", "/w/./m"]))
        if not any(w.startswith(("required", "size")) for w in words):  # the judge wants the type in front of it
            rng.shuffle(words)
        return ",".join(words)

    def mount(self):
        rng, n = self.rng, self.number()
        t = self.tree
        look = f"{{ find /m -type f -o -type l | sort; stat -c '%a %u %g' /m; }} > /tmp/m{n} 2>&1; true"
        if rng.random() < 0.25:
            look = (f"{{ echo x > /m/try; stat -c '%F %a %u %g' /m /m/in /w/m m $SSH_AUTH_SOCK; echo $SSH_AUTH_SOCK; "
                    f"SIZE; }} > /tmp/m{n} 2>/dev/null; true")
        kinds = ["type=tmpfs,target=/m", f"type=cache,target=/m,id=c{rng.getrandbits(40)}",
                 f"type=cache,target=/m,id=c{rng.getrandbits(40)},uid=1000,gid=50,mode=0711",
                 f"type=cache,dst=/m,id=c{rng.getrandbits(40)},sharing=private", "type=bind,target=/m",
                 "target=/m,rw", "type=bind,source=.,destination=/m,readonly", "type=bind,from=localhost/base,source=/etc,target=/m",
                 "type=secret,id=none,target=/m/secret", "type=tmpfs,target=/m,size=1m", "type=secret,id=s1",
                 "type=secret,id=s1,target=/m/sec,mode=0444,uid=12", "type=secret,id=s1,gid=50",
                 "type=bind,from=localhost/base,target=/m,readwrite=true", "type=bind,target=rel,ro=false", f"type=cache,target=/home/app,id=c{rng.getrandbits(40)}",
                 "type=bind,from=localhost/base,source=/etc/passwd,target=/m/pw", "type=tmpfs,target=/opt",
                 "type=bind,source=/,target=/w/mnt", "type=cache,target=m,readonly", "type=TMPFS,target=/m", f"type=${{T:-cache}},target=/m,id=c{rng.getrandbits(40)}",
                 "target=/m,source=../", "type=ssh,target=/m/agent"]
        kinds += [self.any_mount() for _ in range(8)]
        if rng.random() < 0.06:
            kinds = ["type=nothing,target=/m", "type=$T,target=/m", "type=bind,source=$A,target=/m", "type=bind,source=nowhere,target=/m",
                     "type=secret,id=none,required", "type=secret,id=s1,required=true", f"type=cache,id=c{rng.getrandbits(40)}", "type=bind,from=nosuch:,target=/m",
                     "type=tmpfs,target=/", f"type=cache,target=/m,mode=9,id=c{rng.getrandbits(40)}", "target=/m,colour=red", "type=bind,target=/m,rw=perhaps",
                     "type=ssh,required", "type=tmpfs,target=/m,size=many"]
        kinds += ["type=bind,target=/m,source=" + f for f in rng.sample(t.files + t.sound_links(rng), min(2, len(t.files))) if plain(f)]
        if t.dirs:
            kinds.append("type=bind,target=/m,source=" + rng.choice([d for d in t.dirs if plain(d)] or ["."]))
        if self.stages:
            kinds.append(f"type=bind,from={rng.choice(self.stages)[0]},target=/m")
            kinds.append(f"type=cache,target=/m,from={rng.choice(self.stages)[0]},source=/etc,id=c{rng.getrandbits(40)}")
        mounts = [rng.choice(kinds)]
        if rng.random() < 0.2:
            mounts.append(f"type=tmpfs,target=/m/inner{n}" if "type=tmpfs" in mounts[0] else
                          rng.choice(["type=tmpfs,target=/m2", "type=tmpfs,target=/m2/deep/er",
                                      f"type=cache,target=/m2/c,id=c{rng.getrandbits(40)}", "type=bind,target=/m2,from=localhost/base"]))
        look = look.replace("SIZE", "df -k /m | awk '$2 < 2048 {print $2}'" if "type=tmpfs" in mounts[0] else "true")
        flags = " ".join(f"--mount={m}" for m in mounts)
        if rng.random() < 0.2:
            flags += rng.choice([" --network=none", " --network=default"])
        also = "; ls -lan /run/secrets /m2 rel 2>/dev/null | awk '{print $1, $3, $4, $5, $9}' > /tmp/also" + str(n)
        line = f"RUN {flags} {rng.choice([look, look + also, 'echo x > /m/new 2>/dev/null; ' + look])}"
        self.say("ONBUILD " + line if rng.random() < 0.05 else line)

    # --- everything else --------------------------------------------------------------------

    def env(self):
        k = self.rng.choice("ABCD")
        self.say(self.rng.choice([f"ENV {k}={self.word()}", f"ENV {k} {self.value() or 'x'}",
                                  f"ENV {k}={self.word()} E={self.word()}", "ENV PATH=$PATH:/w/bin"]))

    def arg(self):
        k = self.rng.choice("ABCD")
        self.say(self.rng.choice([f"ARG {k}", f"ARG {k}={self.word()}", f"ARG {k}={self.word()} F=1", "ARG D",
                                  f"ARG {k}={self.word()} G=${k}", "ARG TARGETPLATFORM", "ARG TARGETARCH TARGETVARIANT",
                                  "ARG http_proxy", "ARG BASE", f"ARG {k}=", 'ARG Q="quoted $A"', "ARG T=tmpfs"]))

    def workdir(self):
        self.say("WORKDIR " + self.rng.choice(["/w", "/opt/x", "rel", "deep/er", "/", "..", "/w/../z", "$A/x", "/tmp",
                                               "/home/app", '/with "quotes"', "/link/sub", "/ä",
                                               "/lnk/in", "/tgt/", "${B:-/w}/s", "/opt//x/./y", "/dangle", "/plain"]))

    def often(self, right, wrong):
        """One of what builds, seldom one of what need not."""
        return self.rng.choice(wrong if self.rng.random() < 0.06 else right)

    def user(self):
        self.say("USER " + self.often(USERS + ["${U:-app}", "0", "1000:staff"] if self.shell else ["1000", "0:0"],
                                      ["nobody", ":50", "app:", "app:nogroup", "$A"]))

    def label(self):
        k = self.rng.choice(["k", "org.x.y", '"quoted key"'])
        self.say(self.rng.choice([f"LABEL {k}={self.word()}", f"LABEL {k}={self.word()} k2={self.word()}",
                                  f"LABEL {k if k[0] != QUOTE else 'k'} {self.value() or 'x'}", f"LABEL {k}={self.word()} {self.escape}\n  k3={self.word()}"]))

    def config(self):
        self.say(self.often([
            "EXPOSE 80", "EXPOSE 53/udp 8000-8003", "EXPOSE 80/TCP", "VOLUME /vol", 'VOLUME ["/v1", "/v 2"]', "VOLUME /a /b",
            "STOPSIGNAL SIGTERM", "STOPSIGNAL 9", "HEALTHCHECK NONE", "HEALTHCHECK --interval=5s --retries=3 CMD test -e /x",
            'HEALTHCHECK --timeout=1m30s --start-period=2s CMD ["a", "b"]', 'SHELL ["/bin/sh", "-ec"]', "CMD echo $A 'b'",
            'CMD ["a", "b c"]', "ENTRYPOINT exec x", 'ENTRYPOINT ["e"]', "CMD []", "ENTRYPOINT []", "MAINTAINER me <m@x>",
            "CMD [ not json ]", "HEALTHCHECK --start-interval=3s --start-period=1m CMD x", "HEALTHCHECK --retries=7 CMD x $A",
            'HEALTHCHECK --interval=0s CMD ["CMD-SHELL"]', 'SHELL ["sh", "-exc"]',
            "STOPSIGNAL RTMIN+3", "STOPSIGNAL sigkill", "EXPOSE ${P:-81-82}/tcp",
            "VOLUME $A/v", "VOLUME [\"${A:-/av}\", \"/w\"]", "VOLUME /w/", 'CMD ["$A", "\\"q\\""]',
            "CMD  two  blanks ", 'ENTRYPOINT [ "a" ,"b" ]', "ENTRYPOINT ['a']"],
            ["STOPSIGNAL $A", "STOPSIGNAL nosuch", "EXPOSE $A 90", "EXPOSE 70000", "EXPOSE 9000:90", "VOLUME [\"$A\", \"/w\"]", "CMD",
             "HEALTHCHECK", "ENTRYPOINT", "SHELL /bin/sh -c", "HEALTHCHECK --retries=0 CMD z", "HEALTHCHECK --interval=1ms CMD y",
             "HEALTHCHECK CMD", "SHELL []", "VOLUME", "LABEL", "LABEL x", 'ARG "Q=quoted $A"', 'LABEL "quoted key" x', "ENV A", "ENV =x", "WORKDIR", "USER", "STOPSIGNAL", "EXPOSE",
             "COPY a", "ADD", "RUN --mount=target= true", "RUN --nothing x", "COPY --chown a /b", "NOSUCH x", "ONBUILD FROM x",
             "ONBUILD ONBUILD RUN x", "ARG", "ARG =x", "FROM", "COPY --from=nosuch: a /b"]))

    def onbuild(self):
        self.say("ONBUILD " + self.rng.choice(["RUN echo $A", "COPY . /x", "ENV A=b", 'CMD ["x"]', "USER app", "ADD [ab] /onb/",
                                                 "WORKDIR /onb", "LABEL onb=$A", "ARG A=onb", "EXPOSE 99", "ENV A", "COPY <<E /onb/e\nx $A\nE"]))


def web(directory):
    """What the server of ADD has: WEB_FILES, and r.git with main, v1 and dev."""
    os.makedirs(directory)
    for name, data in WEB_FILES.items():
        for path, also in ((name, b""), (f"sum-{name}", b""), (f"undated-{name}", b"undated\n")):
            with open(f"{directory}/{path}", "wb") as f:
                f.write(data + also)
            os.utime(f"{directory}/{path}", (OLD, OLD))
    tree = Tree(random.Random(1), f"{directory}/work")
    git = ["git", "-C", tree.root, "-c", "user.name=n", "-c", "user.email=a@b.invalid"]
    steps = [["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"], ["tag", "v1"], ["checkout", "-qb", "dev"],
             ["add", "-A"], ["commit", "-qm", "second"], ["checkout", "-q", "main"], ["clone", "-q", "--bare", ".", "../r.git"]]
    for n, step in enumerate(steps):
        if n == 1:
            os.mkdir(f"{tree.root}/sub")
            tree.file("sub/x")
            tree.file("f")
        elif n == 5:
            os.mkdir(f"{tree.root}/d2")
            tree.file("d2/g")
            os.symlink("../f", f"{tree.root}/d2/link")
        subprocess.run(git + step, check=True, env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null"))


def write(seed, directory):
    rng = random.Random(seed)
    tree = Tree(rng, f"{directory}/ctx")
    tree.fill()
    if rng.random() < 0.25:
        with open(f"{directory}/ctx/.dockerignore", "w", encoding="utf-8", newline="") as f:
            f.write(ignore_file(rng))
    text = Maker(rng, tree).build()
    if rng.random() < 0.06:
        text = ("\ufeff" if rng.random() < 0.3 else "") + text.replace("\n", "\r\n")
    with open(f"{directory}/Dockerfile", "w", encoding="utf-8", newline="") as f:
        f.write(text)
    if rng.random() < 0.06:
        with open(f"{directory}/Dockerfile.dockerignore", "w", encoding="utf-8", newline="") as f:
            f.write(ignore_file(rng))
    tree.settle()
    args = []
    if re.search(r"(?i)(=|from +)more\b", text):
        more = Tree(rng, f"{directory}/more")
        more.fill(1)
        more.settle()
        args += ["--build-context", "more=more"]
    if "$WEB" in text or "${WEB}" in text:
        args += ["--build-arg", "WEB=@WEB@"]
    if "type=ssh" in text and rng.random() < 0.7:
        args += ["--ssh", "default=@AGENT@"]
    for k in "ABCD":
        if rng.random() < 0.15:
            args += ["--build-arg", f"{k}={rng.choice(['cli', 'v.1.2', ''])}"]
    if rng.random() < 0.1:
        args += ["--label", "cli=label"]
    if rng.random() < 0.5:
        args += ["--secret", "id=s1,src=secret"]
    with open(f"{directory}/secret", "w", encoding="utf-8") as f:
        f.write("the secret\n")
    if rng.random() < 0.1:
        args += ["--build-arg", "UNUSED=1"]
    if rng.random() < 0.08:
        args += ["--target", "s0"]
    if rng.random() < 0.05:
        args += ["--build-arg", "T=cache"]
    return args
