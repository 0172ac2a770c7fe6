#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build the Dockerfiles below cases/ and hold the images against Debian's buildah, against stated
# expectations, or both:  run.sh [NAME-PREFIX...]     (see README.md for the files of a case)
#
# TAP on standard output. BLD_CONFORMANCE=buildah-only builds with buildah and holds its result
# against the expectations (to see whether an expectation is sensible; nothing of bld is run).
# KEEP=DIR keeps the work directories. JOBS cases run at a time.
here=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$here/../.." && pwd)
export REPO here
export BUILD=${BUILD:-$REPO/build}
case $BUILD in /*) ;; *) export BUILD=$REPO/$BUILD ;; esac
export BLD=${BLD:-$BUILD/bld} TOOLS=$REPO/tests/tools
unset SOURCE_DATE_EPOCH http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY
. "$REPO/tests/lib/images.sh"

if [ "${1:-}" = --differences ]; then
	for f in "$here"/cases/*/differs; do
		printf '%s: %s\n' "$(basename "$(dirname "$f")")" "$(tr '\n' ' ' <"$f")"
	done
	exit 0
fi

WORK=${KEEP:-$(mktemp -d)}
export WORK
mkdir -p "$WORK/home" "$WORK/cases"
export HOME=$WORK/home
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$WORK"
}
trap finish EXIT

REF="buildah --root $WORK/bs --runroot $WORK/br --storage-driver vfs"
export REF

prepare() {
	local layout n
	layout=$(base_layout) || return
	for n in base onbuild; do
		skopeo copy -q "oci:$layout:$n" "docker-archive:$WORK/$n.archive:localhost/$n:latest" &&
			skopeo copy -q "oci:$layout:$n" \
				"containers-storage:[vfs@$WORK/bs+$WORK/br]localhost/$n:latest" || return
		if [ "${BLD_CONFORMANCE:-}" != buildah-only ]; then
			"$BLD" --root "$WORK/template" load -i "$WORK/$n.archive" >/dev/null || return
		fi
	done
	python3 "$TOOLS/faultregistry.py" --layout "$layout" --port-file "$WORK/port" \
		--log "$WORK/requests" >/dev/null 2>&1 &
	server=$!
	for ((n = 0; n < 500; n++)); do
		[ ! -s "$WORK/port" ] || break
		sleep 0.02
	done
	URL=http://127.0.0.1:$(cat "$WORK/port")/file
	export URL
}

# one CASE: print its TAP line and what went wrong.
one() {
	local name=$1
	local case=$here/cases/$name dir=$WORK/cases/$name
	rm -rf "$dir"
	mkdir -p "$dir/ctx"
	if bash "$here/case.sh" "$case" "$dir" >"$dir/log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$dir/log" | tail -25
	fi
	[ -n "${KEEP:-}" ] || rm -rf "$dir"
}
export -f one

if [ "$(id -u)" != 0 ]; then
	echo "ok - conformance # skip needs root"
	exit 0
fi
if ! prepare >"$WORK/prepare.log" 2>&1; then
	echo "not ok - conformance: the base images could not be prepared"
	sed 's/^/# /' "$WORK/prepare.log"
	exit 1
fi
list() {
	local c p
	for c in "$here"/cases/*/; do
		c=$(basename "$c")
		[ $# -gt 0 ] || echo "$c"
		for p in "$@"; do
			case $c in "$p"*) echo "$c" ;; esac
		done
	done
}
list "$@" | xargs -P "${JOBS:-2}" -I@ bash -c 'one @' | tee "$WORK/all"
n=$(grep -cE '^(not )?ok ' "$WORK/all")
echo "1..$n"
! grep -q '^not ok' "$WORK/all" && [ "$n" -gt 0 ]
