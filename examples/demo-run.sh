#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo itself (`make demo`): makes a base image from Debian's static busybox with one
# Dockerfile, builds a second image on it, runs that one and prints its digest. Everything is
# kept in a temporary directory; nothing is left behind.
set -eu
cd "$(dirname "$0")/.."
bld=$(pwd)/${BUILD:-build}/bld
case ${BUILD:-build} in /*) bld=$BUILD/bld ;; esac
busybox=$(command -v busybox) || { echo "busybox is missing: install busybox-static" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BLD_ROOT="$work/store"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

mkdir -p "$work/base/rootfs/bin" "$work/base/rootfs/etc" "$work/base/rootfs/tmp" "$work/base/rootfs/root"
cp "$busybox" "$work/base/rootfs/bin/busybox"
for applet in sh ls cat echo mkdir sort wc uname id date; do
	ln -s busybox "$work/base/rootfs/bin/$applet"
done
chmod 1777 "$work/base/rootfs/tmp"
printf 'root:x:0:0:root:/root:/bin/sh\ndemo:x:1000:1000::/tmp:/bin/sh\n' >"$work/base/rootfs/etc/passwd"
printf 'root:x:0:\ndemo:x:1000:\n' >"$work/base/rootfs/etc/group"
cat >"$work/base/Dockerfile" <<'EOF'
FROM scratch
COPY rootfs/ /
ENV PATH=/bin
CMD ["sh"]
EOF

say "1. A base image FROM scratch, out of the static busybox of Debian"
cat "$work/base/Dockerfile"
"$bld" build -t localhost/demo-base "$work/base"

say "2. An image built on it"
cat examples/demo/Dockerfile
"$bld" build -t localhost/demo --iidfile "$work/iid" --metadata-file "$work/meta.json" examples/demo

say "3. The same again: every step comes from the cache"
"$bld" build -t localhost/demo examples/demo

say "4. Run it"
"$bld" run localhost/demo

say "5. What was made"
"$bld" images --digests
"$bld" history localhost/demo
echo
echo "config digest: $(cat "$work/iid")"
echo "manifest digest: $("$bld" images --digests | awk '$1 ~ /\/demo:/ { for (i = 2; i <= NF; i++) if ($i ~ /^sha256:/) { print $i; exit } }')"
