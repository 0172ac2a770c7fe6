#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A call that fails once says nothing of the object it was for: only what is not there, or has the
# wrong content, may be taken for dead. tests/inject tries every call; these are the cases that once
# lost something.

load helpers

setup() {
	common_setup
	echo a >ctx/a
	printf 'FROM scratch\nCOPY a /a\n' >ctx/Dockerfile
	build -q -t app:1 ctx
	printf 'FROM scratch\nCOPY a /b\n' >ctx/Dockerfile
	build -q -t app:2 ctx
	ok bld manifest create both:1 app:1
	bld images --digests >before
}

# inject CALL N ERROR COMMAND...: the status, and whether it came so far
inject() {
	local call=$1 n=$2 error=$3
	shift 3
	run --separate-stderr "$BUILD/tools/inject" -c "$call" -n "$n" -e "$error" -o told -- "$@"
}

# all_calls CALL ERROR COMMAND...: each of its calls in turn; after each one all images are there.
all_calls() {
	local call=$1 error=$2 n
	shift 2
	for ((n = 1;; n++)); do
		inject "$call" $n "$error" "$@"
		[ -s told ] || break
		bld images --digests | cmp - before || { echo "after $call $n ($(cat told)): $status $stderr"; return 1; }
		bld verify >said || { echo "after $call $n ($(cat told)): $(cat said)"; return 1; }
		[ "$status" = 0 ] || continue
		[ -z "${complete:-}" ] || $complete || { echo "status 0 after $call $n ($(cat told))"; return 1; }
	done
	[ "$n" -gt "${least:-2}" ]
}

@test "prune: a read error while marking ends it, and no image is lost" {
	least=20
	all_calls openat EIO "$BLD" prune
	all_calls openat EMFILE "$BLD" prune
	least=4
	all_calls pread64 EIO "$BLD" prune
	all_calls getdents64 EIO "$BLD" prune
}

@test "prune and verify --repair with few descriptors keep every layer directory" {
	need_base
	for i in 1 2 3 4; do echo "RUN echo $i >/f$i"; done | cat <(echo FROM localhost/base) - >ctx/Dockerfile
	BLD_LAYER_FORM=directory ok bld build -q -t dirs:1 ctx
	ls "$BLD_ROOT/bld/dirs" "$BLD_ROOT/blobs/sha256" >dirs
	[ "$(ls "$BLD_ROOT/bld/dirs" | wc -l)" -ge 4 ]
	for n in 6 8 10 12 13 14 15 16 17 18 20; do
		for command in "verify --repair" "prune"; do
			# shellcheck disable=SC2086
			run --separate-stderr bash -c 'ulimit -n '$n'; exec "$@"' - "$BLD" $command
			ls "$BLD_ROOT/bld/dirs" "$BLD_ROOT/blobs/sha256" | cmp - dirs
		done
	done
	ok bld verify
}

@test "verify --repair: a file of a layer directory that cannot be read is not one that differs" {
	local n
	need_base
	printf 'FROM localhost/base\nRUN echo 1 >/f1; echo 2 >/f2\n' >ctx/Dockerfile
	BLD_LAYER_FORM=directory ok bld build -q -t dirs:1 ctx
	ls "$BLD_ROOT/bld/dirs" >dirs
	for ((n = 1; ; n++)); do
		inject pread64 "$n" EIO "$BLD" verify --repair
		[ -s told ] || break
		ls "$BLD_ROOT/bld/dirs" | cmp - dirs || { echo "after $n ($(cat told)): $status $output $stderr"; return 1; }
	done
	[ "$n" -gt 20 ]
	# one that is short differs
	d=$(echo "$BLD_ROOT"/bld/dirs/*/upper/f1)
	: >"$d"
	run --separate-stderr "$BLD" verify
	equal "$status" 10
	has "$output" 'layer directory .*f1: '
}

@test "COPY: a file that a bad disk does not give is not one that changed" {
	local n
	truncate -s 2M ctx/a
	printf 'FROM scratch\nCOPY a /a\n' >ctx/Dockerfile
	for ((n = 1; ; n++)); do
		inject pread64 "$n" EIO "$BLD" build -q --no-cache -t new:1 ctx
		[ -s told ] || break
		hasnt "$stderr" 'changed while it was read'
	done
	[ "$n" -gt 5 ]
}

@test "images, rmi, save: an index is an index also when its document is not readable at once" {
	shows_all() { [ "$output" = "$(cat before)" ]; }
	complete=shows_all least=20
	all_calls openat EMFILE "$BLD" images --digests
	complete=
	ok bld save -q --format oci-dir -o whole both:1
	for n in {1..60}; do
		rm -rf got
		inject openat "$n" EIO "$BLD" save -q --format oci-dir -o got both:1
		[ "$status" != 0 ] || diff -r whole got
	done
}

@test "the boot id that cannot be read is no other boot" {
	inject openat 1 ENFILE "$BLD" prune
	has "$(cat told)" boot_id
	equal "$status" 8
	has "$stderr" 'boot id.*Too many open files in system'
}

@test "a directory of the store that cannot be opened says why" {
	for n in {2..40}; do
		inject openat "$n" EMFILE "$BLD" prune
		hasnt "$stderr" 'Bad file descriptor'
	done
}

# kinds: how many layers the store has in each form
kinds() { echo "$(ls "$BLD_ROOT/bld/dirs" | wc -l) $(ls "$BLD_ROOT/bld/erofs" | wc -l)"; }

@test "RUN: no descriptor while the kernel is looked at is no kernel that lacks something" {
	need_base
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	cp -a "$BLD_ROOT" clean
	ok bld build -q -t run:1 ctx
	wanted=$(kinds)
	for n in {1..12}; do
		rm -rf "$BLD_ROOT" && cp -a clean "$BLD_ROOT"
		inject fsopen "$n" EMFILE "$BLD" build -q -t run:1 ctx
		if [ "$status" = 0 ]; then equal "fsopen $n: $(kinds)" "fsopen $n: $wanted"; fi
	done
}

@test "RUN: capabilities that could not be looked at are an error" {
	need_base
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	inject prctl 5 ENOMEM "$BLD" build -q --no-cache -t run:1 ctx
	[ -s told ] && [ "$status" != 0 ]
	has "$stderr" 'own capabilities: Cannot allocate memory'
}

@test "verify: findings that standard output does not take are an error beside them" {
	echo torn >"$BLD_ROOT/blobs/sha256/$(ls "$BLD_ROOT/blobs/sha256" | head -1)"
	fails 10 'problem' bld verify
	fails 8 'standard output: No space left' bash -c "'$BLD' verify >/dev/full"
	fails 4 'no image nothing' bash -c "'$BLD' inspect nothing:1 >/dev/full"
}

@test "no memory is an error with words" {
	for n in {1..8}; do
		inject mmap "$n" ENOMEM "$BLD" verify
		[ "$status" = 0 ] || { [ "$status" -lt 128 ] && has "$stderr" '^error: .*emory'; }
	done
}
