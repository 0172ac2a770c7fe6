#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bld build --explain: for every step that is not in the cache the first input that differed.

load helpers

# Steps: 3 WORKDIR, 4 COPY, 5 COPY, 6 RUN, 7 RUN of the stage build; 12 ADD, 13 COPY, 14 RUN.
setup() {
	common_setup
	need_base
	start_web
	echo one >www/file.txt
	echo secret >secret
	mkdir -p ctx/src/lib ctx/conf ctx/mnt
	echo a >ctx/src/a.c
	echo b >ctx/src/lib/b.c
	echo c >ctx/conf/c.conf
	echo m >ctx/mnt/m.txt
	ln -s a.c ctx/src/link
	chmod -R u=rwX,go=rX ctx
	cat >ctx/Dockerfile <<-EOF
		FROM localhost/base AS build
		ARG BUILDER=t1
		ENV MODE=fast
		WORKDIR /w
		COPY src src
		COPY --chown=1:1 --chmod=0640 conf /conf
		RUN --mount=type=bind,source=mnt,target=/ctx --mount=type=cache,target=/cache --mount=type=secret,id=s cat src/a.c > /out; cat /etc/passwd > /users
		RUN cp /ctx-none /x 2>/dev/null || echo plain > /plain
		FROM localhost/base
		ARG V=1
		ENV LEVEL=low
		USER app
		SHELL ["/bin/sh", "-c"]
		ADD http://$WEB/plain/file.txt /file.txt
		COPY --from=build /out /plain /
		RUN --mount=type=bind,from=build,source=/conf,target=/conf true
	EOF
	cp -a ctx ctx.saved
}

why() { # why [ARG...]: lines "STEP REASON" of a build with --explain
	run bld build --explain --progress=plain --secret id=s,src=secret "$@"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	reasons=$(sed -n 's/^#\([0-9]*\) why: /\1 /p' <<<"$output" | sort -n)
}

# back: everything is as it was, and the build of that is the last one
back() {
	rm -rf ctx
	cp -a ctx.saved ctx
	echo one >www/file.txt
	why ctx
	[ -z "$reasons" ] || [ "${first:-}" ] || { echo "not cached: $reasons"; return 1; }
}

# changed REASON [ARG...]: what the mutation that was made costs first, that it explains the steps
# behind it, and that the next build is cached; then undone.
changed() {
	local want=$1 line
	shift
	why "$@" ctx
	equal "$(head -1 <<<"$reasons")" "$want" "reason" || return 1
	while read -r line; do
		has "$line" '^[0-9]+ (step [0-9]+ (ran|gave another result)|network: host -> none|COPY --from=build: /(out|plain): content|mount /conf: stage build: step [0-9]+ ran)$' || return 1
	done < <(tail -n +2 <<<"$reasons" | sed '/^$/d')
	why "$@" ctx
	equal "$reasons" "" "the second time" || return 1
	back
}

edit() { sed -i "$@" ctx/Dockerfile; }

@test "the first build, the same again, --no-cache" {
	first=1 back
	equal "$(cut -d' ' -f2- <<<"$reasons" | sort -u)" "first build"
	has "$output" '^#4 why: first build$'
	why ctx
	equal "$reasons" ""
	why --no-cache ctx
	equal "$(cut -d' ' -f2- <<<"$reasons" | sort -u)" "--no-cache"
	bld build ctx --secret id=s,src=secret --progress=plain >out 2>&1
	hasnt "$(cat out)" why:
}

@test "mutations: files of COPY" {
	first=1 back
	unset first
	echo changed >ctx/src/a.c
	changed '4 src/a.c: content'
	echo n >ctx/src/new.c
	changed '4 src/new.c: new'
	rm ctx/src/lib/b.c
	changed '4 src/lib/b.c: gone'
	chmod 664 ctx/src/a.c
	changed '4 src/a.c: mode 0644 -> 0664'
	chmod 700 ctx/src/lib
	changed '4 src/lib: mode 0755 -> 0700'
	ln -sf lib ctx/src/link
	changed '4 src/link: link target a.c -> lib'
	rm ctx/src/link; echo f >ctx/src/link
	changed '4 src/link: link -> file'
	setfattr -n user.x -v 1 ctx/src/a.c
	changed '4 src/a.c: extended attributes'
	echo e >$'ctx/src/\e[31mx'
	changed '4 src/\x1b[31mx: new'
	ln -f ctx/src/a.c ctx/src/lib/b.c; echo a >ctx/src/a.c; touch ctx/src/a.c
	changed '4 src/lib/b.c: content'
	echo x >ctx/conf/c.conf
	changed '5 conf/c.conf: content'
}

@test "mutations: instructions" {
	first=1 back
	unset first
	edit 's|COPY src src|COPY src source|'
	changed '4 destination: src -> source'
	edit 's|--chown=1:1|--chown=2:2|'
	changed '5 --chown: 1:1 -> 2:2'
	edit 's|--chmod=0640|--chmod=0600|'
	changed '5 --chmod: 0640 -> 0600'
	edit 's|--chmod=0640 ||'
	changed '5 --chmod: 0640 -> none'
	edit 's|COPY src src|COPY src/lib src|'
	changed '4 the instruction changed: COPY src src -> COPY src/lib src'
	edit 's|echo plain > /plain|echo other > /plain|'
	changed '7 the instruction changed: RUN cp /ctx-none /x 2>/dev/null || echo plain > /plain -> RUN cp /ctx-none /x 2>/dev/null || echo other > /plain'
	edit 's|^COPY src src|RUN mkdir /w/src; touch /w/src/a.c|'
	changed '4 the instruction changed: COPY src src -> RUN mkdir /w/src; touch /w/src/a.c'
	edit '/^COPY src/i RUN true'
	changed '4 the instruction is new'
	edit '/^ADD/d'
	changed "12 ADD http://$WEB/plain/file.txt /file.txt in front of it is gone"
}

@test "mutations: what only some steps have in their key" {
	first=1 back
	unset first
	edit 's|type=secret,id=s|type=secret,id=s,required|'
	changed '6 mount /run/secrets/s: type=secret,id=s,ro -> type=secret,id=s,required,ro'
	edit 's|^ADD |ADD --unpack=false |'
	changed '12 --unpack: not given -> false'
	edit 's|^COPY --from=build |COPY --from=build --link |'
	changed '13 flags: "" ->  --link'
	# A directory that is there: VOLUME itself makes nothing.
	edit '/^USER app/i VOLUME /etc'
	cp ctx/Dockerfile volume
	why ctx
	cp volume ctx/Dockerfile
	changed '15 --compat-volumes: none -> ["/etc"]' --compat-volumes
}

@test "mutations: the environment of RUN" {
	first=1 back
	unset first
	edit 's|WORKDIR /w|WORKDIR /v|'
	changed '3 WORKDIR: /w -> /v'
	edit 's|SHELL .*|SHELL ["/bin/sh", "-ec"]|'
	changed '14 SHELL: ["/bin/sh","-c"] -> ["/bin/sh","-ec"]'
	edit 's|USER app|USER web|'
	changed '14 USER: app -> web'
	edit '/^USER/d'
	changed '13 USER: app -> ""'
	edit 's|LEVEL=low|LEVEL=high|'
	changed '14 ENV LEVEL: low -> high'
	edit 's|^ENV LEVEL=low|& MORE=1|'
	changed '14 ENV MORE: new'
	edit '/^ENV LEVEL/d'
	changed '13 ENV LEVEL: gone'
	edit 's|MODE=fast|MODE=slow|'
	changed '6 ENV MODE: fast -> slow'
	edit 's|^ARG V=1|ARG V=2|'
	changed '14 ARG V: 1 -> 2'
	edit 's|^ARG BUILDER=t1|ARG BUILDER=t2|'
	changed '6 ARG BUILDER: value changed'
}

@test "mutations: mounts, network" {
	first=1 back
	unset first
	echo x >ctx/mnt/m.txt
	changed '6 mount /ctx: mnt/m.txt: content'
	edit 's|target=/cache|target=/kept|'
	changed '6 mount /kept: new'
	edit 's|type=cache,target=/cache|type=tmpfs,target=/cache|'
	changed '6 mount /cache: type=cache,rw -> type=tmpfs,rw'
	edit 's|type=secret,id=s|type=secret,id=z|'
	changed '6 mount /run/secrets/z: new'
	edit 's|RUN cp|RUN --network=none cp|'
	changed '7 network: host -> none'
}

@test "ARG of the command line, what a URL brings, another base" {
	first=1 back
	unset first
	changed '14 ARG V: 1 -> 5' --build-arg V=5
	changed '6 ARG BUILDER: value changed' --build-arg BUILDER=hunter2
	run ! grep -rqs hunter2 "$BLD_ROOT/bld/cache"
	echo two >www/file.txt
	changed "12 http://$WEB/plain/file.txt: other content"
	changed '6 network: host -> none' --network=none
	printf 'FROM localhost/base\nRUN touch /moved\n' >moved
	old=$(digest localhost/base)
	bld build -q -t localhost/base -f moved ctx >/dev/null
	new=$(digest localhost/base)
	why ctx
	has "$(head -1 <<<"$reasons")" "^3 base moved: ${old:0:19} -> ${new:0:19}\$"
	has "$reasons" "^12 base moved: ${old:0:19} -> ${new:0:19}\$"
}

@test "a failed step, a pruned record, the cache of another directory, a terminal" {
	first=1 back
	unset first
	edit 's#echo plain > /plain#{ echo no; false; }#'
	run bld build --explain --progress=plain --secret id=s,src=secret ctx
	[ "$status" != 0 ]
	has "$output" '^#7 why: the instruction changed: RUN cp /ctx-none '
	run bld build --explain --progress=plain --secret id=s,src=secret ctx
	has "$output" '^#7 why: it failed the last time$'
	echo changed >ctx/src/a.c
	run bld build --explain --progress=plain --secret id=s,src=secret ctx
	has "$output" '^#4 why: src/a.c: content$'
	has "$output" '^#7 why: step 6 ran$'
	back
	# All records but the one of the builds.
	grep -lxE 'layer sha256:.*' "$BLD_ROOT"/bld/cache/* | xargs rm
	why ctx
	equal "$(cut -d' ' -f2- <<<"$reasons" | sort -u)" "the cache record was pruned"
	cp -a ctx other
	echo o >other/src/a.c
	why other
	equal "$(head -1 <<<"$reasons")" "4 first build"
	ok bld build --explain --no-cache --progress=rawjson --secret id=s,src=secret ctx
	has "$stderr" '"data": ?"d2h5OiAtLW5vLWNhY2hlCg=="'
}

@test "lines are matched when others are put in, taken out, or moved" {
	printf 'FROM localhost/base\nRUN echo 1\nRUN echo 2\nRUN echo 3\n' >ctx/Dockerfile
	why ctx
	edit '3i RUN echo new'
	why ctx
	equal "$reasons" $'2 the instruction is new\n3 step 2 ran\n4 step 3 ran'
	edit '2d'
	why ctx
	equal "$reasons" $'1 RUN echo 1 in front of it is gone\n2 step 1 ran\n3 step 2 ran'
	edit '$a RUN echo last'
	why ctx
	equal "$reasons" '4 the instruction is new'
	printf 'FROM scratch\nCOPY src /src\n' >ctx/Dockerfile
	why ctx
	equal "$reasons" '1 the instruction changed: RUN echo new -> COPY src /src'
}
