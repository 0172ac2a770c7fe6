# SPDX-License-Identifier: Apache-2.0
"""Random Dockerfiles over small random trees. The same seed gives the same directory.

    write(seed, directory): directory/Dockerfile, directory/ctx, -> arguments of the build

Everything is valid most of the time: what a source, a user or a variable may be is drawn from small
pools, so that instructions meet each other's files. What the judge cannot have is not drawn:
extended attributes (docker keeps none of the user's), xz (a program that its host need not have),
symbolic modes, --parents, --exclude, RUN --security and ADD --unpack (newer than its frontend, or
of its labs), names from a network (so ADD --checksum as well), --link onto what is there (with
graph drivers it makes an ordinary copy of it, so the place is a new one and owners are numbers),
letters behind a backslash in an ignore file (it takes them for those of Go's regular expressions).
Hard links in archives carry the attributes of the file they name, as every writer of archives has
it, and no name stands there twice but for directories (docker gives a file the time of the
directory that was there before).
"""
import io
import os
import random
import re
import tarfile

OLD = 1500000000  # times in contexts and archives lie within a year behind this
NAMES = ["a", "b", "c.txt", "d.o", "e f", ".hid", "ä", "lib", "src", "long-name-of-a-file.conf"]
DIRS = ["d1", "d2", "lib", "src", ".git", "x y"]
MODES = [0o644, 0o644, 0o600, 0o755, 0o4755, 0o2755, 0o777, 0o400, 0o000]
DIR_MODES = [0o755, 0o755, 0o700, 0o1777, 0o2775, 0o777]
OWNERS = [(0, 0), (0, 0), (1000, 1000), (12345, 54321), (1, 50)]
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
        infos, taken = {}, {}
        if rng.random() < 0.2:
            m = tarfile.TarInfo("./")
            m.type, m.mode, m.mtime = tarfile.DIRTYPE, rng.choice(DIR_MODES), OLD + rng.randrange(31536000)
            m.uid, m.gid = rng.choice(OWNERS)
            tar.addfile(m)
        for _ in range(rng.randint(1, 7)):
            name = rng.choice(["", "", "./", "in/", "d1/", "in/deep/"]) + rng.choice(NAMES)
            m = tarfile.TarInfo(name)
            m.mtime = OLD + rng.randrange(31536000)
            m.uid, m.gid = rng.choice(OWNERS)
            m.mode = rng.choice(MODES)
            kind = rng.choices(["f", "d", "l", "h"], [6, 3, 2, 1])[0]
            plain = name[2:] if name.startswith("./") else name
            if plain in taken and (kind, taken[plain]) != ("d", "d"):
                continue
            taken[plain] = kind
            data = b""
            if kind == "d":
                m.type, m.mode = tarfile.DIRTYPE, rng.choice(DIR_MODES)
            elif kind == "l":
                m.type, m.linkname = tarfile.SYMTYPE, rng.choice(["a", "nowhere", "/etc", "../a"])
            elif kind == "h" and seen:
                m.type, m.linkname = tarfile.LNKTYPE, rng.choice(seen)
                first = infos[m.linkname]
                m.mode, m.uid, m.gid, m.mtime = first.mode, first.uid, first.gid, first.mtime
            else:
                data = rng.choice([b"", b"in an archive\n", bytes(rng.randrange(3000))])
                m.size = len(data)
                seen.append(plain)
                infos[plain] = m
            tar.addfile(m, io.BytesIO(data))
    return out.getvalue()


def ignore_file(rng):
    rules = ["a", "*.o", "**/*.o", "d1", "d1/", "!d1/a", "lib/**", "!lib/a", "# comment", "", "**/.hid",
             "/src", "./b", "x?y", "[a-c]", "!**/c.txt", "**/d2", "src/*", "*", "!src", "d?/lib",
             "e f", "!*.tar", ".git", "../a", " b ", "lib/./a", "**", "!**/a", "**/src/**", "!src/**/a", "[!a]", "[^a-c]*",
             "d\\.o", "lib/*/", "/", ".", "!.", "**/", "a/**/b", "d1/../lib", "*/*", "!*/*/a", "x y/*", "! a", "ä", "?"]
    end = rng.choice(["\n", "\n", "\r\n", ""])
    return rng.choice(["", "", "", "\ufeff"]) + end.join(rng.sample(rules, rng.randint(1, 5))) + end if end else rng.choice(rules)


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
        bases += [s for s, _ in self.stages] + (["scratch"] if n else [])
        base = rng.choice(bases)
        shell = dict(self.stages).get(base, base != "scratch")
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
        pool = t.files * 2 + t.dirs * 2 + t.links + list(also) + [".", "*.txt", "d*", "[ab]", "?", "*/a", "l*/"]
        picks = rng.sample(pool, min(len(pool), rng.choices([1, 2, 3], [6, 2, 1])[0]))
        return [("/" + p if rng.random() < 0.1 else p) for p in picks]

    def put(self, word, flags, sources, to=None):
        rng = self.rng
        to = f"/linked{self.number()}/" if "--link" in flags else to or rng.choice(PLACES)
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
            source = rng.choice(["/w", "/opt", "/etc/passwd", "/tmp", "/home/app", "/bin/sh", "/etc/", "w/*", "/lnk", "/link",
                                 "/etc/p*", "/*/passwd", ".", "/dev", "/proc"]
                                + (["/tgt/", "/dangle", "/plain"] if rng.random() < 0.1 else []))
            stage = rng.randrange(len(self.stages))
            stage = rng.choice([self.stages[stage][0], self.stages[stage][0].upper(), str(stage)])
            self.put("COPY", self.owner_flags() + " --from=" + stage, [source])
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

    def then_copy(self):
        """COPY or ADD onto what a RUN has put there: a file, a directory, links."""
        rng, t = self.rng, self.tree
        self.say("RUN " + rng.choice(["mkdir -p /tgt/sub /w && ln -sfn /tgt /lnk && ln -sfn /tgt/new /dangle && echo p > /plain",
                                      "mkdir -p /w/d1 /w/lib /opt/x; echo o > /w/a; ln -s /etc /w/src; echo o > /opt/x/b; chmod 700 /w/d1",
                                      "mkdir -p /w && ln -s a /w/b; ln /etc/group /w/c.txt; mkdir /w/d2; chown 7:8 /w/d2",
                                      "mkdir -p /opt/x /etc/conf.d; ln -s /etc/conf.d /opt/x/d1; ln -s ../../bin /opt/x/lib"]))
        for _ in range(rng.randint(1, 2)):
            picks = [rng.choice(t.files + t.dirs + t.links + t.archives + ["."])]
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
            f"ls -la /dev | awk '{{print $1,$3,$4,$NF}}' | grep -vE ' (core|shm|console|mqueue|fd|\\.|\\.\\.)$' > /tmp/dev{n}; true",
            f"stat -c '%n %a %u %g' /dev/shm /tmp /proc/self/fd/1 > /tmp/st{n} 2>/dev/null; true",
            f"df -k /dev/shm | tail -1 | awk '{{print $2}}' > /tmp/shm{n}",
            "rm -rf /home/app && mkdir -p /home/app/new", "rm -rf /w; ln -s /opt /w", "mv /etc/conf.d /etc/conf2; mkdir -p /etc/conf.d",
            "cp -a /etc /etc2; rm -f /etc2/hosts /etc2/hostname /etc2/resolv.conf", "echo x:x:77:88:::/bin/sh >> /etc/passwd",
            "mkdir -p /vol /a && echo v > /vol/x && echo v > /a/x", f"hostname > /tmp/hn{n}; ulimit -n >> /tmp/hn{n}",
            f"echo $HOME $PATH $USER $0 $# > /tmp/h{n}; wc -c < /dev/stdin >> /tmp/h{n}", f"mknod /tmp/n{n} c 1 3; chmod 600 /tmp/n{n}",
            f"echo to > /dev/stdout; echo x | tee /dev/stderr > /tmp/tee{n}", f"touch /tmp/.wh{n}; mkdir -p /tmp/d{n}; rmdir /tmp/d{n}",
            "chmod 1777 /opt; chown 5:6 /opt; touch -d @1500000000 /opt", "touch -h -d @1500000000 /lnk /link 2>/dev/null; true",
            "rm -f /etc/group; mkdir /etc/group", "find / -xdev -name passwd | sort > /tmp/found; true"])
        if rng.random() < 0.02:
            command = rng.choice(["exit 3", "nosuch-command", "kill -9 $$"])
        form = rng.random()
        if form < 0.15:
            inner = ", ".join('"' + w.replace("\\", "\\\\").replace('"', '\\"') + '"'
                              for w in ("sh", "-c", command))
            self.say(f"RUN [{inner}]")
        elif form < 0.3:
            self.say("RUN " + command.replace(" && ", f" && {self.escape}\n  # in between\n  "))
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
                 "type=secret,id=none,target=/m/secret", "type=tmpfs,target=/m,size=1m", "type=secret,id=s1",
                 "type=secret,id=s1,target=/m/sec,mode=0444,uid=12", "type=secret,id=s1,gid=50",
                 "type=bind,from=localhost/base,target=/m,readwrite=true", "type=bind,target=rel,ro=false", "type=cache,target=/home/app",
                 "type=bind,from=localhost/base,source=/etc/passwd,target=/m/pw", "type=tmpfs,target=/opt",
                 "type=bind,source=/,target=/w/mnt", "type=cache,target=m,readonly", "type=TMPFS,target=/m", "type=${T:-cache},target=/m",
                 "target=/m,source=../", "type=ssh,target=/m/agent"]
        if rng.random() < 0.06:
            kinds = ["type=nothing,target=/m", "type=$T,target=/m", "type=bind,source=$A,target=/m", "type=bind,source=nowhere,target=/m",
                     "type=secret,id=none,required", "type=secret,id=s1,required=true", "type=cache", "type=bind,from=nosuch:,target=/m",
                     "type=tmpfs,target=/", "type=cache,target=/m,mode=9", "target=/m,colour=red", "type=bind,target=/m,rw=perhaps",
                     "type=ssh,required", "type=tmpfs,target=/m,size=many"]
        kinds += ["type=bind,target=/m,source=" + f for f in rng.sample(t.files + t.links, min(2, len(t.files))) if " " not in f]
        if t.dirs:
            kinds.append("type=bind,target=/m,source=" + rng.choice([d for d in t.dirs if " " not in d] or ["."]))
        if self.stages:
            kinds.append(f"type=bind,from={rng.choice(self.stages)[0]},target=/m")
            kinds.append(f"type=cache,target=/m,from={rng.choice(self.stages)[0]},source=/etc,id=c{rng.getrandbits(40)}")
        mounts = [rng.choice(kinds)]
        if rng.random() < 0.2:
            mounts.append(f"type=tmpfs,target=/m/inner{n}" if "type=tmpfs" in mounts[0] else
                          rng.choice(["type=tmpfs,target=/m2", "type=tmpfs,target=/m2/deep/er",
                                      f"type=cache,target=/m2/c,id=c{rng.getrandbits(40)}", "type=bind,target=/m2,from=localhost/base"]))
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
                                  "ARG http_proxy", "ARG BASE", f"ARG {k}=", 'ARG "Q=quoted $A"', "ARG T=tmpfs"]))

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
                                  f"LABEL {k} {self.value() or 'x'}", f"LABEL {k}={self.word()} {self.escape}\n  k3={self.word()}"]))

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
             "HEALTHCHECK CMD", "SHELL []", "VOLUME", "LABEL", "LABEL x", "ENV A", "ENV =x", "WORKDIR", "USER", "STOPSIGNAL", "EXPOSE",
             "COPY a", "ADD", "RUN --mount=target= true", "RUN --nothing x", "COPY --chown a /b", "NOSUCH x", "ONBUILD FROM x",
             "ONBUILD ONBUILD RUN x", "ARG", "ARG =x", "FROM", "COPY --chmod=9 . /q", "ADD --chmod=77777 . /q", "COPY --from=nosuch: a /b"]))

    def onbuild(self):
        self.say("ONBUILD " + self.rng.choice(["RUN echo $A", "COPY . /x", "ENV A=b", 'CMD ["x"]', "USER app", "ADD [ab] /onb/",
                                                 "WORKDIR /onb", "LABEL onb=$A", "ARG A=onb", "EXPOSE 99", "ENV A", "COPY <<E /onb/e\nx $A\nE"]))


def write(seed, directory):
    rng = random.Random(seed)
    tree = Tree(rng, f"{directory}/ctx")
    tree.fill()
    if rng.random() < 0.25:
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
