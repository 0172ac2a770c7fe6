#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The project on a Debian 12 with nothing installed, not even make:
#
#	tests/fresh-root.sh [DIRECTORY]
#
# Makes a minimal root in DIRECTORY (default: a temporary one, removed afterwards), clones the
# committed state of this project into it and enters it with a mount namespace and pivot_root, with
# its own /proc, /sys and /dev; there `sh examples/demo.sh` and `sh tests/check.sh` must pass.
# Then, in a plain chroot of the same root, bld must work or say why it cannot.
# ONLY=demo|check|chroot runs one part. Needs root, mmdebstrap (or debootstrap), git, network.
set -eu
REPO=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --inside ]; then
	# In a new mount namespace: make the root ours, then become it.
	root=$2
	mount --make-rprivate /
	mount --bind "$root" "$root"
	mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
	mount -t sysfs -o nosuid,nodev,noexec sysfs "$root/sys"
	if [ -d /sys/fs/cgroup ]; then
		mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup" 2>/dev/null || true
	fi
	mount -t tmpfs -o nosuid,mode=755,size=64m tmpfs "$root/dev"
	for d in null:1:3:666 zero:1:5:666 full:1:7:666 random:1:8:666 urandom:1:9:666 tty:5:0:666; do
		IFS=: read -r name major minor mode <<-EOF
			$d
		EOF
		mknod -m "$mode" "$root/dev/$name" c "$major" "$minor"
	done
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
	mount -t tmpfs -o nosuid,nodev tmpfs "$root/dev/shm"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s fd/0 "$root/dev/stdin"
	ln -s fd/1 "$root/dev/stdout"
	ln -s fd/2 "$root/dev/stderr"
	cd "$root"
	mkdir -p .old
	pivot_root . .old
	umount -l /.old
	cd /bld
	shift 2
	exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LANG=C.UTF-8 ${KILLS:+KILLS=$KILLS} "$@"
fi

given=${1:-}
root=${given:-$(mktemp -d)}
if [ ! -e "$root/etc/debian_version" ]; then
	echo "making a minimal Debian 12 in $root"
	mmdebstrap --quiet --variant=minbase bookworm "$root" ||
		debootstrap --variant=minbase bookworm "$root" >/dev/null
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
# What the host's apt was told about proxies and certificates, its root needs as well.
cp /etc/hosts "$root/etc/hosts"
rm -rf "$root/bld"
git clone -q "$REPO" "$root/bld"
if chroot "$root" sh -c 'command -v make gcc'; then
	echo "make or gcc is there already: this root is not fresh" >&2
fi

rc=0
part() { # NAME COMMAND...
	local name=$1
	shift
	[ "${ONLY:-$name}" = "$name" ] || return 0
	echo "== $name: $*"
	if unshare --mount --pid --fork --kill-child -- bash "$REPO/tests/fresh-root.sh" --inside "$root" "$@"; then
		echo "ok - fresh root: $name"
	else
		echo "not ok - fresh root: $name"
		rc=1
	fi
}
part demo sh examples/demo.sh
part check sh tests/check.sh

# A plain chroot: no namespaces of its own, no /proc.
if [ "${ONLY:-chroot}" = chroot ] && [ -x "$root/bld/build/bld" ]; then
	echo "== chroot"
	mkdir -p "$root/tmp/plain"
	printf 'FROM scratch\nCOPY f /f\n' >"$root/tmp/plain/Dockerfile"
	echo f >"$root/tmp/plain/f"
	if chroot "$root" /bld/build/bld --root /tmp/plain-store build -t x /tmp/plain >"$root/tmp/out" 2>&1; then
		echo "ok - chroot: a build without RUN works"
	elif [ -s "$root/tmp/out" ]; then
		echo "ok - chroot: it says why it cannot: $(tail -1 "$root/tmp/out")"
	else
		echo "not ok - chroot: no word"
		rc=1
	fi
	cp "$root/bin/busybox" "$root/tmp/plain/busybox" 2>/dev/null || cp /bin/busybox "$root/tmp/plain/busybox"
	printf 'FROM scratch\nCOPY busybox /bin/sh\nRUN echo it-runs > /x\n' >"$root/tmp/plain/Dockerfile"
	status=0
	chroot "$root" /bld/build/bld --root /tmp/plain-store build --progress=plain -t y /tmp/plain >"$root/tmp/out" 2>&1 || status=$?
	if [ $status = 0 ]; then
		echo "ok - chroot: RUN works"
	elif [ $status = 9 ] && [ -s "$root/tmp/out" ]; then
		echo "ok - chroot: RUN says why it cannot: $(tail -2 "$root/tmp/out" | tr '\n' ' ')"
	else
		echo "not ok - chroot: RUN ended with $status: $(tail -2 "$root/tmp/out")"
		rc=1
	fi
	rm -rf "$root/tmp/plain" "$root/tmp/plain-store"
fi
[ -n "$given" ] || rm -rf "$root"
exit $rc
