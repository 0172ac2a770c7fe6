#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Secrets and credentials end up nowhere.

load helpers

CANARY=canary-9f3c-do-not-keep-me

nowhere() { # no file below DIR... holds the canary, plain, in base64 or inside a compressed blob
	local f b64
	b64=$(printf %s "$CANARY" | base64 | cut -c1-30)
	! grep -rlF -e "$CANARY" -e "$b64" "$@" || return 1
	while IFS= read -r f; do
		! { gzip -dcq "$f" 2>/dev/null | grep -qF "$CANARY"; } || { echo "$f"; return 1; }
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
