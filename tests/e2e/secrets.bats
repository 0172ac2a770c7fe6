#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Secrets and credentials end up nowhere.

load helpers

CANARY=canary-9f3c-do-not-keep-me

nowhere() { # no file below DIR... holds the canary, plain, in base64 or inside a compressed blob
	local f b64
	b64=$(printf %s "$CANARY" | base64 | cut -c1-30)
	if grep -rlF -e "$CANARY" -e "$b64" "$@"; then return 1; fi
	while IFS= read -r f; do
		if gzip -dcq "$f" 2>/dev/null | grep -qF "$CANARY"; then echo "$f"; return 1; fi
	done < <(find "$@" -type f)
}

@test "a secret is in no layer, config, record or output" {
	need_base
	printf %s "$CANARY" >secret
	export FROM_ENV=$CANARY
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN --mount=type=secret,id=s test "$(wc -c < /run/secrets/s)" = 26 && cat /run/secrets/s | md5sum > /proof
		RUN --mount=type=secret,id=e,env=TOKEN test ${#TOKEN} = 26 && env | grep -c TOKEN > /n
		RUN --mount=type=secret,id=s,target=/etc/key,mode=0440,gid=50 stat -c '%a %g' /etc/key > /m
		FROM one
		RUN ls -A /run /etc > /list; env > /env
	EOF
	build --secret id=s,src=secret --secret id=e,env=FROM_ENV -t x ctx
	hasnt "$log" "$CANARY"
	bld build --secret id=s,src=secret --secret id=e,env=FROM_ENV -t x ctx
	nowhere "$BLD_ROOT"
	check_tree docker.io/library/x <<<'! /run/secrets
! /etc/key
/m content=440%2050%0a'
	config docker.io/library/x >c.json
	nowhere c.json
}

@test "a failing build shows no secret of its own and leaves none" {
	need_base
	printf %s "$CANARY" >secret
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=secret,id=s,required cp /run/secrets/s /stolen && false
	EOF
	run bld build --secret id=s,src=secret ctx
	equal "$status" 1
	hasnt "$output" "$CANARY"
	bld prune >/dev/null
	nowhere "$BLD_ROOT"
}

@test "what a shell says of a secret is masked in the error, the help and the log" {
	need_base
	printf %s "$CANARY" >secret
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=secret,id=s $(cat /run/secrets/s)
	EOF
	run bld build --secret id=s,src=secret ctx
	equal "$status" 1
	has "$output" '127'
	hasnt "$output" "$CANARY"
	nowhere "$BLD_ROOT"
}

@test "registry credentials are not in the store, the output or the arguments of others" {
	start_registry htpasswd
	printf 's3cret:with colon' | bld login -u alice --password-stdin --authfile auth.json "$REG"
	equal "$(stat -c %a auth.json)" 600
	seed "$REG/a/b:1" gz --dest-creds 'alice:s3cret:with colon'
	run bld pull --authfile auth.json "$REG/a/b:1"
	equal "$status" 0 "$output"
	hasnt "$output" 's3cret'
	CANARY='s3cret:with colon' nowhere "$BLD_ROOT"
	run bld pull --authfile missing.json "$REG/a/b:2"
	hasnt "$output" 's3cret'
}

@test "proxy variables reach RUN and nothing else" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN echo "$http_proxy" | grep -q '^http://[^/]*@proxy.invalid:1'
	EOF
	http_proxy="http://user:$CANARY@proxy.invalid:1" build -t x ctx
	nowhere "$BLD_ROOT"
	hasnt "$log" "$CANARY"
	# not in the key either
	http_proxy="http://other@proxy.invalid:1" bld build --progress=plain ctx >out 2>&1
	grep -q CACHED out
}

@test "build arguments stay out of the config" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		ARG A
		RUN true
	EOF
	build --build-arg A=visible-in-history -t x ctx
	run bash -c "python3 '$TOOLS/configdump.py' 'oci:$BLD_ROOT:docker.io/library/x:latest' | jq .config | grep visible"
	equal "$status" 1
}

# Every way in which a value may be written: as it is, base64 at the three places of a group (both
# alphabets, without the characters that hold bits of others), percent-encoded.
forms() {
	python3 - "$1" <<-'P'
		import base64, sys, urllib.parse
		v = sys.argv[1].encode()
		out = {v, urllib.parse.quote(v, safe="").encode(), urllib.parse.quote_plus(v).encode(),
		       "".join("%%%02x" % c for c in v).encode(), v.hex().encode()}
		out.discard(v.hex().encode())
		for k in range(3):
		    e = base64.b64encode(b"\0" * k + v)
		    core = e[(k * 8 + 5) // 6:((k + len(v)) * 8) // 6]
		    out |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
		for x in out:
		    print(x.decode())
	P
}

# no_trace DIR...: no form of any canary in any file, whatever it is compressed with
no_trace() {
	local f
	if grep -rlFf "$T/forms" "$@"; then return 1; fi
	while IFS= read -r f; do
		if gzip -dcq "$f" 2>/dev/null | grep -qFf "$T/forms"; then echo "in $f"; return 1; fi
	done < <(find "$@" -type f)
}

# Looks at all processes of bld until $T/stop is there; what it sees goes to $T/seen.
watch_processes() {
	python3 - "${BLD_PLAIN:-$BLD}" "$T/forms" "$T/stop" "$T/seen" <<-'P'
		import os, sys, time
		exe, forms, stop, seen = sys.argv[1:]
		forms = [l.encode() for l in open(forms).read().split("\n") if l]
		looks = 0
		first, open_environ = {}, {}  # PID -> the first look at it; whether the last one showed a secret
		with open(seen, "w") as out:
		    while not os.path.exists(stop):
		        for p in filter(str.isdigit, os.listdir("/proc")):
		            try:
		                if os.readlink("/proc/%s/exe" % p) != exe:
		                    continue
		                data = open("/proc/%s/cmdline" % p, "rb").read()
		                looks += 1
		                if any(f in data for f in forms):
		                    out.write("cmdline of %s\n" % p)
		                data = open("/proc/%s/environ" % p, "rb").read()
		                looks += 1
		                # It stands there until bld has read it: on a busy machine that is not at once. A
		                # process that ends has an empty one, which says nothing.
		                now = time.time()
		                if data:
		                    open_environ[p] = any(f in data for f in forms)
		                if data and open_environ[p] and now - first.setdefault(p, now) > 1:
		                    out.write("environ of %s\n" % p)
		            except OSError:
		                pass
		        time.sleep(0.01)
		    for p in filter(open_environ.get, open_environ):
		        out.write("environ of %s\n" % p)
		open(seen + ".looks", "w").write(str(looks))
	P
}

@test "canary: a secret used by every means is nowhere: store, logs, records, outputs, processes" {
	need_base
	CANARY='can/ary+9f3c do:not~keep?me'
	export FROM_ENV='env/canary+71aa keep&out~~'
	printf '%s\n' "$CANARY" >secret
	{ forms "$CANARY"; forms "$FROM_ENV"; } >forms
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN --mount=type=secret,id=s,required cat /run/secrets/s; cat /run/secrets/s >&2; sleep 0.3
		RUN --mount=type=secret,id=e,env=TOKEN echo "$TOKEN"; set -x; : "$TOKEN"
		RUN --mount=type=secret,id=s base64 /run/secrets/s; (printf 'user:'; cat /run/secrets/s) | base64; \
			(printf x; cat /run/secrets/s) | base64 | tr '+/' '-_' | tr -d =; base64 /run/secrets/s | fold -w 5
		RUN --mount=type=secret,id=s --mount=type=secret,id=e,env=TOKEN,target=/t \
			for f in /run/secrets/s /t; do od -An -v -tx1 $f | tr -d '\n' | sed 's/ /%/g'; echo; done; \
			echo "https://u:$(sed 's/+/%2B/g; s/ /+/g; s,/,%2F,g; s/:/%3A/g; s/?/%3f/g' /run/secrets/s)@h/"
		RUN --mount=type=secret,id=s while IFS= read -r -n1 c; do printf '%s' "$c"; sleep 0.01; done < /run/secrets/s; echo
		RUN --mount=type=secret,id=s --mount=type=cache,target=/c cp /run/secrets/s /dev/shm/s && cat /dev/shm/s
		FROM localhost/base AS fails
		RUN --mount=type=secret,id=s cp /run/secrets/s /stolen; cat /stolen; echo "no $(cat /run/secrets/s)" >&2; exit 3
		FROM localhost/base AS leaks
		RUN --mount=type=secret,id=s base64 -w0 /run/secrets/s > /leaked
		FROM localhost/base AS name
		RUN --mount=type=secret,id=e,env=TOKEN mkdir -p "/$TOKEN"
		FROM one
		RUN true
	EOF
	watch_processes &
	watcher=$!
	args=(--no-cache --secret id=s,src=secret --secret id=e,env=FROM_ENV)
	mkdir logs
	"$BLD" build "${args[@]}" --progress=plain -t x --metadata-file meta --iidfile iid ctx >logs/plain 2>&1 &
	first=$!
	"$BLD" build "${args[@]}" --progress=rawjson -o type=oci,dest=out.tar ctx >logs/rawjson 2>&1 &
	second=$!
	wait $first
	wait $second
	env TERM=xterm python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' \
		"$BLD" build "${args[@]}" --progress=tty ctx >logs/tty 2>&1
	for t in fails leaks name; do
		for p in plain rawjson tty; do
			run bld build "${args[@]}" --progress=$p --target $t ctx
			equal "$status" 1 "$t with $p"
			echo "$output" >"logs/$t-$p"
		done
	done
	has "$(cat logs/leaks-plain)" 'secret "s" .*: /leaked'
	has "$(cat logs/name-plain)" 'secret "e" .*: /\*\*\*'
	has "$(cat logs/fails-plain)" 'no \*\*\*'
	has "$(cat logs/plain)" '\*\*\*@h/'
	[ "$(grep -o '\*\*\*' logs/plain | wc -l)" -ge 11 ]
	touch stop
	wait $watcher
	equal "$(cat seen)" '' 'seen in /proc'
	[ "$(cat seen.looks)" -gt 20 ]
	config docker.io/library/x >logs/config
	bld history docker.io/library/x >logs/history
	bld logs >logs/logs 2>&1 || true
	cp meta iid out.tar logs
	mkdir unpacked && tar -C unpacked -xf out.tar
	no_trace "$BLD_ROOT" logs unpacked
}

@test "a layer that holds a secret: the path is named, nothing of it stays, a flag allows it" {
	need_base
	printf %s "$CANARY" >secret
	for what in 'cp /run/secrets/s /etc/kept' 'ln -s $(cat /run/secrets/s) /link' \
		'mkdir /d-$(cat /run/secrets/s)' 'base64 /run/secrets/s > /b64' \
		'(echo -n user:; cat /run/secrets/s) | base64 > /auth' \
		'dd if=/dev/zero of=/big bs=1k count=3000 2>/dev/null; cat /run/secrets/s >> /big'; do
		printf 'FROM localhost/base\nRUN true\nRUN --mount=type=secret,id=s %s\n' "$what" >ctx/Dockerfile
		fails 1 'Dockerfile:3.*secret "s" is in what RUN left behind: /' bld build --secret id=s,src=secret ctx
		has "$stderr" 'allow secret-in-layer'
		hasnt "$stderr" "$CANARY"
		nowhere "$BLD_ROOT"
	done
	bld build --secret id=s,src=secret --allow secret-in-layer -t y ctx
	# a step without a secret mount is not looked at, nor are values of less than eight bytes
	printf 1234567 >short
	printf 'FROM localhost/base\nRUN --mount=type=secret,id=n cat /run/secrets/n > /n\nRUN echo %s > /open\n' "$CANARY" >ctx/Dockerfile
	build --secret id=s,src=secret --secret id=n,src=short ctx
	has "$log" '1234567|DONE'
}

@test "what shows a secret on the way to the terminal shows three stars" {
	need_base
	printf '%s\nsecond-line-of-it\n' "$CANARY" >secret
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=secret,id=s echo "<$(head -1 /run/secrets/s)>"; tail -1 /run/secrets/s; echo canary-9f; echo other
	EOF
	build --secret id=s,src=secret ctx
	has "$log" '<\*\*\*>'
	has "$log" '[0-9] \*\*\*$'
	has "$log" '[0-9] canary-9f$'
	has "$log" '[0-9] other$'
	hasnt "$log" 'second-line'
}

@test "a variable given as a secret is in no environment of a child; others are" {
	start_registry htpasswd
	seed "$REG/a/b:1" gz --dest-creds 'alice:s3cret:with colon'
	mkdir -p bin
	cat >bin/docker-credential-spy <<-EOF
		#!/bin/sh
		cat >/dev/null
		env >"$T/seen"
		printf '{"Username":"alice","Secret":"s3cret:with colon"}'
	EOF
	cat >bin/git <<-EOF
		#!/bin/sh
		env >"$T/seen.git"
		exit 1
	EOF
	chmod 755 bin/*
	printf '{"credHelpers":{"%s":"spy"}}' "$REG" >auth.json
	export FROM_ENV=$CANARY https_proxy=http://127.0.0.1:1 OTHER=other-value PATH=$T/bin:$PATH
	printf 'FROM %s/a/b:1\nADD https://127.0.0.1:1/x.git /x\n' "$REG" >ctx/Dockerfile
	run bld build --authfile auth.json --secret id=one,env=FROM_ENV --secret id=two,env=FROM_ENV \
		--secret id=p,env=https_proxy ctx
	equal "$status" 5 "$output"
	has "$(cat seen)" '^OTHER=other-value'
	has "$(cat seen)" '^https_proxy='
	hasnt "$(cat seen)" "$CANARY"
	hasnt "$(cat seen.git)" "$CANARY"
	hasnt "$(cat seen.git)" 'OTHER='
}

@test "bld leaves no core dump, and can be looked at while it runs" {
	python3 - "$BLD" <<-'EOF'
	import os, resource, signal, subprocess, sys
	resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
	p = subprocess.Popen([sys.argv[1], "build", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
	p.stdin.write(b"FROM scratch\n" * 10000)  # more than a pipe holds: it has started, and reads
	p.stdin.flush()
	limit = [x.split() for x in open(f"/proc/{p.pid}/limits") if x.startswith("Max core")][0]
	assert os.stat(f"/proc/{p.pid}/environ").st_uid == os.geteuid()
	os.kill(p.pid, signal.SIGSEGV)
	_, status = os.waitpid(p.pid, 0)
	assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status), (status, limit)
	assert limit[4:6] == ["1", "1"], limit
	EOF
	equal "$(find . -name 'core*')" ''
}
