#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# RUN --mount between several builds, and where mounts meet.

load helpers

setup() {
	common_setup
	need_base
}

# counter SHARING: a Dockerfile that reads a number in the cache, waits, and writes the next one
counter() {
	printf 'FROM localhost/base\nARG N\nRUN --mount=type=cache,id=c,target=/c,sharing=%s n=$(cat /c/n 2>/dev/null || echo 0); : $N; sleep 0.4; echo $((n + 1)) > /c/n; ls /c > /names; cat /c/n > /got\n' "$1" >ctx/Dockerfile
}

# several N [OPTIONS]: so many builds at a time; what each got in out-N/got
several() {
	local i pids=()
	for ((i = 0; i < $1; i++)); do
		bld build --build-arg N=$i -o out-$i ctx >log-$i 2>&1 3>&- 4>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
}

@test "a locked cache: processes wait for each other" {
	counter locked
	several 3
	equal "$(cat out-*/got | sort | tr '\n' ' ')" '1 2 3 '
	grep -q 'waiting for a cache mount' log-*
}

@test "a private cache: each process has one of its own" {
	counter private
	several 3
	equal "$(cat out-*/got | tr '\n' ' ')" '1 1 1 '
}

@test "a shared cache: all are in it at the same time" {
	printf 'FROM localhost/base\nARG N\nRUN --mount=type=cache,id=m,target=/c touch /c/$N; for i in $(seq 100); do test -e /c/0 -a -e /c/1 && break; sleep 0.1; done; test -e /c/0 -a -e /c/1; ls /c > /got\n' >ctx/Dockerfile
	several 2
	equal "$(cat out-0/got out-1/got | tr '\n' ' ')" '0 1 0 1 '
}

@test "every kind at once, inside each other, and nothing stays" {
	mkdir ctx/d
	echo context >ctx/d/f
	printf 'small-secret' >secret
	dockerfile <<-'EOF'
		FROM localhost/base AS src
		RUN mkdir /s && echo stage > /s/f
		FROM localhost/base
		ARG base=/m
		RUN --mount=type=tmpfs,target=$base,size=1m --mount=type=bind,source=d,target=$base/ctx,rw \
			--mount=type=bind,from=src,source=/s,target=$base/src --mount=type=cache,target=$base/cache \
			--mount=type=secret,id=s,target=$base/secret --mount=type=bind,from=localhost/base,target=$base/image \
			cat $base/ctx/f $base/src/f > /got && echo changed > $base/ctx/f && touch $base/cache/x && \
			! touch $base/src/x 2> /dev/null && ! touch $base/image/x 2> /dev/null && wc -c < $base/secret >> /got
	EOF
	build --secret id=s,src=secret -o out ctx
	equal "$(tr '\n' ' ' <out/got)" 'context stage 12 '
	equal "$(cat ctx/d/f)" context
	[ ! -e out/m ]
	# the content of the bind is of the key, the secret is not
	echo other >secret
	build --secret id=s,src=secret ctx
	equal "$(cached_steps)" 2
	echo more >>ctx/d/f
	build --secret id=s,src=secret ctx
	equal "$(cached_steps)" 1
}

@test "options: mode and owner of a new cache, of a tmpfs, of a secret" {
	printf 'some-secret' >secret
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=cache,id=a,target=/c,uid=7,gid=8,mode=0700 --mount=type=secret,id=s,uid=9,gid=10,mode=0440 \
			stat -c '%u:%g %a' /c /run/secrets/s > /got; stat -c '%u:%g %a' /run/secrets >> /got
	EOF
	build --secret id=s,src=secret -o out ctx
	equal "$(tr '\n' ' ' <out/got)" '7:8 700 9:10 440 0:0 755 '
}
