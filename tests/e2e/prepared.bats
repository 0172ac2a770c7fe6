#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Directories that another user has prepared or can change: a store is refused, and of an output
# directory nothing gets a mode or an owner by its name.

load helpers

setup() {
	common_setup
	printf 'FROM scratch\nCOPY f /f\n' >ctx/Dockerfile
	echo f >ctx/f
}

refused() { fails 8 "$1" bld images && has "$stderr" '^help: a store that others'; }

@test "a store whose root or directories are another's, or that others can write to, is refused" {
	ok bld build -q -t a ctx
	for d in "" /bld /bld/dirs /bld/erofs /bld/cache /bld/forms /bld/tmp /bld/trash /bld/locks /bld/index /bld/logs /blobs /blobs/sha256; do
		mkdir -p "$T/store$d"
		chmod 700 "$T/store$d"
		ok bld images
		chown 65534 "$T/store$d"
		refused "store$d belongs to user 65534, not to 0"
		chown 0 "$T/store$d"
		for m in 702 720 777; do
			chmod $m "$T/store$d"
			refused "store$d can be written to by others \(mode 0$m\)"
		done
		chmod 700 "$T/store$d"
	done
	ok bld images
}

@test "a store that another user prepared from nothing is refused, a new one becomes private" {
	mkdir new && chmod 777 new
	ok bld --root "$T/new" images
	equal "$(stat -c %a new)" 700
	mkdir -p theirs/bld/cache && chown -R 65534 theirs
	fails 8 'theirs belongs to user 65534' bld --root "$T/theirs" images
	mkdir -p half/bld && chown 65534 half/bld
	fails 8 'half/bld belongs to user 65534' bld --root "$T/half" images
}

@test "the way to the store: parents that others can write to, and links of others" {
	mkdir -p open/way && chmod 777 open
	fails 8 'open, where the store is, can be written to by others \(mode 0777\)' bld --root "$T/open/way/store" images
	chmod 1777 open
	ok bld --root "$T/open/way/store" images
	ln -s "$T/open/way/store" open/link
	ok bld --root "$T/open/link" images
	chown -h 65534 open/link
	fails 8 'open/link is a link of user 65534|Permission denied' bld --root "$T/open/link" images
}

# credentials FILE: one login
credentials() {
	printf '{"auths":{"127.0.0.1:1":{"auth":"YTpi"}}}' >"$1"
	chmod 600 "$1"
}

@test "credentials: a file or a directory that others can write to is refused" {
	mkdir -p "$XDG_RUNTIME_DIR/containers"
	chmod 700 "$XDG_RUNTIME_DIR" "$XDG_RUNTIME_DIR/containers"
	a=$XDG_RUNTIME_DIR/containers/auth.json
	credentials "$a"
	for f in "$a" "$XDG_RUNTIME_DIR/containers"; do
		chmod o+w "$f"
		fails 6 "credentials: .*${f##*/} can be written to by others" bld logout 127.0.0.1:1
		has "$stderr" '^help: credentials that others can change'
		chmod o-w "$f"
	done
	# Further up only what is another's is no good.
	chmod 777 "$XDG_RUNTIME_DIR"
	chown 65534 "$XDG_RUNTIME_DIR/containers"
	fails 6 "containers is another user's" bld logout 127.0.0.1:1
	chown 0 "$XDG_RUNTIME_DIR/containers"
	ok bld logout 127.0.0.1:1
	credentials "$a"
	chmod 700 "$XDG_RUNTIME_DIR"
	chown 65534 "$XDG_RUNTIME_DIR/containers" "$a"
	ok bld logout 127.0.0.1:1
}

@test "credentials: in a directory with the sticky bit only our own or root's file counts" {
	mkdir sticky && chmod 1777 sticky
	credentials sticky/auth.json
	ok bld logout --authfile sticky/auth.json 127.0.0.1:1
	credentials sticky/auth.json
	chown 65534 sticky/auth.json
	fails 6 "auth.json is another user's" bld logout --authfile sticky/auth.json 127.0.0.1:1
}

@test "credentials: one that cannot be read is not one that is not there" {
	mkdir -p "$XDG_RUNTIME_DIR/containers/auth.json"
	fails 4 'credentials: .*auth.json: is a directory' bld logout 127.0.0.1:1
	rmdir "$XDG_RUNTIME_DIR/containers/auth.json"
	ln -s auth.json "$XDG_RUNTIME_DIR/containers/auth.json"
	fails 4 'credentials: .*auth.json: Too many levels' bld logout 127.0.0.1:1
}

@test "credentials: one that a user may not read is not one that is not there" {
	command -v setpriv >/dev/null || skip "machine: no setpriv"
	d=$(mktemp -d /tmp/bld-prepared.XXXXXX)
	chmod 755 "$d" && cp "$BLD" "$d/bld" && mkdir -p "$d/locked/containers"
	credentials "$d/locked/containers/auth.json"
	chmod 700 "$d/locked"
	run --separate-stderr env HOME=/nonexistent XDG_RUNTIME_DIR="$d/locked" \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$d/bld" logout 127.0.0.1:1
	rm -rf "$d"
	equal "$status" 4
	has "$stderr" 'credentials: .*auth.json: Permission denied'
	has "$stderr" '^help: it was looked for there because'
}

specials() {
	mkdir -p layer/d && for i in {1..150}; do mkfifo -m 644 "layer/d/p$i"; done
	tar --numeric-owner --owner=0 --group=0 -C layer -cf l.tar d
	python3 "$TOOLS/mkimage.py" oci fifos l.tar >/dev/null
	ok bld pull -q oci:oci:fifos
	printf 'FROM %s\n' "$(bld images -q | head -1)" >ctx/Dockerfile
}

# A user who may write to the destination puts links where bld has just made something.
@test "-o DIR as root: links that another user puts in between lead nowhere" {
	specials
	echo victim >victim && chmod 600 victim
	mkdir -m 777 out
	python3 - "$T/out/d" "$T/victim" <<'PY' &
import os, sys
d, victim = sys.argv[1:]
while os.getppid() != 1:
    try:
        for n in os.listdir(d):
            if n.startswith(".bld-tmp"):
                try:
                    os.unlink(f"{d}/{n}")
                    os.symlink(victim, f"{d}/{n}")
                except OSError:
                    pass
    except OSError:
        pass
    if os.path.exists(d + ".stop"):
        break
PY
	racer=$!
	for _ in {1..12}; do
		bld build -q -o out ctx >/dev/null 2>&1 || true
		[ "$(stat -c %a victim)" = 600 ] || break
		for _ in {1..100}; do # the other puts links into it meanwhile
			rm -rf out/d 2>/dev/null && break
		done
	done
	touch out/d.stop
	wait $racer
	equal "$(stat -c '%a %u' victim)" "600 0"
}

@test "-o DIR as root: device nodes only with devices=true" {
	mkdir layer && mknod layer/zero c 1 5 && mknod layer/disk b 7 200 && mkfifo layer/p
	tar --numeric-owner -C layer -cf l.tar zero disk p
	python3 "$TOOLS/mkimage.py" oci dev l.tar >/dev/null
	ok bld pull -q oci:oci:dev
	printf 'FROM %s\n' "$(bld images -q | head -1)" >ctx/Dockerfile
	ok bld build -o out ctx
	has "$stderr" '2 devices were left out: devices=true makes them'
	[ ! -e out/zero ] && [ ! -e out/disk ] && [ -p out/p ]
	ok bld build -o type=local,dest=with,devices=true ctx
	hasnt "$stderr" 'left out'
	[ -c with/zero ] && [ -b with/disk ] && [ -p with/p ]
	equal "$(find out with -name '.bld-*')" ""
	fails 2 'devices' bld build -o type=local,dest=x,devices=perhaps ctx
	fails 2 'has no "devices"' bld build -o type=tar,dest=x,devices=true ctx
}

@test "certificates and keys that others can change are not used" {
	mkdir -m 755 certs
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout certs/c.key -out certs/c.cert 2>/dev/null
	cp certs/c.cert certs/ca.crt
	chmod 600 certs/*
	fails 5 'Failed to connect' bld pull --cert-dir certs 127.0.0.1:1/x
	for f in certs certs/ca.crt certs/c.cert certs/c.key; do
		chmod o+w $f
		fails 6 "credentials: .*/$f can be written to by others" bld pull --cert-dir certs 127.0.0.1:1/x
		has "$stderr" '^help: credentials that others can change are not used: .*--cert-dir'
		chmod o-w $f
	done
	# with the sticky bit: only our own or root's
	chmod 1777 certs
	fails 5 'Failed to connect' bld pull --cert-dir certs 127.0.0.1:1/x
	chown 65534 certs/c.key
	fails 6 "c.key is another user's" bld pull --cert-dir certs 127.0.0.1:1/x
}
