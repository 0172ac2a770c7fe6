#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# RUN --mount between several builds, and where mounts meet.

load helpers

setup() {
	common_setup
	need_base
}

# counter SHARING WAIT: a Dockerfile that reads a number in the cache, waits, and writes the next one
counter() {
	printf 'FROM localhost/base\nARG N\nRUN --mount=type=cache,id=meet,target=/meet --mount=type=cache,id=c,target=/c,sharing=%s n=$(cat /c/n 2>/dev/null || echo 0); touch /meet/$N; %s; echo $((n + 1)) > /c/n; ls /c > /names; cat /c/n > /got\n' "$1" "$2" >ctx/Dockerfile
}

# several N [OPTIONS]: so many builds at a time; what each got in out-N/got
several() {
	local i pids=()
	for ((i = 0; i < $1; i++)); do
		"$BLD" build --build-arg N=$i -o out-$i ctx >log-$i 2>&1 3>&- 4>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
}

@test "a locked cache: processes wait for each other" {
	counter locked 'i=0; until [ -e /meet/go ] || [ $((i += 1)) -gt 1200 ]; do sleep 0.05; done'
	several 3 3>&- 4>&- &
	all=$!
	waiting() { [ "$(cat log-* | grep -c 'waiting for a cache mount')" = 2 ]; }
	eventually waiting
	inside() { one=$(echo "$BLD_ROOT"/bld/mounts/*/[012]) && [ -e "$one" ]; }
	eventually inside
	touch "$(dirname "$one")/go"
	wait $all
	equal "$(cat out-*/got | sort | tr '\n' ' ')" '1 2 3 '
}

@test "a private cache: each process has one of its own" {
	counter private 'i=0; until [ "$(ls /meet | wc -l)" = 3 ] || [ $((i += 1)) -gt 1200 ]; do sleep 0.05; done'
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

# got: the file /got of the last build, one line
got() { tr '\n' ' ' <out/got; }

@test "a mount without a target is the working directory" {
	mkdir ctx/d
	echo context >ctx/d/f
	dockerfile <<-'EOF'
		FROM localhost/base
		WORKDIR /w
		RUN --mount=type=bind,source=d cat f /w/f > /got
		RUN --mount=source=d,rw echo x > /w/new && ls >> /got
		RUN --mount=type=cache,id=c echo kept > k
		RUN --mount=type=cache,id=c,target=/other cat /other/k >> /got
		RUN --mount=type=tmpfs echo x > /w/t && ls >> /got
		RUN --mount=type=tmpfs,target=$NOTHING grep -c ' /w ' /proc/self/mountinfo >> /got
		RUN ls -A /w >> /got
		WORKDIR deep/er
		RUN --mount=type=tmpfs grep -c ' /w/deep/er ' /proc/self/mountinfo >> /got
	EOF
	build -o out ctx
	equal "$(got)" 'context context f new kept t 1 1 '
}

@test "a cache without a target and an id has the working directory as its id" {
	dockerfile <<-'EOF'
		FROM localhost/base
		WORKDIR /w
		RUN --mount=type=cache echo kept > k
		WORKDIR /v
		RUN --mount=type=cache ls -A > /got
		RUN --mount=type=cache,target=/w cat /w/k >> /got
	EOF
	build -o out ctx
	equal "$(got)" 'kept '
}

@test "a mount without a target where the working directory is / is a mistake" {
	local type
	for type in bind cache tmpfs; do
		printf 'FROM localhost/base\nRUN --mount=type=%s true\n' "$type" >ctx/Dockerfile
		fails 3 "Dockerfile:2:5: error: a $type mount without a target is the working directory, and that is /" bld build ctx
		has "$stderr" 'add target=PATH'
	done
	printf 'FROM localhost/base\nWORKDIR /x/..\nRUN --mount=type=tmpfs true\n' >ctx/Dockerfile
	fails 3 'and that is /' bld build ctx
}

@test "a tmpfs is 1777, wherever it lies" {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN mkdir -p -m 0750 /private && mkdir -p -m 1777 /tmp
		RUN --mount=type=tmpfs,target=/tmp --mount=type=tmpfs,target=/new/deep --mount=type=tmpfs,target=/private \
			stat -c '%a %u:%g' /tmp /new/deep /private > /got
		USER app
		RUN --mount=type=tmpfs,target=/t echo x > /t/f && stat -c '%u:%g' /t/f
	EOF
	build -o out ctx
	equal "$(got)" '1777 0:0 1777 0:0 1777 0:0 '
}

@test "a tmpfs has the mode of tmpfs-mode" {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=tmpfs,target=/m,tmpfs-mode=0710 --mount=type=tmpfs,target=/z,tmpfs-mode=0 stat -c '%a %u:%g' /m /z > /got
	EOF
	build -o out ctx
	equal "$(got)" '710 0:0 0 0:0 '
}

@test "mounts lie in each other whatever the order they are written in" {
	mkdir ctx/d
	echo context >ctx/d/f
	printf 'some-secret' >secret
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=cache,target=/m/c/d,id=deep --mount=type=secret,id=s,target=/m/c/s \
			--mount=type=tmpfs,target=/m/c --mount=type=bind,target=/m,source=d,rw \
			cat /m/f > /got && echo x > /m/c/d/kept && wc -c < /m/c/s >> /got && \
			grep -c ' /m' /proc/self/mountinfo >> /got
		RUN --mount=type=cache,target=/k,id=deep ls /k >> /got
		RUN --mount=type=tmpfs,target=/same --mount=type=cache,target=/same,id=deep ls /same >> /got
		RUN --mount=type=cache,target=/same,id=deep --mount=type=tmpfs,target=/same/ ls /same >> /got
		RUN --mount=type=cache,target=/a-b,id=deep --mount=type=tmpfs,target=/a/b --mount=type=tmpfs,target=/a ls /a-b >> /got; ls /a >> /got
	EOF
	build --secret id=s,src=secret -o out ctx
	equal "$(got)" 'context 11 4 kept kept kept b '
}

@test "a cache with a first content is what its source is: owner, mode, time" {
	mkdir -p -m 0751 ctx/d
	dockerfile <<-'EOF'
		FROM localhost/base AS seed
		RUN mkdir -p /seed /empty && touch /seed/x && chown 7:8 /seed && chmod 2750 /seed && chmod 0700 /empty && \
			ln -s seed /link && touch -d '1970-01-01 00:16:40' /seed
		FROM localhost/base
		RUN --mount=type=cache,target=/c,from=seed,source=/seed stat -c '%a %u:%g %Y' /c > /got; ls /c >> /got
		RUN --mount=type=cache,target=/c,from=seed,source=/link stat -c '%a %u:%g' /c >> /got
		RUN --mount=type=cache,target=/c,from=seed,source=/seed,mode=0711,uid=9 stat -c '%a %u:%g' /c >> /got
		RUN --mount=type=cache,target=/c,from=seed,source=/empty stat -c '%a %u:%g' /c >> /got
		RUN --mount=type=cache,target=/c,from=here,source=/d stat -c '%a %u:%g' /c >> /got
		RUN --mount=type=cache,target=/c,from=seed,source=/seed touch /c/y && chmod 0700 /c
		RUN --mount=type=cache,target=/c,from=seed,source=/seed stat -c '%a' /c >> /got
	EOF
	build --build-context here=ctx -o out ctx
	equal "$(got)" '2750 7:8 1000 x 2750 7:8 2750 7:8 700 0:0 751 0:0 700 '
}

@test "options of buildah: what means nothing is taken, what means something is done" {
	echo context >ctx/f
	dockerfile <<-'EOF'
		FROM localhost/base
		ARG T=tmpfs
		RUN --mount=type=bind,target=/b,z,Z,relabel=private,bind-propagation=rslave,consistency=cached,nosuid,nodev cat /b/f > /got
		RUN --mount=type=cache,target=/b,z,sharing=LOCKED,id=x touch /b/x
		RUN --mount=type=tmpfs,target=/b,tmpfs-size=1m,nosuid,nodev sh -c 'head -c 2000000 /dev/zero > /b/x || true; wc -c < /b/x' >> /got 2>/dev/null
		RUN --mount=type=$T,target=/b,tmpfs-mode=0701 stat -c %a /b >> /got
		RUN --mount=type=${U:-cache},target=/b,id=x,noexec ls /b >> /got; grep -c ' /b .*noexec' /proc/self/mountinfo >> /got
		RUN --mount=type=tmpfs,target=/b,noexec printf '#!/bin/sh\necho ran\n' > /b/p; chmod 755 /b/p; /b/p >> /got 2>/dev/null || echo not >> /got
		RUN --mount=type=bind,target=/b,noexec grep -c ' /b .*noexec' /proc/self/mountinfo >> /got
		RUN --mount=type=bind,target=/b grep -c ' /b .*noexec' /proc/self/mountinfo >> /got || true
	EOF
	build -o out ctx
	equal "$(got)" 'context 1048576 701 x 1 not 1 0 '
}

@test "a type that is a variable: what it turns out to be has to fit" {
	printf 'FROM localhost/base\nARG T=bogus\nRUN --mount=type=$T,target=/x true\n' >ctx/Dockerfile
	fails 3 'Dockerfile:3:18: error: unknown mount type "bogus"' bld build ctx
	fails 3 'unknown mount type ""' bld build --build-arg T= ctx
	build --build-arg T=TMPFS ctx
	printf 'FROM localhost/base\nARG T\nRUN --mount=type=$T,target=/x,sharing=locked true\n' >ctx/Dockerfile
	build --build-arg T=cache ctx
	fails 3 'Dockerfile:3:5: error: a tmpfs mount has no option "sharing"' bld build --build-arg T=tmpfs ctx
}

@test "U: what a cache or a tmpfs holds becomes the user's; links are not followed" {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN echo 'other:x:7:8::/:/bin/sh' >> /etc/passwd && touch /file
		RUN --mount=type=cache,target=/c,id=u mkdir -p /c/d/e && touch /c/d/e/f && ln -s /file /c/link && ln -s / /c/root
		USER other
		RUN --mount=type=cache,target=/c,id=u,U touch /c/new /c/d/e/f && stat -c '%u:%g' /c /c/d /c/d/e/f /c/link /file > /c/got
		RUN --mount=type=tmpfs,target=/t,U,tmpfs-mode=0700 --mount=type=cache,target=/c,id=u stat -c '%u:%g' /t >> /c/got && touch /t/x
		USER 0
		RUN --mount=type=cache,target=/c,id=u cp /c/got /got; stat -c '%u:%g' /c >> /got
		RUN --mount=type=cache,target=/c,id=u,U stat -c '%u:%g' /c/d /c/new >> /got
	EOF
	build -o out ctx
	equal "$(got)" '7:8 7:8 7:8 7:8 0:0 7:8 7:8 0:0 0:0 '
	printf 'FROM localhost/base\nRUN --mount=type=bind,target=/x,U true\n' >ctx/Dockerfile
	fails 3 'U is not supported: the files of a bind mount' bld build ctx
}

@test "RUN with nothing behind it gives the shell an empty command" {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN
		RUN --mount=type=tmpfs,target=/t
		CMD
	EOF
	build -t localhost/empty ctx
	holds localhost/empty '.config.Cmd == ["/bin/sh", "-c", ""]' '.history[-2].created_by | startswith("RUN /bin/sh -c ")'
	build -t localhost/empty ctx
	equal "$(cached_steps)" 2
	printf 'FROM localhost/base\nSHELL ["/bin/false"]\nRUN\n' >ctx/Dockerfile
	fails 1 'exit status 1|false' bld build ctx
	printf 'FROM localhost/base\nRUN []\n' >ctx/Dockerfile
	fails 3 'RUN needs a command' bld build ctx
}

@test "who WORKDIR makes a directory for: a number is the group too, a name that nobody has is root" {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN echo 'other:x:1005:1006::/:/bin/sh' >> /etc/passwd && echo 'extra:x:77:root,other' >> /etc/group
		RUN id -u > /got; id -G >> /got
		USER nobody-here
		WORKDIR /app/deep
		USER 4000
		WORKDIR /n
		USER 1005
		WORKDIR /known
		USER other
		WORKDIR /named
		USER other:nogroup-here
		WORKDIR /group
		USER 0
		RUN stat -c '%u:%g' /app /app/deep /n /known /named /group >> /got
	EOF
	build -o out ctx
	equal "$(got)" '0 0 77 0:0 0:0 4000:4000 1005:1005 1005:1006 1005:1006 '
	printf 'FROM localhost/base\nUSER nobody-here\nWORKDIR /app\nRUN true\n' >ctx/Dockerfile
	fails 1 'there is no user "nobody-here"' bld build ctx
	printf 'FROM localhost/base\nUSER 4294967295\nWORKDIR /app\n' >ctx/Dockerfile
	fails 1 'out of range' bld build ctx
}

@test "a directory for a numeric USER has the number as its group from the cache too" {
	printf 'FROM localhost/base\nUSER 4000\nWORKDIR /n\nUSER 0\nWORKDIR /m\n' >ctx/Dockerfile
	build -t localhost/a ctx
	build -t localhost/a ctx
	equal "$(cached_steps)" 2
	tree localhost/a >tree
	has "$(grep '^/n ' tree)" 'own=4000:4000'
}

@test "RUN with a mount from a stage is found by what it mounts when the stage is another one" {
	dockerfile <<-'EOF'
		FROM localhost/base AS src
		ARG N
		RUN mkdir -p '/s/d[1]' && echo same > '/s/d[1]/f' && echo same > /s/file && echo $N > /other && ln -s s /link
		FROM localhost/base
		RUN --mount=from=src,source=/s/d[1],target=/m cat /m/f > /dir
		RUN --mount=from=src,source=/s/file,target=/m cat /m > /file
		RUN --mount=from=src,source=/link,target=/m cat /m/file > /link
		RUN --mount=type=cache,from=src,source=/s,target=/m cat /m/file > /cache
		RUN echo later
	EOF
	build --build-arg N=1 -t localhost/one ctx
	equal "$(cached_steps)" 0
	build --build-arg N=2 -t localhost/two ctx
	equal "$(cached_steps)" 5 # all but the stage's
	# and by the stage alone from now on
	build --build-arg N=2 -t localhost/two ctx
	equal "$(cached_steps)" 6
	build --build-arg N=1 -t localhost/three ctx
	equal "$(cached_steps)" 6
	equal "$(digest localhost/three)" "$(digest localhost/one)"
	sed -i 's/echo same > .\/s\/d/echo changed > '"'"'\/s\/d/' ctx/Dockerfile
	build --build-arg N=1 -t localhost/four ctx
	equal "$(cached_steps)" 0
	sed -i 's/echo changed > .\/s\/d/echo same > '"'"'\/s\/d/; s/source=.s.file/source=\/s/; s/cat .m > .file/ls -d \/m > \/file/' ctx/Dockerfile
	build --build-arg N=1 -t localhost/five ctx
	equal "$(cached_steps)" 2 # another source, and what is behind it
}

@test "a mount from a stage: what is mounted counts with its modes and owners, and a missing path is an error" {
	dockerfile <<-'EOF'
		FROM localhost/base AS src
		ARG MODE
		RUN mkdir /s && echo x > /s/f && chmod $MODE /s/f
		FROM localhost/base
		RUN --mount=from=src,source=/s,target=/m stat -c %a /m/f > /got
	EOF
	build --build-arg MODE=600 -o out ctx
	build --build-arg MODE=640 -o out ctx
	equal "$(cached_steps)" 0
	equal "$(got)" '640 '
	sed -i 's/source=.s,/source=\/none,/' ctx/Dockerfile
	fails 4 'mount source "/none" does not exist in "src"' bld build --build-arg MODE=640 ctx
}

@test "--no-cache-filter: a RUN that mounts such a stage is found by what it mounts" {
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN mkdir /s && echo x > /s/f && cat /proc/sys/kernel/random/uuid > /s-now
		FROM localhost/base
		RUN --mount=from=one,source=/s,target=/m cat /m/f > /got
		FROM localhost/base AS changes
		RUN --mount=from=one,source=/s-now,target=/m cat /m > /got
		COPY --from=1 /got /first
	EOF
	build -t x ctx
	build -t x ctx
	equal "$(cached_steps)" 4
	build -t x --no-cache-filter one ctx
	has "$(grep CACHED -B1 <<<"$log")" 'source=/s,target'
	equal "$(cached_steps)" 1
}

@test "a secret that is required and missing is an error also where the RUN without it is cached" {
	printf 'FROM localhost/base\nRUN --mount=type=secret,id=s wc -c < /run/secrets/s; true\n' >ctx/Dockerfile
	build ctx
	build ctx
	equal "$(cached_steps)" 1
	sed -i 's/id=s/id=s,required=true/' ctx/Dockerfile
	fails 1 'the secret "s" was not given' bld build ctx
	# what is found with the secret needs it no more, as with docker
	printf 'some-secret' >secret
	build --secret id=s,src=secret ctx
	build ctx
	equal "$(cached_steps)" 1
	printf 'FROM localhost/base\nRUN --mount=type=ssh true\n' >ctx/Dockerfile
	build ctx
	sed -i 's/type=ssh/type=ssh,required/' ctx/Dockerfile
	fails 1 'no ssh agent "default" was given' bld build ctx
}

# grow N [OPTIONS]: a build that says what is in two caches, and puts the file N there
grow() {
	local n=$1
	shift
	build --build-arg N="$n" -o out "$@" ctx
}

@test "--no-cache: cache mounts begin empty, once in a build, and stay what they became" {
	local kind
	for kind in shared private locked; do
		cat >ctx/Dockerfile <<-EOF
			FROM localhost/base
			ARG N
			RUN --mount=type=cache,id=$kind,target=/c,sharing=$kind ls /c > /got; touch /c/\$N
			RUN --mount=type=cache,id=$kind,target=/c,sharing=$kind --mount=type=cache,id=$kind,target=/d,sharing=$kind ls /c >> /got
		EOF
		grow 1
		grow 2
		equal "$(got)" '1 1 2 ' "$kind"
		grow 3 --no-cache
		equal "$(got)" '3 ' "$kind"
		grow 4
		equal "$(got)" '3 3 4 ' "$kind"
	done
	equal "$(find store/bld/mounts -name '*.old-*')" ''
}

@test "--no-cache-filter: cache mounts of these stages begin empty, those of others do not" {
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		ARG N
		RUN --mount=type=cache,id=one,target=/c ls /c > /got; touch /c/$N
		FROM localhost/base AS two
		ARG N
		RUN --mount=type=cache,id=two,target=/c ls /c > /two; touch /c/$N
		FROM one
		COPY --from=two /two /
		RUN cat /two >> /got
	EOF
	grow 1
	grow 2 --no-cache-filter two
	equal "$(got)" '1 '
	grow 3
	equal "$(got)" '1 2 2 '
}

@test "--no-cache: a command of another build keeps the cache that it is at work in" {
	mkfifo pipe
	dockerfile <<-'EOF'
		FROM localhost/base
		ARG N
		RUN --mount=type=cache,id=c,target=/c touch /c/first; echo started; for i in $(seq 400); do test -e /c/stop && break; sleep 0.05; done; ls /c > /got
	EOF
	"$BLD" build --progress=plain --build-arg N=slow -o slow ctx >slow.log 2>&1 3>&- 4>&- &
	slow=$!
	wait_text slow.log '[0-9] started'
	old=$(echo store/bld/mounts/*)
	printf 'FROM localhost/base\nRUN --mount=type=cache,id=c,target=/c ls /c > /got; touch /c/second\n' >Dockerfile
	build --no-cache -f Dockerfile -o out ctx
	equal "$(got)" ''
	equal "$(ls "$old.old-0")" first
	touch "$old.old-0/stop"
	wait "$slow"
	equal "$(tr '\n' ' ' <slow/got)" 'first stop '
	# free now: it goes with the next one that is replaced
	build --no-cache -f Dockerfile -o out ctx
	equal "$(ls store/bld/mounts)" "${old##*/}"
	equal "$(ls store/bld/mounts/*)" second
}
