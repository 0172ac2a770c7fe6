#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The stat index of a build context: what is read again and what is not, and that nobody can tell
# from the image.

load helpers

setup() {
	common_setup
	mkdir -p ctx/src/deep
	for i in $(seq 60); do echo "file $i" >"ctx/src/f$i"; done
	for i in $(seq 20); do echo "deep $i" >"ctx/src/deep/g$i"; done
	printf 'FROM scratch\nCOPY src /src\nCOPY src/f7 /\n' >ctx/Dockerfile
	settled ctx/Dockerfile
}

# opened PATTERN: how many files of the context the last traced build read
traced() {
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=openat,openat2 \
		"$BLD" build --progress=plain "$@" >out 2>&1 || { cat out; false; }
	log=$(cat out)
}
opened() { grep -v O_PATH trace | grep -cE "\"(src/|src/deep/)?$1\"" || true; }

@test "a cached build opens no file of the context" {
	build -t x --timestamp 5 ctx
	want=$(digest docker.io/library/x)
	equal "$(ls store/bld/index | wc -l)" 1
	traced -t x --timestamp 5 ctx
	equal "$(cached_steps)" 2
	equal "$(opened '[fg][0-9]+')" 0
	equal "$(digest docker.io/library/x)" "$want"
}

@test "one file is changed: one file is read, and written with the others" {
	build -t x --timestamp 5 ctx
	echo changed >ctx/src/f9
	settled ctx/src/f9
	traced -t x --timestamp 5 ctx
	equal "$(cached_steps)" 0
	[ "$(opened f9)" -ge 1 ]
	check_tree docker.io/library/x <<-'EOF'
		/src/f9 content=changed%0a
		/src/f10 content=file%2010%0a
	EOF
	one=$(digest docker.io/library/x)
	export BLD_ROOT=$T/other
	build -t x --timestamp 5 ctx
	equal "$(digest docker.io/library/x)" "$one"
	rm -rf "$T/other"
}

@test "touched: read again, still cached; edited with its time put back: not cached" {
	build -t x ctx
	touch ctx/src/f9
	settled ctx/src/f9
	build -t x ctx
	equal "$(cached_steps)" 2
	touch -r ctx/src/f9 mark
	printf 'FILE 9\n' >ctx/src/f9
	touch -r mark ctx/src/f9
	build -t x ctx
	equal "$(cached_steps)" 0
	check_tree docker.io/library/x <<-'EOF'
		/src/f9 content=FILE%209%0a
	EOF
}

@test "a file that is written and built at once is never taken for the old one" {
	for i in $(seq 15); do
		printf '%04d\n' "$i" >ctx/src/f9
		build -q -t x ctx
		equal "$(cached_steps)" 0
	done
	check_tree docker.io/library/x <<-'EOF'
		/src/f9 content=0015%0a
	EOF
}

@test "cold, known, without cache: one image" {
	build -t a --timestamp 5 ctx
	build -t b --timestamp 5 --no-cache ctx
	rm -rf store/bld/index
	build -t c --timestamp 5 --no-cache ctx
	build -t d --timestamp 5 ctx
	for i in b c d; do equal "$(digest "docker.io/library/$i")" "$(digest docker.io/library/a)"; done
}

@test "a damaged index is no index" {
	build -t x --timestamp 5 ctx
	want=$(digest docker.io/library/x)
	for f in store/bld/index/*; do
		printf 'garbage' | dd of="$f" bs=1 seek=300 conv=notrunc status=none
	done
	build -t x --timestamp 5 ctx
	equal "$(cached_steps)" 2
	for f in store/bld/index/*; do : >"$f"; done
	build -t x --timestamp 5 ctx
	equal "$(cached_steps)" 2
	equal "$(digest docker.io/library/x)" "$want"
}

@test "prune --all removes it, prune does not" {
	build -t x ctx
	ok bld prune
	equal "$(ls store/bld/index | wc -l)" 1
	ok bld prune --all
	equal "$(ls store/bld/index | wc -l)" 0
	build -t x ctx
}

@test "the same context for several steps and stages" {
	cat >ctx/Dockerfile <<-'EOF'
		FROM scratch AS one
		COPY src/deep /d
		COPY src /s
		FROM scratch
		COPY src /s
		COPY --from=one /d /d
	EOF
	build -t x --timestamp 5 ctx
	traced -t x --timestamp 5 ctx
	equal "$(cached_steps)" 4
	[ "$(grep -c '"src/deep".*O_DIRECTORY' trace)" -le 1 ] || { grep src/deep trace; false; }
	check_tree docker.io/library/x <<-'EOF'
		/d/g3 content=deep%203%0a
		/s/deep/g3 content=deep%203%0a
	EOF
}

@test "a file that cannot be read fails the step and leaves nothing" {
	mkfifo ctx/src/fifo
	build -t x ctx
	ln -s loop ctx/loop
	printf 'FROM scratch\nCOPY loop /\n' >ctx/Dockerfile
	fails 4 'loop' bld build -t y ctx
}
