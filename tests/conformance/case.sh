#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One conformance case: case.sh CASE-DIRECTORY WORK-DIRECTORY. Called by run.sh with its
# environment. Says nothing and ends with 0 when all is as expected.
#
# BLD_CONFORMANCE=judge: $BLD is another builder (tests/judges/as.sh). What it makes is held against
# the expectations; its messages and the numbers of its exit statuses are its own.
case=$1 dir=$2
name=$(basename "$case")
# shellcheck disable=SC2034
CTX=$dir/ctx
export CTX
umask 022
cd "$dir" || exit 2

fail() { echo "$*"; bad=1; }
bad=0

[ ! -d "$case/ctx" ] || cp -a "$case/ctx/." ctx/
if [ -e "$case/context.sh" ]; then
	(cd ctx && bash -e "$case/context.sh") || { echo "context.sh failed"; exit 1; }
fi
find ctx -exec touch -h -d @1650000000 {} + 2>/dev/null
[ ! -e "$case/Dockerfile" ] || cp "$case/Dockerfile" Dockerfile
[ ! -e "$case/Dockerfile.sh" ] || bash "$case/Dockerfile.sh" >Dockerfile
args=()
[ ! -e "$case/args" ] || eval "args=($(tr '\n' ' ' <"$case/args"))"
image=localhost/case-$name

bld() { "$BLD" --root "$dir/store" "$@"; }

# judge SOURCE CONFIG-FILE: the stated expectations
judge() {
	if [ -e "$case/expect-tree" ]; then
		python3 "$TOOLS/treedump.py" --check "$case/expect-tree" "$1" || fail "the tree is not as expected"
	fi
	if [ -e "$case/expect-config" ]; then
		while IFS= read -r e; do
			case $e in '' | '#'*) continue ;; esac
			jq -e "$e" "$2" >/dev/null || { fail "not so: $e"; jq -c .config "$2"; }
		done <"$case/expect-config"
	fi
}

# with buildah: image -> $dir/ref (OCI layout), $dir/ref.json (config)
reference() {
	local more=()
	[ ! -e "$case/buildah-args" ] || eval "more=($(tr '\n' ' ' <"$case/buildah-args"))"
	$REF bud --isolation chroot --layers=false --format docker --pull-never -q -t "$image" \
		-f "$dir/Dockerfile" "${args[@]}" "${more[@]}" ctx >ref.log 2>&1 || return
	$REF push -q --disable-compression "$image" "oci:$dir/ref:x" >>ref.log 2>&1 &&
		$REF inspect --type image "$image" | jq '.Docker | del(.config.Labels["io.buildah.version"])' >ref.json
}

if [ "${BLD_CONFORMANCE:-}" = buildah-only ]; then
	[ ! -e "$case/test.sh" ] || exit 0
	if [ -e "$case/expect-error" ]; then
		if reference; then fail "buildah: succeeds"; fi
	elif reference; then
		judge "oci:$dir/ref:x" ref.json
	else
		tail -5 ref.log
		bad=1
	fi
	exit $bad
fi

cp -a "$WORK/template" "$dir/store"

if [ -e "$case/test.sh" ]; then
	# A script of its own, for what needs several builds: functions b (build, output in $out) and
	# those above.
	b() {
		out=$(bld build --progress=plain -f "$dir/Dockerfile" -t "$image" "$@" ctx 2>&1) ||
			{ fail "build $* failed"; echo "$out" | tail -20; return 1; }
	}
	cached() { # cached N: so many steps of the last build were found in the cache
		local n
		n=$(grep -cE '\bCACHED\b' <<<"$out")
		[ "$n" = "$1" ] || { fail "$n steps cached, not $1"; echo "$out" | tail -20; }
	}
	digest() { python3 "$TOOLS/configdump.py" --digest "oci:$dir/store:$image:latest"; }
	config() { python3 "$TOOLS/configdump.py" "oci:$dir/store:$image:latest"; }
	tree() { python3 "$TOOLS/treedump.py" "$@" "oci:$dir/store:$image:latest"; }
	# Servers: start_web, start_git, make_repo.
	T=$dir
	# shellcheck disable=SC1091
	. "$REPO/tests/lib/servers.sh"
	trap stop_all EXIT
	# shellcheck disable=SC1091
	. "$case/test.sh"
	exit $bad
fi

bld build --progress=plain -f "$dir/Dockerfile" -t "$image" "${args[@]}" ctx >out 2>err
rc=$?

if [ "${BLD_CONFORMANCE:-}" = judge ] && [ -e "$case/expect-error" ]; then
	[ "$rc" != 0 ] || fail "it builds"
	exit $bad
fi
if [ -e "$case/expect-error" ]; then
	want=$(head -1 "$case/expect-error")
	[[ $rc =~ ^($want)$ ]] || fail "status $rc, not $want"
	while IFS= read -r e; do
		grep -qiE -- "$e" err || fail "no /$e/ in the message"
	done < <(tail -n +2 "$case/expect-error")
	! grep -qE 'Sanitizer|runtime error:' err || fail "a crash"
	if [ "$bad" = 1 ]; then tail -20 err; fi
	exit $bad
fi
if [ "$rc" != 0 ]; then
	echo "bld build: status $rc"
	tail -20 err
	exit 1
fi
src=oci:$dir/store:$image:latest
python3 "$TOOLS/configdump.py" "$src" >config.json || fail "the config cannot be read"
judge "$src" config.json

if [ ! -e "$case/differs" ] && [ "${BLD_CONFORMANCE:-}" != judge ]; then
	if ! reference; then
		fail "buildah could not build it:"
		tail -5 ref.log
	else
		skip=()
		if [ -e "$case/ignore" ]; then
			while IFS= read -r e; do
				case $e in '' | '#'*) ;; *) skip+=(--ignore "$e") ;; esac
			done <"$case/ignore"
		fi
		python3 "$TOOLS/treedump.py" --no-root "${skip[@]}" "$src" "oci:$dir/ref:x" ||
			fail "the trees differ: - bld, + buildah"
		norm() { python3 "$TOOLS/configdump.py" --norm "json:$1" | jq -S '.config.Env |= sort'; }
		norm config.json >a
		norm ref.json >b
		diff a b || fail "the configs differ: < bld, > buildah"
	fi
fi
exit $bad
