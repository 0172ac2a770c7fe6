#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Cached builds: what hits, and that a hit costs nothing. (What invalidates: conformance s20.)

load helpers

setup() {
	common_setup
	need_base
	mkdir -p ctx/src
	for i in 1 2 3; do echo "file $i" >ctx/src/$i; done
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		WORKDIR /w
		COPY src src
		RUN cat src/* > all && cat /proc/sys/kernel/random/uuid > stamp
		FROM localhost/base
		COPY --from=one /w/all /w/stamp /
		RUN test -s /all
		LABEL done=yes
	EOF
}

@test "the second build is all cached and mounts, clones and unpacks nothing" {
	build -t x --timestamp 5 ctx
	equal "$(cached_steps)" 0
	want=$(digest docker.io/library/x)
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=mount,umount2,unshare,setns,clone,clone3,fork,vfork,pivot_root,mkdir,mkdirat,mknodat,symlinkat,fsopen,fsmount,move_mount,open_tree,execve \
		"$BLD" build --progress=plain -t x --timestamp 5 ctx >out 2>&1
	log=$(cat out)
	[ "$(cached_steps)" -ge 5 ] || { cat out; false; }
	equal "$(digest docker.io/library/x)" "$want"
	# No mount and no namespace; no process (threads may be made: CLONE_THREAD), no tree written.
	hasnt "$(cat trace)" '(mount|umount2|unshare|setns|pivot_root|fsopen|fsmount|move_mount|open_tree|mknodat|symlinkat|fork|vfork)\('
	hasnt "$(grep -E 'clone3?\(' trace | grep -v CLONE_THREAD)" .
	equal "$(grep -c 'execve(' trace)" 1
	[ "$(grep -cE 'mkdir(at)?\(.*= 0' trace)" -le 4 ] || { grep mkdir trace; false; }
}

@test "a cached build from a base that only exists compressed unpacks nothing" {
	start_registry
	seed "$REG/base:1" gz
	printf 'FROM %s/base:1\nRUN echo 1 > /x\nCOPY src /src\n' "$REG" >ctx/Dockerfile
	build -t y ctx
	rm -rf "$BLD_ROOT"
	need_base
	build -t y ctx
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=mount,unshare,clone,clone3,fsopen,mkdirat "$BLD" build --progress=plain -t y ctx >out 2>&1
	grep -q CACHED out
	hasnt "$(cat trace)" '(mount|unshare|fsopen)\('
}

@test "no-cache runs all, and stores what it made" {
	build -t x ctx
	one=$(tree docker.io/library/x | grep stamp)
	build --no-cache -t x ctx
	equal "$(cached_steps)" 0
	two=$(tree docker.io/library/x | grep stamp)
	[ "$one" != "$two" ]
	build -t x ctx
	[ "$(cached_steps)" -ge 5 ]
	equal "$(tree docker.io/library/x | grep stamp)" "$two"
}

@test "the base counts by its layers and settings, not by its name or manifest" {
	printf 'FROM localhost/base\nRUN date +%%s%%N > /x\n' >ctx/Dockerfile
	build -t a ctx
	bld tag localhost/base localhost/other:name
	printf 'FROM localhost/other:name\nRUN date +%%s%%N > /x\n' >ctx/Dockerfile
	build -t b ctx
	equal "$(tree docker.io/library/a)" "$(tree docker.io/library/b)"
	# the same layers, compressed: another manifest digest, the same chain
	need_base gz
	printf 'FROM localhost/gz\nRUN date +%%s%%N > /x\n' >ctx/Dockerfile
	build -t c ctx
	equal "$(tree docker.io/library/a)" "$(tree docker.io/library/c)"
}

@test "one step, many builds at a time: it runs once" {
	printf 'FROM localhost/base\nRUN --mount=type=cache,target=/count sleep 1; echo x >> /count/runs\nRUN --mount=type=cache,target=/count wc -l < /count/runs > /n\n' >ctx/Dockerfile
	pids=()
	for i in 1 2 3 4; do
		"$BLD" build --progress=plain -t "single$i" ctx >out.$i 2>&1 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || { cat out.*; false; }; done
	check_tree docker.io/library/single1 <<<'/n content=1%0a'
	for i in 2 3 4; do equal "$(digest docker.io/library/single$i | wc -c)" 72; done
	equal "$(tree docker.io/library/single1)" "$(tree docker.io/library/single4)"
}

@test "the owner of a step dies: another one takes over" {
	printf 'FROM localhost/base\nRUN --mount=type=cache,target=/go echo begin-$((40+2)); until [ -e /go/go ]; do sleep 0.05; done; echo ok > /x\n' >ctx/Dockerfile
	"$BLD" build --progress=plain ctx >first.log 2>&1 3>&- &
	first=$!
	wait_text first.log 'begin-42'
	"$BLD" build --progress=plain -t second ctx >second.log 2>&1 3>&- &
	second=$!
	wait_text second.log 'waiting for another build that does the same step'
	kill -9 $first
	touch "$(echo "$BLD_ROOT"/bld/mounts/*)/go"
	wait $second || { cat second.log; false; }
	check_tree docker.io/library/second <<<'/x content=ok%0a'
}

@test "different builds on one store at the same time" {
	pids=()
	for i in 1 2 3 4 5 6; do
		mkdir -p c$i
		echo $i >c$i/f
		printf 'FROM localhost/base\nCOPY f /f\nRUN cat /f > /g\nRUN rm /f\n' >c$i/Dockerfile
		"$BLD" build -t "par$i" c$i >out.$i 2>&1 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || { cat out.*; false; }; done
	for i in 1 2 3 4 5 6; do check_tree "docker.io/library/par$i" <<<"/g content=$i%0a
! /f"; done
	ok bld verify
}
