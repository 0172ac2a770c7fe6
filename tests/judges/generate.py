# SPDX-License-Identifier: Apache-2.0
"""Random Dockerfiles over small random trees. The same seed gives the same directory.

    write(seed, directory): directory/Dockerfile, directory/ctx, -> arguments of the build

Everything is valid most of the time: what a source, a user or a variable may be is drawn from small
pools, so that instructions meet each other's files. What the judge cannot have is not drawn:
extended attributes (docker keeps none of the user's), xz (a program that its host need not have),
symbolic modes, --parents and --exclude (newer than its frontend), names from a network.
"""
import io
import os
import random
import tarfile

OLD = 1500000000  # times in contexts and archives lie within a year behind this
NAMES = ["a", "b", "c.txt", "d.o", "e f", ".hid", "ä", "lib", "src", "long-name-of-a-file.conf"]
DIRS = ["d1", "d2", "lib", "src", ".git", "x y"]
MODES = [0o644, 0o644, 0o600, 0o755, 0o4755, 0o2755, 0o777, 0o400, 0o000]
DIR_MODES = [0o755, 0o755, 0o700, 0o1777, 0o2775, 0o777]
OWNERS = [(0, 0), (0, 0), (1000, 1000), (12345, 54321), (1, 50)]
USERS = ["root", "app", "web", "1000", "1000:50", "app:audio", "0:0", "4321", "4321:1234", "app:77"]
PLACES = ["/", "/w/", "/w", "/opt/x/", "/opt/x/y", "rel/", "./", ".", "/tmp/", "/home/app/", "/var/lib/n",
          "/w/../z/", "/link/in/", "/etc/conf.d/", "../up/"]


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
            name = below + rng.choice(DIRS if kind == "dir" else NAMES)
            if kind == "archive":
                name += rng.choice([".tar", ".tar.gz", ".tgz", ".tar.bz2"])
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

    def hardlink(self, name, _depth=0):
        if self.files:
            os.link(self.path(self.rng.choice(self.files)), self.path(name))
            self.files.append(name)

    def fifo(self, name, _depth=0):
        os.mkfifo(self.path(name))

    def archive(self, name, _depth=0):
        with open(self.path(name), "wb") as f:
            f.write(archive(self.rng, name.rpartition(".")[2]))
        self.archives.append(name)

    def settle(self):
        """Times last: every entry gets its own."""
        for where, dirs, files in os.walk(self.root, topdown=False):
            for n in sorted(dirs + files):
                t = OLD + self.rng.randrange(31536000)
                os.utime(f"{where}/{n}", (t, t), follow_symlinks=False)


def archive(rng, suffix):
    mode = {"tar": "w", "gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2"}[suffix]
    out, seen = io.BytesIO(), []
    with tarfile.open(fileobj=out, mode=mode, format=rng.choice([tarfile.GNU_FORMAT,
                                                                 tarfile.PAX_FORMAT])) as tar:
        for _ in range(rng.randint(1, 7)):
            name = rng.choice(["", "", "./", "in/", "d1/", "in/deep/"]) + rng.choice(NAMES)
            m = tarfile.TarInfo(name)
            m.mtime = OLD + rng.randrange(31536000)
            m.uid, m.gid = rng.choice(OWNERS)
            m.mode = rng.choice(MODES)
            kind = rng.choices(["f", "d", "l", "h"], [6, 3, 2, 1])[0]
            plain = name[2:] if name.startswith("./") else name
            if plain in seen:
                continue
            data = b""
            if kind == "d":
                m.type, m.mode = tarfile.DIRTYPE, rng.choice(DIR_MODES)
            elif kind == "l":
                m.type, m.linkname = tarfile.SYMTYPE, rng.choice(["a", "nowhere", "/etc", "../a"])
            elif kind == "h" and seen:
                m.type, m.linkname = tarfile.LNKTYPE, rng.choice(seen)
            else:
                data = rng.choice([b"", b"in an archive\n", bytes(rng.randrange(3000))])
                m.size = len(data)
                seen.append(plain)
            tar.addfile(m, io.BytesIO(data))
    return out.getvalue()


def ignore_file(rng):
    rules = ["a", "*.o", "**/*.o", "d1", "d1/", "!d1/a", "lib/**", "!lib/a", "# comment", "", "**/.hid",
             "/src", "./b", "x?y", "[a-c]", "!**/c.txt", "**/d2", "src/*", "*", "!src", "d?/lib",
             "e f", "!*.tar", ".git", "../a", " b ", "lib/./a"]
    return "\n".join(rng.sample(rules, rng.randint(1, 5))) + "\n"


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

    def say(self, line):
        self.lines.append(line)

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

    def build(self):
        rng = self.rng
        if rng.random() < 0.3:
            self.say(rng.choice(["ARG BASE=localhost/base", "ARG BASE=localhost/base\nARG D=global"]))
        for n in range(rng.choices([1, 2, 3], [5, 3, 1])[0]):
            self.stage(n)
        return "\n".join(self.lines) + "\n"

    def stage(self, n):
        rng = self.rng
        named = any(line.startswith("ARG BASE") for line in self.lines)
        bases = ["localhost/base"] * 6 + (["$BASE", "${BASE}:latest"] if named else [])
        bases += [s for s, _ in self.stages] + (["scratch"] if n else [])
        base = rng.choice(bases)
        shell = dict(self.stages).get(base, base != "scratch")
        name = f"s{n}"
        self.say(f"FROM {base} AS {name}" if rng.random() < 0.9 or n == 0 else f"FROM {base} as {name}")
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
            kinds[self.run] = 7
            kinds[self.mount] = 3
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
            out += " --link"
        return out

    def sources(self, also=()):
        rng, t = self.rng, self.tree
        pool = t.files * 2 + t.dirs * 2 + t.links + list(also) + [".", "*.txt", "d*", "[ab]", "?", "*/a", "l*/"]
        picks = rng.sample(pool, min(len(pool), rng.choices([1, 2, 3], [6, 2, 1])[0]))
        return [("/" + p if rng.random() < 0.1 else p) for p in picks]

    def put(self, word, flags, sources):
        rng = self.rng
        to = rng.choice(PLACES)
        if len(sources) > 1 and not to.endswith("/"):
            to += "/"
        if any(" " in w for w in sources) or rng.random() < 0.15:
            inner = ", ".join('"' + w + '"' for w in sources + [to])
            self.say(f"{word}{flags} [{inner}]")
        else:
            self.say(f"{word}{flags} {' '.join(sources + [to])}")

    def copy(self):
        rng = self.rng
        if self.stages and rng.random() < 0.3:
            source = rng.choice(["/w", "/opt", "/etc/passwd", "/tmp", "/home/app", "/bin/sh", "/etc/", "w/*"])
            self.put("COPY", self.owner_flags() + " --from=" + rng.choice(self.stages)[0], [source])
            return
        if rng.random() < 0.1:
            self.put("COPY", self.owner_flags() + " --from=localhost/base",
                     [rng.choice(["/etc/passwd", "/home", "/bin/ls", "/etc"])])
            return
        self.put("COPY", self.owner_flags(), self.sources())

    def add(self):
        t = self.tree
        if t.archives and self.rng.random() < 0.6:
            self.put("ADD", self.owner_flags(), [self.rng.choice(t.archives)])
        else:
            self.put("ADD", self.owner_flags(), self.sources(t.archives))

    def heredoc(self):
        rng = self.rng
        mark = rng.choice(["EOF", "'EOF'", '"X"'])
        end = mark.strip("'\"")
        dash = rng.choice(["", "-"])
        body = "\n".join(rng.sample(["line $A", "\ttabbed ${B:-x}", "  blank", "", "\\$A", "# no comment", "a \\"], 3))
        if self.shell and rng.random() < 0.5:
            self.say(f"RUN <<{dash}{mark}\necho \"$A\" > /here{self.number()}\n\tid -u >> /tmp/ids\n{end}")
        else:
            self.say(f"COPY{self.owner_flags()} <<{dash}{mark} /here/f{self.number()}\n{body}\n{end}")

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
            f"ls -la /dev | awk '{{print $1,$3,$4,$NF}}' | grep -vE ' (core|shm|console|mqueue|fd|\\.|\\.\\.)$' > /tmp/dev{n}; true",
            f"stat -c '%n %a %u %g' /dev/shm /tmp /proc/self/fd/1 > /tmp/st{n} 2>/dev/null; true",
            f"df -k /dev/shm | tail -1 | awk '{{print $2}}' > /tmp/shm{n}"])
        form = rng.random()
        if form < 0.15:
            inner = ", ".join('"' + w.replace("\\", "\\\\").replace('"', '\\"') + '"'
                              for w in ("sh", "-c", command))
            self.say(f"RUN [{inner}]")
        elif form < 0.3:
            self.say("RUN " + command.replace(" && ", " && \\\n  # in between\n  "))
        else:
            self.say("RUN " + command)

    def mount(self):
        rng, n = self.rng, self.number()
        t = self.tree
        look = f"{{ find /m -type f -o -type l | sort; stat -c '%a %u %g' /m; }} > /tmp/m{n} 2>&1; true"
        kinds = ["type=tmpfs,target=/m", f"type=cache,target=/m,id=c{rng.getrandbits(40)}",
                 f"type=cache,target=/m,id=c{rng.getrandbits(40)},uid=1000,gid=50,mode=0711",
                 f"type=cache,dst=/m,id=c{rng.getrandbits(40)},sharing=private", "type=bind,target=/m",
                 "target=/m,rw", "type=bind,source=.,destination=/m,readonly", "type=bind,from=localhost/base,source=/etc,target=/m",
                 "type=secret,id=none,target=/m/secret", "type=tmpfs,target=/m,size=1m"]
        if t.dirs:
            kinds.append("type=bind,target=/m,source=" + rng.choice([d for d in t.dirs if " " not in d] or ["."]))
        if self.stages:
            kinds.append(f"type=bind,from={rng.choice(self.stages)[0]},target=/m")
            kinds.append(f"type=cache,target=/m,from={rng.choice(self.stages)[0]},source=/etc,id=c{rng.getrandbits(40)}")
        mounts = [rng.choice(kinds)]
        if rng.random() < 0.2:
            mounts.append(f"type=tmpfs,target=/m/inner{n}" if "type=tmpfs" in mounts[0] else "type=tmpfs,target=/m2")
        flags = " ".join(f"--mount={m}" for m in mounts)
        if rng.random() < 0.2:
            flags += rng.choice([" --network=none", " --network=default"])
        self.say(f"RUN {flags} {rng.choice([look, 'echo x > /m/new 2>/dev/null; ' + look])}")

    # --- everything else --------------------------------------------------------------------

    def env(self):
        k = self.rng.choice("ABCD")
        self.say(self.rng.choice([f"ENV {k}={self.word()}", f"ENV {k} {self.value() or 'x'}",
                                  f"ENV {k}={self.word()} E={self.word()}", "ENV PATH=$PATH:/w/bin"]))

    def arg(self):
        k = self.rng.choice("ABCD")
        self.say(self.rng.choice([f"ARG {k}", f"ARG {k}={self.word()}", f"ARG {k}={self.word()} F=1", "ARG D"]))

    def workdir(self):
        self.say("WORKDIR " + self.rng.choice(["/w", "/opt/x", "rel", "deep/er", "/", "..", "/w/../z", "$A/x", "/tmp",
                                               "/home/app", '/with "quotes"', "/link/sub", "/ä"]))

    def user(self):
        self.say("USER " + self.rng.choice(USERS if self.shell else ["1000", "0:0"]))

    def label(self):
        k = self.rng.choice(["k", "org.x.y", '"quoted key"'])
        self.say(self.rng.choice([f"LABEL {k}={self.word()}", f"LABEL {k}={self.word()} k2={self.word()}"]))

    def config(self):
        self.say(self.rng.choice([
            "EXPOSE 80", "EXPOSE 53/udp 8000-8003", "EXPOSE 80/TCP", "VOLUME /vol", 'VOLUME ["/v1", "/v 2"]', "VOLUME /a /b",
            "STOPSIGNAL SIGTERM", "STOPSIGNAL 9", "HEALTHCHECK NONE", "HEALTHCHECK --interval=5s --retries=3 CMD test -e /x",
            'HEALTHCHECK --timeout=1m30s --start-period=2s CMD ["a", "b"]', 'SHELL ["/bin/sh", "-ec"]', "CMD echo $A 'b'",
            'CMD ["a", "b c"]', "ENTRYPOINT exec x", 'ENTRYPOINT ["e"]', "CMD []", "ENTRYPOINT []", "MAINTAINER me <m@x>",
            "CMD [ not json ]"]))

    def onbuild(self):
        self.say("ONBUILD " + self.rng.choice(["RUN echo $A", "COPY . /x", "ENV A=b", 'CMD ["x"]', "USER app"]))


def write(seed, directory):
    rng = random.Random(seed)
    tree = Tree(rng, f"{directory}/ctx")
    tree.fill()
    if rng.random() < 0.35:
        with open(f"{directory}/ctx/.dockerignore", "w", encoding="utf-8") as f:
            f.write(ignore_file(rng))
    text = Maker(rng, tree).build()
    with open(f"{directory}/Dockerfile", "w", encoding="utf-8") as f:
        f.write(text)
    tree.settle()
    args = []
    for k in "ABCD":
        if rng.random() < 0.15:
            args += ["--build-arg", f"{k}={rng.choice(['cli', 'v.1.2', ''])}"]
    if rng.random() < 0.1:
        args += ["--label", "cli=label"]
    return args
