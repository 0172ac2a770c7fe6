#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What befell other builders, tried on this one: docs/incidents.md says which test is for which case.
# Outside of everything lies a canary, which is neither read nor changed.

load helpers

setup() {
	common_setup
	mkdir canary
	echo CANARY-OUTSIDE >canary/secret
	touch -d @1000000000 canary/secret canary
	chmod 700 canary
	CANARY_WAS=$(canary)
}

canary() { stat -c '%n %i %a %u:%g %s %h %Y %Z' canary canary/*; }
untouched() { equal "$(canary)" "$CANARY_WAS" canary; }

tool() { cc -std=gnu11 -D_GNU_SOURCE -static -o "ctx/$1" "$TOOLS/$1.c"; }

# --- what a RUN gets hold of --------------------------------------------------------------------------

@test "bld's own program is not written to through any /proc" {
	need_base
	was=$(sha256sum <"$BLD")
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN printf '#!/proc/self/exe\n' >/evil && chmod 755 /evil
		RUN for p in /proc/[0-9]* /proc/self /proc/thread-self; do \
			(exec 3>>"$p/exe") 2>/dev/null && readlink "$p/exe"; done; true
		RUN --security=insecure for p in /proc/[0-9]* /proc/self; do \
			(exec 3>>"$p/exe") 2>/dev/null && readlink "$p/exe"; done; true
	EOF
	build --no-cache --progress=plain --allow security.insecure ctx
	hasnt "$log" '^#[0-9]+ [0-9.]+ .*(/bld|memfd)'
	printf 'RUN ["/evil"]\n' >>ctx/Dockerfile
	fails 1 'Dockerfile:7' bld build --allow security.insecure ctx
	equal "$(sha256sum <"$BLD")" "$was"
}

@test "a working directory that is a descriptor of bld is refused" {
	need_base
	for d in /proc/self/fd/{3..12} /proc/self/fd/255 /proc/1/root /proc/self/cwd /proc/self/task/1/fd/5; do
		printf 'FROM localhost/base\nWORKDIR %s\nRUN ls ../../..\n' "$d" >ctx/Dockerfile
		fails 9 'Dockerfile:3.*working directory' bld build --no-cache ctx
	done
	ln -s /proc/self/fd/7 ctx/way
	for d in /way /way/../../.. /way/x; do
		printf 'FROM localhost/base\nCOPY way /way\nWORKDIR %s\nRUN ls -a; ls -a ../../..; cat canary/secret ../canary/secret\n' "$d" >ctx/Dockerfile
		run bld build --no-cache --progress=plain ctx
		[ "$status" != 0 ]
		hasnt "$output" 'CANARY-OUTSIDE|[0-9] (canary|store)$'
	done
}

@test "an image that brings its own /proc, /sys and /dev loosens nothing" {
	need_base
	tool trysyscall
	dockerfile <<-'EOF'
		FROM localhost/base AS evil
		RUN mkdir -p /p/self/attr /p/self/fd /p/1 /p/sys/kernel && cd /p/self && touch attr/exec attr/current setgroups uid_map
		FROM localhost/base
		COPY trysyscall /try
		VOLUME /proc /sys /dev
		RUN --mount=type=bind,from=evil,source=/p,target=/proc ["/try"]
		RUN --mount=type=tmpfs,target=/proc ["/try"]
		RUN --mount=type=tmpfs,target=/sys --mount=type=tmpfs,target=/dev ["/try"]
	EOF
	build --no-cache --progress=plain ctx
	equal "$(grep -cE 'unshare-user refused' <<<"$log")" 3
	equal "$(grep -cE ' mount refused' <<<"$log")" 3
	for d in /proc/self/attr /proc/self/fd /proc/sys/x; do
		printf 'FROM localhost/base\nRUN --mount=type=tmpfs,target=%s true\n' $d >ctx/Dockerfile
		fails 9 "Dockerfile:2:1: error: sandbox: mount $d" bld build ctx
	done
}

@test "what the Dockerfile says about privilege needs the caller's word, in a base image too" {
	need_base
	printf 'FROM localhost/base\nRUN --security=insecure true\n' >ctx/Dockerfile
	fails 1 'Dockerfile:2.*insecure' bld build ctx
	printf 'FROM localhost/base\nONBUILD RUN --security=insecure grep Seccomp: /proc/self/status >/s\n' >ctx/Dockerfile
	build -t localhost/trap ctx
	printf 'FROM localhost/trap\nRUN true\n' >ctx/Dockerfile
	fails 1 'insecure' bld build ctx
	printf 'FROM localhost/base\nONBUILD RUN --network=host true\n' >ctx/Dockerfile
	build -t localhost/trap ctx
	printf 'FROM localhost/trap\n' >ctx/Dockerfile
	run ! bld build --network=none ctx
	for f in --device=/dev/sda --privileged --cap-add=SYS_ADMIN --security-opt=seccomp=unconfined --mount=type=devpts,target=/x \
		--mount=type=bind,source=/,target=/x,from=/ --security=none --network=container:x; do
		printf 'FROM localhost/base\nRUN %s true\n' "$f" >ctx/Dockerfile
		run --separate-stderr bld build ctx
		[ "$status" = 3 ] || [ "$status" = 5 ] || { echo "$f: $status $stderr"; false; }
	done
}

@test "capabilities and groups of the caller do not reach RUN" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN printf 'one:x:71:app\ntwo:x:72:app\nthree:x:73:app\n' >>/etc/group
		RUN grep -E '^(CapInh|CapAmb|Groups)' /proc/self/status; id -G
		USER app
		RUN grep -E '^Cap(Inh|Amb|Prm|Eff)' /proc/self/status; id -G | sed s/^/app-/
		USER app:two
		RUN id -G | sed s/^/two-/
	EOF
	run setpriv --groups 4242,4243 --inh-caps +chown,+net_admin,+sys_admin --ambient-caps +chown,+net_admin,+sys_admin "$BLD" build --no-cache --progress=plain ctx
	equal "$status" 0 "$output"
	hasnt "$output" '424[23]'
	hasnt "$output" 'Cap(Inh|Amb):.*[1-9a-f]'
	equal "$(grep -cE 'Cap(Inh|Amb|Prm|Eff):.0000000000000000$' <<<"$output")" 6
	has "$output" 'app-1000 .*71 72 73$'
	has "$output" 'two-72$'
	run setpriv --groups 4242 "$BLD" run --user app localhost/base id -G
	equal "$status" 0 "$output"
	hasnt "$output" 4242
}

@test "nothing is typed into the caller's terminal" {
	need_base
	tool trysyscall
	printf 'FROM localhost/base\nCOPY trysyscall /try\nRUN ["/try"]\nRUN --security=insecure (exec 3<>/dev/tty) 2>/dev/null && echo OPENED-TTY; ls -l /proc/self/fd\n' >ctx/Dockerfile
	run script -qec "'$BLD' build --no-cache --progress=plain --allow security.insecure -t x ctx" /dev/null
	equal "$status" 0 "$output"
	has "$output" 'ioctl-tiocsti refused'
	hasnt "$output" '[0-9] OPENED-TTY|-> /dev/(pts|tty)'
	run script -qec "'$BLD' run x /try" /dev/null
	has "$output" 'ioctl-tiocsti refused'
}

@test "keys of the caller's session are not found in RUN" {
	need_base
	tool keys
	run ctx/keys hold bld-canary ctx/keys find bld-canary
	[ "$output" = found ] || skip "kernel or container: no keys: $output"
	printf 'FROM localhost/base\nCOPY keys /keys\nRUN /keys find bld-canary; wc -c </proc/keys\nRUN --security=insecure /keys find bld-canary | sed s/^/insecure-/\n' >ctx/Dockerfile
	run ctx/keys hold bld-canary "$BLD" build --no-cache --progress=plain --allow security.insecure ctx
	equal "$status" 0 "$output"
	has "$output" '[0-9] EPERM'
	has "$output" '[0-9] 0.?$'
	has "$output" 'insecure-E'
	hasnt "$output" '(insecure-| )found'
}

@test "variables of the caller do not reach RUN, an image or the store" {
	need_base
	export CONTAINERS_CONF=/canary-71 SOME_TOKEN=canary-72 LD_PRELOAD='' BASH_ENV=/canary-73 PYTHONPATH=/canary-74
	printf 'FROM localhost/base\nRUN env | sort >/env; tr "\\0" "\\n" </proc/1/environ >>/env; cat /env\n' >ctx/Dockerfile
	build --no-cache -t x ctx
	hasnt "$log" canary-7
	run grep -rl canary-7 "$BLD_ROOT"
	equal "$output" ''
	run bld run x env
	hasnt "$output" canary-7
}

# --- races ---------------------------------------------------------------------------------------------

# racing: a RUN exchanges the directory x of a cache for the link y, until race_ends. Needs the tool.
racing() {
	cat >ctx/Racer <<-EOF
		FROM localhost/base
		COPY exchange /exchange
		RUN --mount=type=cache,id=race,target=/c cd /c && mkdir -p x/sub && echo inside >x/sub/f && ln -s $1 y && /exchange x y stop
	EOF
	background racer "$BLD" build --no-cache --progress=plain -f ctx/Racer ctx
	wait_text "$T/racer.log" '[0-9] begun$'
	race=$(echo "$BLD_ROOT"/bld/mounts/*/)
}
race_ends() {
	touch "$race/stop"
	wait_text "$T/racer.log" '[0-9] exchanged [0-9]+$'
	[ "$(grep -oE 'exchanged [0-9]+' "$T/racer.log" | grep -oE '[0-9]+')" -gt 1000 ]
	wait "${STARTED[@]}"
	STARTED=()
}

@test "mount targets in a cache that another RUN exchanges for links stay inside" {
	need_base
	tool exchange
	racing "$T/canary"
	{
		printf 'FROM localhost/base\nARG N\nRUN --mount=type=cache,id=race,target=/c'
		for i in 1 2 3 4 5 6 7 8; do printf ' --mount=type=tmpfs,target=/c/x/t%s/deep' $i; done
		printf ' --mount=type=bind,source=Racer,target=/c/x/file --mount=type=tmpfs,target=/c/x/../x/up echo $N; touch /c/x/t1/deep/w\n'
	} >ctx/Dockerfile
	good=0
	for n in {1..25}; do
		! bld build --build-arg N=$n -t x ctx >out 2>&1 || good=$((good + 1))
		[[ $(<out) != *AddressSanitizer* ]]
	done
	race_ends
	untouched
	equal "$(find canary | wc -l)" 2
	[ "$good" -gt 0 ] || { cat out; false; }
	run tree docker.io/library/x
	hasnt "$output" 'canary|/deep'
}

@test "a directory of a cache that another RUN exchanges for links is never one of the host" {
	need_base
	tool exchange
	racing "$T/canary"
	ln -s ../../../../../../../../.. "$race/up"
	: >seen
	for n in {1..25}; do
		cat >ctx/Dockerfile <<-EOF
			FROM localhost/base
			RUN --mount=type=cache,id=race,source=x,target=/m --mount=type=cache,id=race,source=up,target=/u \
				--mount=type=cache,id=race,source=x/sub,target=/s,U echo $n; ls -a /m /u /s; cat /m/secret /m/sub/f; touch /m/written; true
		EOF
		bld build --progress=plain ctx >>seen 2>&1 || true
	done
	race_ends
	untouched
	hasnt "$(cat seen)" 'CANARY-OUTSIDE'
	has "$(cat seen)" '[0-9] inside$'
	hasnt "$(grep -E '^#[0-9]+ [0-9.]+ ' seen)" ' (proc|vmlinuz|canary)$'
	equal "$(find canary | wc -l)" 2
}

@test "two builds on one store: what one mounts the other cannot exchange" {
	need_base
	tool exchange
	# The stage that is mounted from is a finished layer: its own RUN goes on exchanging in an upper
	# that nobody mounts, and a later build of it makes another layer.
	dockerfile <<-EOF
		FROM localhost/base AS src
		COPY exchange /exchange
		ARG N
		RUN mkdir -p /d && echo right >/d/f && ln -s $T/canary /l && (/exchange /d /l /stop >/dev/null &) && echo \$N >/n && \
			[ -L /d ] && /exchange /d /l /n >/dev/null; true
		FROM localhost/base
		RUN --mount=from=src,source=/,target=/m,rw cat /m/d/f /m/l/f /m/d/secret /m/l/secret; touch /m/d/w /m/l/w; true
	EOF
	for n in {1..10}; do
		"$BLD" build --jobs 2 --progress=plain --build-arg N=$n ctx >one 2>&1 &
		a=$!
		"$BLD" build --jobs 2 --progress=plain --build-arg N=$n --no-cache ctx >two 2>&1 &
		b=$!
		wait $a
		wait $b
		hasnt "$(cat one two)" CANARY-OUTSIDE
		has "$(cat one two)" '[0-9] right$'
	done
	untouched
	ok bld verify
}

# --- mounts ---------------------------------------------------------------------------------------------

@test "the source of a mount from a stage ends in that stage, links and all" {
	need_base
	dockerfile <<-EOF
		FROM localhost/base AS src
		RUN ln -s / /rootdir && ln -s $T/canary /abs && ln -s ../../../../../../../..$T/canary /rel && ln -s /proc/1/root /magic
		FROM localhost/base
		RUN --mount=type=bind,from=src,source=/rootdir,target=/m,rw touch /m/BIND_BREAKOUT; ls /m | grep -c rootdir
	EOF
	build --no-cache --progress=plain -t x ctx
	has "$log" '[0-9] 1$'
	[ ! -e /BIND_BREAKOUT ]
	run tree docker.io/library/x
	hasnt "$output" BREAKOUT
	for s in /abs /rel /abs/secret /magic /magic/etc ../../../..$T/canary $T/canary; do
		sed -i "\$s,source=[^ ]*target,source=$s\,target," ctx/Dockerfile
		run --separate-stderr bld build ctx
		[ "$status" != 0 ] || { echo "source=$s"; false; }
		hasnt "$output$stderr" CANARY-OUTSIDE
	done
	untouched
}

@test "ids and directories of caches lead nowhere" {
	need_base
	for id in ../../../../../../..$T/canary $T/canary .. . / ../../blobs/sha256 $'a\nb' "$(printf 'x%.0s' {1..3000})"; do
		printf 'FROM localhost/base\nARG ID\nRUN --mount=type=cache,id=$ID,target=/c ls -A /c | wc -l; cat /c/secret; touch /c/w; true\n' >ctx/Dockerfile
		run bld build --no-cache --progress=plain --build-arg "ID=$id" ctx
		hasnt "$output" CANARY-OUTSIDE
		[ "$status" != 0 ] || has "$output" '[0-9] 0$'
	done
	for s in .. ../.. ../../../../../../../..$T/canary $T/canary /proc/self/root /etc; do
		printf 'FROM localhost/base\nRUN --mount=type=cache,id=a,target=/c,source=%s ls -A /c; cat /c/secret; touch /c/w; true\n' "$s" >ctx/Dockerfile
		run bld build --no-cache --progress=plain ctx
		hasnt "$output" 'CANARY-OUTSIDE|[0-9] (passwd|blobs|index.json)$'
	done
	untouched
	equal "$(find "$BLD_ROOT/bld/mounts" -mindepth 1 -maxdepth 1 | grep -vcE '/[0-9a-f]{64}$')" 0
	[ ! -e "$BLD_ROOT/w" ] && [ ! -e "$BLD_ROOT/blobs/w" ]
}

@test "a mount point that RUN exchanges for a link: only what bld made is removed" {
	need_base
	mkdir -p canary/x && : >canary/x/key
	CANARY_WAS=$(canary)
	dockerfile <<-EOF
		FROM localhost/base
		RUN --mount=type=tmpfs,target=/new/mnt --mount=type=tmpfs,target=/own/mnt --mount=type=secret,id=s,target=/run/x/key \
			mv /own /was && mkdir /own && \
			mkdir -p $T/canary/x && : >$T/canary/x/key && mkdir $T/canary/mnt && mv /new /old && ln -s $T/canary /new && \
			mv /run/x /run/y && ln -s $T/canary/x /run/x
	EOF
	echo some-secret >s
	build --no-cache --secret id=s,src=s -t x ctx
	check_tree docker.io/library/x <<-EOF
		$T/canary/x/key size=0
		$T/canary/mnt type=d
		/new type=l
		/own type=d
		/run/x type=l
		! /old/mnt
		! /run/y/key
	EOF
	untouched
}

# --- users, libraries, files of the store --------------------------------------------------------------

@test "a passwd or group that is a link, a FIFO, a device, a directory or huge ends soon" {
	need_base
	for bad in 'ln -s /dev/zero $f' 'mkfifo $f' 'mkdir $f' 'mknod $f c 1 5' 'head -c 9000000 /dev/zero >$f' \
		'ln -s /proc/self/fd/0 $f' "ln -s $T/canary/secret \$f" 'ln -s $f $f'; do
		for f in /etc/passwd /etc/group; do
			printf 'FROM localhost/base\nRUN f=%s; rm $f; %s\n' $f "$bad" >ctx/Dockerfile
			build -t bad ctx
			for use in 'USER foo:bar\nRUN true' 'COPY --chown=foo:bar Dockerfile /x' 'USER foo:bar\nWORKDIR /w'; do
				printf "FROM bad\n$use\n" >ctx/Dockerfile
				run --separate-stderr timeout -s KILL 20 bash -c "ulimit -v 400000; '${BLD_PLAIN:-$BLD}' build ctx"
				[ "$status" != 137 ] || { echo "$bad $f $use: $stderr"; false; }
				hasnt "$output$stderr" 'CANARY-OUTSIDE|Cannot allocate'
			done
		done
	done
}

@test "no library, name service or table of the image is loaded by bld" {
	command -v strace >/dev/null || skip "no strace"
	need_base
	mkdir -p ctx/root/{etc,lib/x86_64-linux-gnu,lib64,usr/lib/x86_64-linux-gnu/gconv,usr/lib/locale}
	for l in libnss_files.so.2 libnss_dns.so.2 libc.so.6 libarchive.so.13 libcurl.so.4 libhostile.so; do
		echo hostile >"ctx/root/lib/x86_64-linux-gnu/$l"
	done
	echo /lib/x86_64-linux-gnu/libhostile.so >ctx/root/etc/ld.so.preload
	printf 'passwd: hostile\ngroup: hostile\n' >ctx/root/etc/nsswitch.conf
	echo hostile >ctx/root/usr/lib/x86_64-linux-gnu/gconv/gconv-modules
	echo text >ctx/root/etc/f
	tar -C ctx/root -cf ctx/a.tar etc/f
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY root /
		COPY --chown=app:app root/etc/f /f
		ADD --chown=app a.tar /added/
		USER app
		WORKDIR /home/w
	EOF
	strace -f -qq -e trace=open,openat,openat2,execve,mmap -y -o trace "${BLD_PLAIN:-$BLD}" --root "$BLD_ROOT" build --no-cache -o out ctx
	[ -s trace ]
	# by its name from / of whatever root a process has
	hasnt "$(grep -E 'AT_FDCWD[^,]*, "/' trace)" 'libnss_|nsswitch|libhostile'
	# What is mapped to be executed is not of the store, the context or the output.
	hasnt "$(grep PROT_EXEC trace)" "<$T"
	equal "$(stat -c %u out/f)" "$(awk -F: '$1 == "app" { print $3 }' out/etc/passwd)"
}

@test "another user of the machine reaches no file of a store, set-user-id or not" {
	need_base
	printf 'FROM localhost/base\nRUN cp /bin/busybox /su && chmod 6755 /su\nRUN --mount=type=cache,target=/c cp /su /c/su && chmod 4755 /c/su\n' >ctx/Dockerfile
	build -t x ctx
	[ "$(find "$BLD_ROOT" -perm /6000 -type f | wc -l)" -gt 0 ]
	p=$T
	while [ "$p" != / ]; do chmod a+x "$p"; p=$(dirname "$p"); done
	as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	as test -x "$T"
	run as find "$BLD_ROOT" -perm /6000
	equal "$(grep -v 'Permission denied' <<<"$output")" ''
	run ! as ls "$BLD_ROOT/bld"
	while IFS= read -r f; do run ! as test -e "$f"; done < <(find "$BLD_ROOT" -perm /6000 -type f)
	equal "$(stat -c %a "$BLD_ROOT")" 700
}

@test "device nodes of a context, an archive and a layer: kept as they are, opened by nobody" {
	need_base
	mknod ctx/disk b 254 0
	mknod ctx/mem c 1 1
	chmod 666 ctx/disk ctx/mem
	tar --numeric-owner -C ctx -cf a.tar disk mem
	cp a.tar ctx/
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY disk mem /c/
		ADD a.tar /a/
		RUN for f in /c/disk /c/mem /a/disk /a/mem; do (exec 3<$f) 2>/dev/null && echo OPENED; (exec 3>>$f) 2>/dev/null && echo OPENED; done; true
		RUN --mount=type=bind,target=/b (exec 3</b/mem) 2>/dev/null && echo OPENED; true
	EOF
	build --no-cache --progress=plain -t x ctx
	hasnt "$log" '[0-9] OPENED'
	check_tree docker.io/library/x <<-'EOF'
		/c/disk type=b dev=254,0
		/a/mem type=c dev=1,1
	EOF
}

@test "capabilities of files stay the same bytes through COPY, RUN, push and pull" {
	need_base
	cp "$(type -P true)" ctx/ping
	setcap cap_net_raw+ep ctx/ping || skip "no file capabilities here"
	printf 'FROM localhost/base\nCOPY ping /ping\nRUN mv /ping /moved && cp -p /bin/busybox /other && echo >>/etc/passwd\n' >ctx/Dockerfile
	build --no-cache -t x ctx
	tree docker.io/library/x >one
	has "$(grep '^/moved ' one)" 'security.capability='
	ok bld push x oci:out:x
	python3 "$TOOLS/treedump.py" oci:out:x | diff one -
	ok bld --root "$T/other" pull oci:out:x
	printf 'FROM %s\nRUN touch -c /moved && chown 0:0 /etc/passwd\n' "$(bld --root "$T/other" images -q | head -1)" >ctx/Dockerfile
	ok bld --root "$T/other" build -t y ctx
	equal "$(BLD_ROOT=$T/other tree docker.io/library/y | grep '^/moved ')" "$(grep '^/moved ' one)"
	ok bld --root "$T/other" build -o files ctx
	equal "$(getfattr --only-values -n security.capability files/moved | od -An -tx1)" "$(getfattr --only-values -n security.capability ctx/ping | od -An -tx1)"
	rm -rf other
}

@test "a RUN makes no whiteouts of its own, and writes nothing after its end" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN mkdir /d && echo low >/d/f
		RUN mknod /x c 0 0; mknod /d/f2 c 0 0; rm /d/f && mknod /d/f c 0 0; echo own >/d/f; (setsid sh -c 'sleep 1; echo x >/late' >/dev/null 2>&1 &)
		RUN cat /d/f
	EOF
	build --no-cache -t x ctx
	check_tree docker.io/library/x <<-'EOF'
		/d/f content=own%0a
		! /x
		! /d/f2
		! /late
	EOF
	run ! pgrep -f 'echo x >/late'
}

# --- archives, by every door ----------------------------------------------------------------------------

# hostile_tar FILE: names and links that lead out, in one archive
hostile_tar() {
	python3 - "$1" "$T/canary" <<-'P'
		import io, sys, tarfile
		out, canary = sys.argv[1:]
		t = tarfile.open(out, "w", format=tarfile.PAX_FORMAT)
		def add(name, kind=tarfile.REGTYPE, link="", mode=0o644):
		    i = tarfile.TarInfo(name)
		    i.type, i.linkname, i.mode, i.mtime = kind, link, mode, 1600000000
		    data = b"OVERWRITTEN" if kind == tarfile.REGTYPE else b""
		    i.size = len(data)
		    t.addfile(i, io.BytesIO(data) if data else None)
		S, H, D = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
		up = "../" * 20 + canary.strip("/")
		add("Dockerfile.real")
		add(up + "/secret")
		add(canary + "/new")
		add("a/../../" + up + "/new")
		add("l", S, canary)
		add("l/secret")
		add("l/new")
		add("r", S, up)
		add("r/secret")
		add("r", D, mode=0o777)
		add("f", S, canary + "/secret")
		add("f")
		add("d", D)
		add("d", S, canary)
		add("d", D, mode=0o777)
		add("./", D)
		add("end")
		t.close()
	P
}

@test "one hostile archive by every door: nothing outside is read or changed" {
	hostile_tar h.tar
	start_web
	cp h.tar www/h.tar
	cp h.tar ctx/h.tar
	build_and_look() { # STATUS-IS-FREE ARGUMENT...
		run --separate-stderr timeout 100 "$BLD" "$@"
		[[ $status -lt 11 ]] || { echo "$*: $status $stderr"; return 1; }
		hasnt "$output$stderr" 'CANARY-OUTSIDE|AddressSanitizer|runtime error'
		untouched
		equal "$(find canary | wc -l)" 2
	}
	# ADD: local, from a URL, twice over each other
	printf 'FROM scratch\nADD h.tar /\nADD h.tar /sub/\nADD --unpack=true http://%s/files/h.tar /\n' "$WEB" >ctx/Dockerfile
	build_and_look build -t x ctx
	build_and_look build -o out ctx
	equal "$(find out -name secret -newer h.tar -exec grep -l CANARY {} + | wc -l)" 0
	# as a context: standard input, URL, named context
	printf 'FROM scratch\nCOPY . /\n' >F
	cp h.tar c.tar
	tar -rf c.tar --transform 's,F,Dockerfile,' F
	build_and_look build - <c.tar
	cp c.tar www/c.tar
	build_and_look build "http://$WEB/files/c.tar"
	printf 'FROM scratch\nCOPY --from=n / /\n' >ctx/Dockerfile
	build_and_look build --build-context n="http://$WEB/files/c.tar" ctx
	# a layer, an archive of an image
	python3 "$TOOLS/mkimage.py" oci x h.tar >/dev/null
	build_and_look pull oci:oci:x
	build_and_look load -i h.tar
	build_and_look pull oci-archive:h.tar
	build_and_look pull docker-archive:h.tar
	ok bld verify
}

@test "an archive of an image whose own entries lead out" {
	python3 "$TOOLS/mkimage.py" oci x >/dev/null
	for door in oci docker; do
		rm -f evil.tar
		skopeo copy -q oci:oci:x "$door-archive:evil.tar:localhost/x:1"
		: >F
		tar -rf evil.tar -P --transform "s,^F\$,../../../../../../../../..$T/canary/new," F
		ln -sfn "$T/canary" blobs-link
		tar -rf evil.tar -P --transform 's,^blobs-link$,blobs/sha256/l,' blobs-link
		run --separate-stderr bld load -i evil.tar
		[[ $status -lt 11 ]]
		untouched
		equal "$(find canary | wc -l)" 2
	done
	# manifest.json that names files outside of the archive
	mkdir m && printf '[{"Config":"../../../../../..%s/secret","RepoTags":["localhost/y:1"],"Layers":["%s/secret"]}]' "$T/canary" "$T/canary" >m/manifest.json
	ln -s "$T/canary/secret" m/config.json
	tar -C m -cf m.tar manifest.json config.json
	run --separate-stderr bld load -i m.tar
	[ "$status" != 0 ]
	hasnt "$stderr" CANARY-OUTSIDE
	printf '[{"Config":"config.json","RepoTags":["localhost/y:1"],"Layers":[]}]' >m/manifest.json
	tar -C m -cf m.tar manifest.json config.json
	run --separate-stderr bld load -i m.tar
	[ "$status" != 0 ]
	hasnt "$stderr" CANARY-OUTSIDE
	untouched
}

@test "a Dockerfile or ignore file that is a link out of a remote context is not read" {
	start_web
	mkdir c
	echo keep >c/keep
	for link in "$T/canary/secret" "../../../../../../../..$T/canary/secret" /proc/self/environ; do
		ln -sfn "$link" c/Dockerfile
		tar -C c -cf www/c.tar .
		fails 4 . bld build "http://$WEB/files/c.tar"
		hasnt "$output$stderr" CANARY-OUTSIDE
		run --separate-stderr bld build - <www/c.tar
		[ "$status" != 0 ]
		hasnt "$output$stderr" CANARY-OUTSIDE
		rm c/Dockerfile
		printf 'FROM scratch\nCOPY . /\n' >c/Dockerfile
		ln -sfn "$link" c/.dockerignore
		tar -C c -cf www/c.tar .
		run --separate-stderr bld build "http://$WEB/files/c.tar"
		hasnt "$output$stderr" CANARY-OUTSIDE
		rm c/Dockerfile c/.dockerignore
	done
	# proj -> / and a directory below it
	git init -q -b main g
	ln -s / g/proj
	ln -s "$T/canary/secret" g/Dockerfile
	git -C g add -A
	git -C g -c user.name=n -c user.email=a@b.invalid commit -qm x
	mkdir -p www && git clone -q --bare g www/g.git
	start_git
	fails 4 'no directory' bld build "git://$GITD/g.git#main:proj$T/canary"
	fails 4 . bld build "git://$GITD/g.git"
	hasnt "$output$stderr" CANARY-OUTSIDE
	untouched
}

@test "a layer that is another kind of archive is no layer" {
	command -v bsdtar >/dev/null || skip "no bsdtar"
	mkdir d && echo text >d/f
	for kind in zip cpio 7zip mtree ar shar xar warc; do
		(cd d && bsdtar --format $kind -cf ../l.$kind f) 2>/dev/null || continue
		for packed in '' --gzip; do
			rm -rf oci
			python3 "$TOOLS/mkimage.py" $packed oci x l.$kind >/dev/null
			run --separate-stderr bld pull oci:oci:x
			[ "$status" = 0 ] || continue
			# It is looked into when it is needed.
			printf 'FROM %s\nRUN true\n' "$(bld images -q | head -1)" >ctx/Dockerfile
			fails 10 'tar' bld build ctx
			printf 'FROM scratch\nCOPY --from=%s / /\n' "$(bld images -q | head -1)" >ctx/Dockerfile
			fails 10 'tar' bld build ctx
			bld rmi "$(bld images -q | head -1)" || true
		done
	done
}

# --- images and frontends ---------------------------------------------------------------------------------

@test "a syntax line fetches and runs nothing" {
	start_faulty "$(base_layout)"
	for line in "# syntax=$FAULTY/evil/frontend:1" "#syntax = $FAULTY/evil/x@sha256:$(printf 0%.0s {1..64})" "// syntax=$FAULTY/evil/x" '# syntax=docker/dockerfile:1'; do
		case $line in //*) first='# check=skip=all' ;; *) first=$line ;; esac
		printf '%s\nFROM scratch\nCOPY Dockerfile /f\n' "$first" >ctx/Dockerfile
		build --no-cache ctx
	done
	[ ! -s faulty.requests ] || { cat faulty.requests; false; }
}

@test "values of a configuration are values: volumes, users, directories, labels" {
	busy=$(busybox_tar)
	label=$(printf 'a\\u001b]0;t\\u0007\\n::set-output name=x::y')
	python3 "$TOOLS/mkimage.py" --config '{"Volumes":{"/../../..'"$T"'/canary":{},"/../../etc":{},"rel":{}},"WorkingDir":"/../../..'"$T"'/canary","User":"0","Labels":{"l":"'"$label"'"},"Env":["PATH=/bin","X=\u001b[2J"],"Entrypoint":["/bin/sh","-c","echo \u001b]0;t\u0007"]}' oci x "$busy" >/dev/null
	ok bld pull oci:oci:x
	name=$(bld images -q | head -1)
	printf 'FROM %s\nRUN pwd; ls -A; cat secret; echo w >w; true\n' "$name" >ctx/Dockerfile
	run bld build --no-cache --compat-volumes --progress=plain -t y ctx
	hasnt "$output" CANARY-OUTSIDE
	untouched
	equal "$(find canary | wc -l)" 2
	for c in "inspect $name" "history $name" images; do
		run bld $c
		hasnt "$output" $'[\x01-\x08\x0b-\x1f\x7f]'
		hasnt "$output" '^::'
	done
	run bld build --no-cache --compat-volumes -o out ctx
	untouched
}

# --- registries --------------------------------------------------------------------------------------------

# tls_server NAME [OPENSSL OPTION...]: on 127.0.0.1 with NAME.pem, NAME.key; sets $AT
tls_server() {
	local name=$1
	shift
	AT=127.0.0.1:$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
	background "$name" openssl s_server -accept "$AT" -cert "$name.pem" -key "$name.key" -www "$@"
	wait_text "$T/$name.log" ACCEPT
}

@test "TLS: expired, for another host, signed by nobody, of an old version" {
	make_ca
	sign() { # NAME SUBJECT-ALT-NAME DAYS
		openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj /CN=x 2>/dev/null
		echo "subjectAltName=$2" >san
		openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$3" -extfile san -out "$1.pem" 2>/dev/null
	}
	trusted() { mkdir -p "home/.config/containers/certs.d/$AT" && cp ca.pem "home/.config/containers/certs.d/$AT/ca.crt"; }
	pull() { # REGEX
		trusted
		fails 5 "$1" bld pull --tls-verify=true "$AT/x:1"
	}
	sign good IP:127.0.0.1 2
	tls_server good
	trusted
	fails 10 'manifest: not valid JSON' bld pull --tls-verify=true "$AT/x:1" # it gets through
	openssl req -newkey rsa:2048 -nodes -keyout expired.key -out expired.csr -subj /CN=x 2>/dev/null
	printf '%s\n' '[ca]' default_ca=d '[d]' database=db new_certs_dir=. serial=sn default_md=sha256 policy=p \
		x509_extensions=e '[p]' commonName=supplied '[e]' subjectAltName=IP:127.0.0.1 >ca.cnf
	: >db
	echo 01 >sn
	openssl ca -batch -config ca.cnf -in expired.csr -cert ca.pem -keyfile ca.key -startdate 20200101000000Z \
		-enddate 20200102000000Z -out expired.pem 2>/dev/null
	tls_server expired
	pull 'certificate'
	sign other DNS:registry.invalid,IP:192.0.2.1 2
	tls_server other
	pull 'certificate|does not match|subject'
	openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
	tls_server self
	pull 'certificate'
	cp good.pem old.pem && cp good.key old.key
	tls_server old -tls1_1 -cipher 'ALL:@SECLEVEL=0'
	pull 'TLS|SSL|protocol|sigalg'
}

@test "logging in does not write through a link, and makes a file of its own" {
	start_registry htpasswd
	echo victim >victim && chmod 644 victim
	ln -s "$T/victim" auth.json
	run bash -c "printf 's3cret:with colon' | '$BLD' login -u alice --password-stdin --authfile auth.json $REG"
	equal "$(cat victim) $(stat -c %a victim)" 'victim 644'
	rm -f auth.json
	(umask 0 && printf 's3cret:with colon' | bld login -u alice --password-stdin --authfile new/auth.json "$REG")
	equal "$(stat -c %a new/auth.json)" 600
	equal "$(stat -c %a new)" 700
}

@test "an argument's value is shown nowhere, and a name that promises a secret is warned about" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		ARG API_TOKEN
		RUN test ${#API_TOKEN} = 16 && echo done
	EOF
	build --build-arg API_TOKEN=canary-arg-55-xx -t x ctx
	has "$log" 'SecretsUsedInArgOrEnv'
	hasnt "$log" canary-arg-55
	run bld build --explain --build-arg API_TOKEN=canary-arg-56-xx ctx
	hasnt "$output" canary-arg-5
	config docker.io/library/x | jq .config >config
	hasnt "$(cat config)" canary-arg-55
	hasnt "$(bld logs 2>&1)" canary-arg-55
}
