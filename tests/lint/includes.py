#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who calls a function includes the header that declares it: a header elsewhere may then lose an
include without breaking files that never named it. Types may come with the headers that use them,
and so may the values that are in most signatures (VALUES). What x.h includes, x.c has, and what a
kit of tests includes, its tests have.

Reads text, not C: calls are names before "(", outside comments and strings.
"""
import collections
import os
import re
import subprocess
import sys

LIBC = {
    "stdio.h": "fprintf printf snprintf vsnprintf asprintf vasprintf fopen fdopen fclose fflush fputs fputc puts "
               "putchar fwrite fread fgets getline perror rename renameat dprintf vfprintf open_memstream",
    "stdlib.h": "malloc calloc realloc free abort exit getenv secure_getenv strtol strtoul strtoll strtoull qsort "
                "bsearch mkdtemp mkstemp realpath setenv unsetenv",
    "string.h": "memcpy memmove memset memcmp memchr memrchr memmem mempcpy strlen strnlen strcmp strncmp strchr "
                "strrchr strchrnul strstr strspn strcspn strpbrk strdup strndup strerror strsignal explicit_bzero "
                "stpcpy strcoll strverscmp",
    "strings.h": "strcasecmp strncasecmp ffs",
    "ctype.h": "isalpha isdigit isalnum isspace isupper islower isxdigit isprint iscntrl ispunct toupper tolower",
    "unistd.h": "read write pread pwrite close lseek dup dup2 dup3 pipe pipe2 fork getpid getppid getuid geteuid "
                "getgid getegid isatty unlink unlinkat rmdir readlink readlinkat symlink symlinkat link linkat fsync "
                "fdatasync ftruncate access faccessat fchown fchownat lchown sysconf usleep sleep execve syscall "
                "gethostname chdir fchdir _exit copy_file_range setsid",
    "fcntl.h": "open openat fcntl fallocate posix_fadvise creat",
    "sys/stat.h": "fstat stat lstat fstatat mkdir mkdirat fchmod fchmodat mknodat mkfifoat utimensat futimens umask "
                  "chmod statx mkfifo mknod",
    "sys/mman.h": "mmap munmap mprotect madvise memfd_create",
    "sys/wait.h": "waitpid waitid",
    "sys/mount.h": "mount umount2",
    "sys/prctl.h": "prctl",
    "sys/socket.h": "socket socketpair bind listen accept accept4 connect sendmsg recvmsg send recv shutdown "
                    "setsockopt getsockopt getsockname",
    "poll.h": "poll ppoll",
    "signal.h": "sigaction sigemptyset sigaddset sigfillset pthread_sigmask kill raise sigprocmask sigismember",
    "time.h": "clock_gettime nanosleep time gmtime_r localtime_r strftime timegm mktime",
    "pthread.h": "pthread_create pthread_join pthread_mutex_lock pthread_mutex_unlock pthread_cond_wait "
                 "pthread_cond_signal pthread_cond_broadcast pthread_mutex_init pthread_cond_init pthread_self "
                 "pthread_cond_timedwait",
    "assert.h": "assert",
}
VALUES = {"store/base/" + h for h in ("err.h", "buf.h", "strlist.h", "sha256.h")} | {"parser/slice.h", "parser/arena.h"}
# What the layers (check-layers.sh) let most files reach only through a header that passes it on.
THROUGH = re.compile(r"^(builder/(stop|events|step)\.h|store/tree/node\.h|store/tar/(list|write|times)\.h)$")
KITS = re.compile(r"^tests/(unit|fuzz)/")
ROOTS = ("parser/", "store/", "builder/", "tests/unit/", "tests/support/", "tests/fuzz/", "tests/tools/", "tests/bench/")
STRIP = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")
# A declaration of a function in a header: starts a line, ends in ";" and has a name before "(".
DECLARED = re.compile(r"^(?!typedef|#|\s|static)[\w *]*?\b([a-z_]\w*)\([^;{]*\)[^;{]*;", re.M)

DEFINED = re.compile(r"^(?:[a-z_][\w *]*?[ *])([a-z_]\w*)\(", re.M)


def passed_on(header):
    return header in VALUES or THROUGH.match(header)


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"], capture_output=True, text=True,
                         check=True).stdout.split()
    return [f for f in out if f.startswith(ROOTS) and os.path.exists(f)]


def main():
    text = {f: open(f, encoding="utf-8").read() for f in tracked()}
    bare = {f: STRIP.sub(lambda m: " " if m[0][0] == "/" else '""', t) for f, t in text.items()}
    home = {name: h for h, names in LIBC.items() for name in names.split()}
    for f in text:
        if f.endswith(".h"):
            home.update((name, f) for name in DECLARED.findall(bare[f]))
    own = {f: set(DEFINED.findall(t)) for f, t in bare.items()}
    found = collections.defaultdict(dict)
    direct = {f: set(INCLUDE.findall(t)) for f, t in text.items()}
    for f in text:
        includes = set(direct[f])
        for h in direct[f]:
            if h == f[:-1] + "h" or KITS.match(h):
                includes |= direct.get(h, set())
        for name in CALL.findall(bare[f]):
            h = home.get(name)
            if h and h != f and h not in includes and name not in own[f] and not passed_on(h):
                found[f].setdefault(h, name)
    for f in sorted(found):
        for h, name in sorted(found[f].items()):
            print(f"includes: {f}: {name}() of {h}")
    return 1 if found else 0


sys.exit(main())
