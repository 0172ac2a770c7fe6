#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Flags of COPY: what hits the cache, what is read again, and that the image does not tell. (What
# they select: conformance s12 and s24, tests/unit/copy_flags_test.c.)

load helpers

setup() {
	common_setup
	mkdir -p ctx/src/deep ctx/src/out
	for i in $(seq 40); do echo "file $i" >"ctx/src/f$i"; done
	for i in $(seq 20); do echo "deep $i" >"ctx/src/deep/g$i"; done
	echo o >ctx/src/out/o
	settled ctx/src/out/o
}

opened() { grep -v O_PATH trace | grep -cE "\"([a-z]+/)*$1\"" || true; }

@test "--exclude: an excluded file may change, others may not" {
	printf 'FROM scratch\nCOPY --exclude=out --exclude=**/g1 src /src\n' >ctx/Dockerfile
	build -t x ctx
	echo changed >ctx/src/out/o
	echo changed >ctx/src/deep/g1
	rm -r ctx/src/out
	build -t x ctx
	equal "$(cached_steps)" 1
	echo changed >ctx/src/deep/g2
	build -t x ctx
	equal "$(cached_steps)" 0
	sed -i 's/g1/g3/' ctx/Dockerfile
	build -t x ctx
	equal "$(cached_steps)" 0
}

@test "--exclude, --parents: what was read is in the index" {
	cat >ctx/Dockerfile <<-'EOF'
		FROM scratch
		COPY --exclude=out src /src
		COPY --parents src/f* /p/
	EOF
	build -t x ctx
	equal "$(ls store/bld/index | wc -l)" 1
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=openat,openat2 \
		"$BLD" build --progress=plain -t x ctx >out 2>&1
	log=$(cat out)
	equal "$(cached_steps)" 2
	equal "$(opened '[fg][0-9]+')" 0
}

@test "--parents: what is beside the path may change; the directories on it may not" {
	printf 'FROM scratch\nCOPY --parents src/deep/g1 src/./deep/*2 /d/\n' >ctx/Dockerfile
	build -t x --timestamp 5 ctx
	one=$(digest docker.io/library/x)
	echo changed >ctx/src/f1
	touch ctx/src/deep ctx/src
	build -t x --timestamp 5 ctx
	equal "$(cached_steps)" 1
	equal "$(digest docker.io/library/x)" "$one"
	chmod 700 ctx/src/deep
	build -t x --timestamp 5 ctx
	equal "$(cached_steps)" 0
	check_tree docker.io/library/x <<-'EOF'
		= /d deep src
		= /d/src deep
		= /d/src/deep g1
		= /d/deep g12 g2
		/d/src/deep mode=0700
	EOF
}

@test "--link: a changed image below is a hit, and what follows is not" {
	need_base
	cat >ctx/Dockerfile <<-'EOF'
		FROM localhost/base
		ARG v
		RUN echo $v > /v
		WORKDIR /w
		COPY --link src/f1 ./
		RUN cat /v /w/f1 > /all
	EOF
	build -t x --build-arg v=1 ctx
	build -t x --build-arg v=2 ctx
	equal "$(cached_steps)" 1
	check_tree docker.io/library/x <<-'EOF'
		/all content=2%0afile%201%0a
	EOF
	build -t x --build-arg v=2 ctx
	equal "$(cached_steps)" 4
	sed -i 's/--link //' ctx/Dockerfile
	build -t x --build-arg v=2 ctx
	equal "$(cached_steps)" 2
}

@test "--link: the same layer under another base" {
	printf 'FROM scratch\nCOPY src/f2 /\nCOPY --link --chown=3:4 src /q/src/\n' >ctx/Dockerfile
	build -t x --timestamp 5 ctx
	printf 'FROM scratch\nCOPY src/f3 /\nCOPY --link --chown=3:4 src /q/src/\n' >ctx/Dockerfile
	build -t y --timestamp 5 ctx
	equal "$(cached_steps)" 1
	equal "$(manifest y | jq -r .layers[-1].digest)" "$(manifest x | jq -r .layers[-1].digest)"
}

@test "--keep-ownership: an owner is part of the key, without the flag it is not" {
	printf 'FROM scratch\nCOPY --keep-ownership src/deep /a\nCOPY src/out /b\n' >ctx/Dockerfile
	build -t x ctx
	chown 7:8 ctx/src/out/o
	build -t x ctx
	equal "$(cached_steps)" 2
	chown 7:8 ctx/src/deep/g3
	build -t x ctx
	equal "$(cached_steps)" 0
	check_tree docker.io/library/x <<-'EOF'
		/a/g3 own=7:8
		/a/g4 own=0:0
		/b/o own=0:0
	EOF
}

@test "--chmod: the mode a file has counts for a symbolic mode" {
	printf 'FROM scratch\nCOPY --chmod=go-w,+X src /s\n' >ctx/Dockerfile
	build -t x ctx
	chmod 755 ctx/src/f1
	build -t x ctx
	equal "$(cached_steps)" 0
	sed -i 's/go-w,+X/u+s/' ctx/Dockerfile
	build -t x ctx
	equal "$(cached_steps)" 0
	check_tree docker.io/library/x <<-'EOF'
		/s/f1 mode=4755
		/s/f2 mode=4644
		/s mode=0755
	EOF
}

@test "the flags from a stage, an image and a named context give the same files" {
	cat >ctx/Dockerfile <<-'EOF'
		FROM scratch AS a
		COPY . /
		FROM scratch AS b
		COPY --from=a --parents --exclude=**/g1 --chmod=u+x /src/./deep /src/f1 /x/
		FROM scratch AS c
		COPY --from=named --parents --exclude=**/g1 --chmod=u+x /src/./deep /src/f1 /x/
		FROM scratch AS d
		COPY --parents --exclude=**/g1 --chmod=u+x /src/./deep /src/f1 /x/
	EOF
	for t in b c d; do
		build -t "$t" --timestamp 5 --target $t --build-context "named=ctx" ctx
		tree "docker.io/library/$t" | sed 's/ mtime=[0-9]*//' >$t.tree
	done
	cmp b.tree c.tree
	cmp c.tree d.tree
	grep -q '/x/deep/g2 ' b.tree
	hasnt "$(cat b.tree)" g1' '
}

@test "the same image for any number of jobs" {
	cat >ctx/Dockerfile <<-'EOF'
		FROM scratch AS a
		COPY --exclude=out src /a
		FROM scratch AS b
		COPY src /b
		FROM scratch AS c
		COPY --parents --exclude=**/g* src /c
		FROM scratch
		COPY --from=a / /
		COPY --from=b / /
		COPY --link --from=c / /
	EOF
	build -t x --timestamp 5 --jobs 1 ctx
	one=$(digest docker.io/library/x)
	for i in 1 2 3; do
		export BLD_ROOT=$T/root$i
		build -t x --timestamp 5 --jobs 4 ctx
		equal "$(digest docker.io/library/x)" "$one"
	done
}

@test "WORKDIR --chown is part of the key" {
	printf 'FROM scratch\nWORKDIR --chown=1:2 /w/x\n' >ctx/Dockerfile
	build -t x ctx
	sed -i 's/1:2/1/' ctx/Dockerfile
	build -t x ctx
	equal "$(cached_steps)" 0
	check_tree docker.io/library/x <<-'EOF'
		/w/x own=1:1
	EOF
}
