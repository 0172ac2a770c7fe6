#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The store: verify finds every damage, prune and rmi remove what they should and nothing else.

load helpers

setup() {
	common_setup
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN head -c 200000 /dev/urandom > /r && mkdir /d && echo x > /d/x
		COPY f /f
		RUN cat /f > /g
	EOF
	echo f >ctx/f
	build -t img ctx
}

@test "a good store verifies, twice" {
	ok bld verify
	ok bld verify
}

@test "verify finds a changed byte in every blob" {
	while IFS= read -r blob; do
		cp -a "$blob" keep
		damage "$blob"
		fails 10 "$(basename "$blob" | cut -c1-12)" bld verify
		cp -a keep "$blob"
	done < <(find "$BLD_ROOT/blobs" -type f)
	ok bld verify
}

@test "verify finds a missing blob, a short one, a bad index" {
	blob=$BLD_ROOT/blobs/sha256/$(manifest docker.io/library/img | jq -r '.layers[-1].digest' | cut -d: -f2)
	mv "$blob" keep
	fails 10 "$(basename "$blob" | cut -c1-12)" bld verify
	cp -a keep "$blob"
	truncate -s -1 "$blob"
	fails 10 . bld verify
	cp -a keep "$blob"
	ok bld verify
}

@test "verify finds a changed directory form" {
	dir=$(find "$BLD_ROOT/bld/dirs" -name g -o -name r | head -1)
	[ -n "$dir" ]
	echo tampered >>"$dir"
	fails 10 . bld verify
}

@test "verify --repair drops what is wrong; the next build makes it again" {
	want=$(tree docker.io/library/img | grep -v ' /r ')
	blob=$BLD_ROOT/blobs/sha256/$(manifest docker.io/library/img | jq -r '.layers[-1].digest' | cut -d: -f2)
	damage "$blob"
	run bld verify --repair
	build -t img ctx
	ok bld verify
	check_tree docker.io/library/img <<<'/g content=f%0a'
}

@test "rmi removes a name, prune what nothing needs" {
	build -t other ctx
	before=$(du -s "$BLD_ROOT/blobs" | cut -f1)
	ok bld rmi other
	holds docker.io/library/img '.rootfs.diff_ids | length == 4'
	ok bld run img cat /g
	ok bld rmi img
	ok bld prune --all
	after=$(du -s "$BLD_ROOT/blobs" | cut -f1)
	[ "$after" -lt "$before" ] || { echo "$before -> $after"; false; }
	ok bld verify
	ok bld run localhost/base true
	build -t img ctx
	ok bld run img cat /g
	equal "$output" f
}

@test "prune keeps what images need" {
	ok bld prune
	ok bld prune --all
	ok bld verify
	ok bld run img cat /g
	equal "$output" f
	build -t img ctx
}

@test "prune while a build runs" {
	printf 'FROM localhost/base\nRUN --mount=type=cache,target=/go echo begin-$((40+2)); until [ -e /go/go ]; do sleep 0.05; done; echo ok > /x\nRUN cat /x > /y\n' >ctx/Dockerfile
	"$BLD" build --progress=plain -t slow ctx >slow.log 2>&1 3>&- &
	p=$!
	wait_text slow.log 'begin-42'
	run timeout 60 "$BLD" prune --all
	touch "$(echo "$BLD_ROOT"/bld/mounts/*)/go"
	wait $p || { cat slow.log; false; }
	check_tree docker.io/library/slow <<<'/y content=ok%0a'
	ok bld verify
}

@test "an unclean boot: what was not synced is looked at again" {
	# Another boot id in the records is what a crash of the machine leaves.
	blob=$BLD_ROOT/blobs/sha256/$(manifest docker.io/library/img | jq -r '.layers[-1].digest' | cut -d: -f2)
	if getfattr -n user.bld.boot "$blob" 2>/dev/null | grep -q .; then
		find "$BLD_ROOT/blobs" "$BLD_ROOT/bld/cache" -type f -exec setfattr -n user.bld.boot -v 00000000-0000-0000-0000-000000000000 {} + 2>/dev/null || true
		damage "$blob"
		build -t img ctx
		ok bld verify
		check_tree docker.io/library/img <<<'/g content=f%0a'
	fi
}

@test "--sync builds the same" {
	build --sync --timestamp 5 -t a ctx
	build --timestamp 5 -t b ctx
	equal "$(digest docker.io/library/a)" "$(digest docker.io/library/b)"
}

@test "two stores do not know each other; the store moves" {
	ok bld --root "$T/fresh" images
	hasnt "$output" img
	mv "$BLD_ROOT" "$T/moved"
	ok bld --root "$T/moved" run img cat /g
	BLD_ROOT=$T/moved build -t img ctx
	[ "$(cached_steps)" -ge 2 ]
	ok bld --root "$T/moved" verify
	rm -rf moved fresh
}

@test "a store on an overlay: RUN says which volume to mount, and bld info says so before" {
	unshare -m true 2>/dev/null || skip "no mount namespace"
	need_base
	cp "$(echo "$CACHE"/base-*.archive | cut -d' ' -f1)" base.tar
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	mkdir place
	cat >inside <<-'EOF'
		set -e
		mount --make-rprivate /
		mount -t tmpfs none "$1"
		mkdir "$1/lower" "$1/upper" "$1/work" "$1/on"
		mount -t overlay none -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/on"
		export BLD_ROOT=$1/on/store
		"$2" load -i base.tar
		"$2" info
		"$2" build --progress=plain ctx && exit 9
		"$2" run localhost/base true && exit 9
		# what it says to do helps
		mkdir -p "$BLD_ROOT"
		mount -t tmpfs none "$BLD_ROOT"
		"$2" load -i base.tar
		"$2" build -q ctx && "$2" info && echo HELPED
	EOF
	run unshare -m bash inside "$T/place" "$BLD"
	equal "$status" 0 "$output"
	root=$T/place/on/store
	has "$output" "^RUN: no \\(the store lies on an overlay, .*; mount a volume at $root, or name one with --root\\)$"
	equal "$(grep -cE "help: the store lies on an overlay, .*: mount a volume at $root" <<<"$output")" 2
	has "$output" '^RUN: the file system of the store serves$'
	has "$output" '^HELPED$'
}
