#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Debian's docker-registry in four ways: plain, htpasswd, TLS, tokens; and a scripted one.

load helpers

image() {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN echo one > /one
		RUN head -c 300000 /dev/urandom > /random
	EOF
	build -t img "$@" ctx
}
PASSWORD='s3cret:with colon'

# roundtrip [options]: push img to $REG, read it with skopeo, pull it into a fresh store
roundtrip() {
	local want
	ok bld push "$@" img "$REG/team/app:v1"
	has "$output" 'sha256:[0-9a-f]{64}'
	pushed=$(grep -oE 'sha256:[0-9a-f]{64}' <<<"$output" | tail -1)
	want=$(tree docker.io/library/img)
	ok bld --root "$T/other" pull "$@" "$REG/team/app:v1"
	equal "$(BLD_ROOT=$T/other tree "$REG/team/app:v1")" "$want"
	equal "$(BLD_ROOT=$T/other digest "$REG/team/app:v1")" "$pushed"
	ok bld --root "$T/other" verify
	ok bld --root "$T/other" run "$REG/team/app:v1" cat /one
	equal "$output" one
	rm -rf "$T/other"
}

@test "plain: push, skopeo, pull" {
	image
	start_registry
	roundtrip
	skopeo inspect --tls-verify=false "docker://$REG/team/app:v1" >inspect
	equal "$(jq -r .Digest inspect)" "$pushed"
	skopeo copy -q --src-tls-verify=false "docker://$REG/team/app:v1" oci:copied:x
	python3 "$TOOLS/treedump.py" "oci:copied:x" >a
	tree docker.io/library/img | diff - a
	skopeo inspect --raw --tls-verify=false "docker://$REG/team/app:v1" >raw
	equal "$(jq -r '[.layers[].mediaType] | unique | .[]' raw)" 'application/vnd.oci.image.layer.v1.tar+gzip'
}

@test "the second push uploads nothing, only the manifest" {
	image
	start_registry
	ok bld push img "$REG/a/one"
	: >"$T/reg-plain.log"
	ok bld push img "$REG/a/one:again"
	hasnt "$(cat reg-plain.log)" '"(POST|PATCH) /v2/a/one/blobs/uploads'
	has "$(cat reg-plain.log)" 'PUT /v2/a/one/manifests/again'
}

@test "another repository of the same registry: blobs are mounted" {
	image
	start_registry
	ok bld push img "$REG/a/one"
	: >"$T/reg-plain.log"
	ok bld push img "$REG/b/two"
	has "$(cat reg-plain.log)" 'mount=sha256'
	hasnt "$(cat reg-plain.log)" 'PATCH /v2/b/two'
	skopeo inspect --tls-verify=false "docker://$REG/b/two" >/dev/null
}

@test "a mount that is refused falls back to an upload" {
	image
	start_faulty "$(base_layout)"
	ok bld push img "$FAULTY/nomount/one:1"
	ok bld push img "$FAULTY/nomount/two:1"
	skopeo inspect --raw --tls-verify=false "docker://$FAULTY/nomount/two:1" >/dev/null
}

@test "htpasswd: no credentials, wrong ones, good ones, logout" {
	image
	start_registry htpasswd
	fails 6 '401|unauthori|credential' bld push img "$REG/team/app:v1"
	fails 6 '401|unauthori|wrong|refused|denied' bash -c "printf wrong | '$BLD' login -u alice --password-stdin $REG"
	printf %s "$PASSWORD" | bld login -u alice --password-stdin "$REG"
	auth=$(find "$T/home" "$T/run" -name '*.json' | head -1)
	equal "$(stat -c %a "$auth")" 600
	roundtrip
	ok bld logout "$REG"
	fails 6 '.' bld pull "$REG/team/app:v1"
	fails 4 '.' bld logout "$REG"
}

@test "credentials: authfile, REGISTRY_AUTH_FILE, docker config, helper" {
	image
	start_registry htpasswd
	b64=$(printf 'alice:%s' "$PASSWORD" | base64)
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$REG" "$b64" >my.json
	ok bld push --authfile my.json img "$REG/a/b:1"
	REGISTRY_AUTH_FILE=$T/my.json ok bld pull "$REG/a/b:1"
	mkdir dc
	cp my.json dc/config.json
	DOCKER_CONFIG=$T/dc ok bld pull "$REG/a/b:1"
	mkdir bin
	cat >bin/docker-credential-mine <<-EOF
		#!/bin/sh
		[ "\$1" = get ] || exit 1
		read server
		echo "\$server" > $T/asked
		printf '{"ServerURL":"%s","Username":"alice","Secret":"$PASSWORD"}' "\$server"
	EOF
	chmod 755 bin/docker-credential-mine
	printf '{"credHelpers":{"%s":"mine"}}' "$REG" >helper.json
	PATH=$T/bin:$PATH ok bld pull --authfile helper.json "$REG/a/b:1"
	equal "$(cat asked)" "$REG"
	# a key with a path is more specific than the host
	wrong=$(printf 'alice:no' | base64)
	printf '{"auths":{"%s":{"auth":"%s"},"%s/a":{"auth":"%s"}}}' "$REG" "$wrong" "$REG" "$b64" >path.json
	ok bld pull --authfile path.json "$REG/a/b:1"
	printf '{"auths":' >broken.json
	run --separate-stderr bld pull --authfile broken.json "$REG/a/b:1"
	[[ $status = 4 || $status = 6 ]]
	has "$stderr" broken.json
}

@test "TLS: unknown CA refused, certs.d accepted, verification can be turned off" {
	image
	start_registry tls
	fails 5 'certificate|TLS|SSL' bld push img "$REG/team/app:v1"
	roundtrip --tls-verify=false
	mkdir -p "home/.config/containers/certs.d/$REG"
	cp ca.pem "home/.config/containers/certs.d/$REG/ca.crt"
	roundtrip
}

@test "plain http only on loopback or when asked" {
	image
	ip=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -E '^[0-9.]+$' | grep -v '^127' | head -1)
	[ -n "$ip" ] || ip=192.0.2.1
	start_faulty "$(base_layout)"
	run --separate-stderr timeout 60 "$BLD" pull "$ip:${FAULTY#*:}/ok/x:gz"
	equal "$status" 5
}

@test "tokens: public without a login, private with one, scopes as they should be" {
	image
	start_registry token
	skopeo copy -q --dest-tls-verify=false --dest-creds "alice:$PASSWORD" "oci:$(base_layout):gz" "docker://$REG/public/base:1"
	ok bld pull "$REG/public/base:1"
	fails 6 '.' bld push img "$REG/private/app:1"
	printf %s "$PASSWORD" | bld login -u alice --password-stdin "$REG"
	roundtrip
	: >token.log
	ok bld push img "$REG/private/app:1"
	jq -se 'any(.scopes[] | test("^repository:private/app:(pull,push|push,pull)$"))' token.log
	jq -se 'all(.service == ["bld-registry"])' token.log
	: >token.log
	ok bld push img "$REG/private/mounted:1"
	ok bld --root other pull "$REG/private/app:1"
	jq -se 'any(.scopes[] | . == "repository:private/app:pull")' token.log
	rm -rf other
}

@test "credentials go to their origin only" {
	start_faulty "$(base_layout)"
	b64=$(printf 'alice:secret' | base64)
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$FAULTY" "$b64" >my.json
	ok bld pull --authfile my.json "$FAULTY/basic/x:gz"
	rm -rf "$BLD_ROOT"
	: >faulty.requests
	ok bld pull --authfile my.json "$FAULTY/redirect/x:gz"
	jq -se 'map(select(.path | startswith("/elsewhere"))) | length > 0 and all(.auth == null)' faulty.requests
	# nothing is sent without a challenge
	jq -se 'map(select(.path | contains("redirect"))) | all(.auth == null)' faulty.requests
}

@test "a public registry whose blobs are on a private address: refused, unless it may" {
	local at=203.0.113.1 inside=10.1.2.3
	unshare -n true 2>/dev/null || skip "no network namespace"
	background faulty unshare -n python3 "$TOOLS/addresses.py" $at,$inside,169.254.1.1 \
		python3 "$TOOLS/faultregistry.py" --layout "$(base_layout)" \
		--port-file faulty.port --log faulty.requests --addresses $at,$inside
	wait_for faulty.port
	at=$at:$(cat faulty.port)
	there() { nsenter -t "${STARTED[-1]}" -n "$BLD" "$@"; }
	fails 6 "$inside.* private to this machine or network" there pull --tls-verify=false "$at/redirect/x:gz"
	has "$stderr" "^help: .*--allow-private $at, or BLD_ALLOW_PRIVATE=$at\$"
	hasnt "$(cat faulty.requests)" /elsewhere
	fails 6 'private to this' there pull --tls-verify=false --allow-private "$inside,other.test,203.0.113.1:1" "$at/redirect/x:gz"
	ok there pull --tls-verify=false --allow-private "$at" "$at/redirect/x:gz"
	jq -se 'map(select(.path | startswith("/elsewhere"))) | length > 0' faulty.requests
	printf 'FROM %s/redirect/x:gz\n' "$at" >ctx/Dockerfile
	fails 6 'private to this' there --root other build --tls-verify=false ctx
	BLD_ALLOW_PRIVATE=other.test,203.0.113.1 ok there --root other build --tls-verify=false ctx
	# A file that ADD fetches: the address of the registry's blobs, through a redirect of its host.
	blob=$(jq -r 'select(.path | startswith("/elsewhere")).path' faulty.requests | head -1)
	printf 'FROM scratch\nADD http://%s/v2/redirect/x/blobs/%s /f\n' "$at" "${blob##*/}" >ctx/Dockerfile
	fails 6 'private to this' there --root third build ctx
	ok there --root third build --allow-private 203.0.113.1 ctx
}

@test "an index: the image of this platform; another on request; digests" {
	start_registry
	seed "$REG/multi:1" multi
	ok bld pull "$REG/multi:1"
	holds "$REG/multi:1" '.architecture == "amd64"'
	d=$(skopeo inspect --raw --tls-verify=false "docker://$REG/multi:1" | sha256sum | cut -d' ' -f1)
	ok bld pull "$REG/multi@sha256:$d"
	printf 'FROM --platform=linux/arm64 %s/multi:1\nCOPY Dockerfile /f\n' "$REG" >ctx/Dockerfile
	build -t arm --platform linux/arm64 ctx
	holds docker.io/library/arm '.architecture == "arm64"'
	fails 5 'platform|s390x|no image|match' bld build --platform linux/s390x -f - ctx <<<"FROM $REG/multi:1
COPY Dockerfile /f"
	fails 5 'sha256|not found|unknown|404' bld pull "$REG/multi@sha256:$(printf 0%.0s $(seq 64))"
}

@test "base images: gzip, zstd, Docker types; FROM with a digest" {
	start_registry
	for i in gz zst; do seed "$REG/$i:1" $i; done
	# skopeo reads no layout with Docker's types, but makes them
	seed "$REG/docker:1" gz --format v2s2
	for i in gz zst docker; do
		printf 'FROM %s/%s:1\nRUN echo %s > /x\n' "$REG" "$i" "$i" >ctx/Dockerfile
		build -t "from-$i" ctx
		check_tree "docker.io/library/from-$i" <<<"/x content=$i%0a
/bin/busybox type=f"
	done
	d=$(skopeo inspect --tls-verify=false "docker://$REG/gz:1" | jq -r .Digest)
	printf 'FROM %s/gz:1@%s\nRUN true\n' "$REG" "$d" >ctx/Dockerfile
	build ctx
	ok bld verify
}

@test "--pull asks again, without it the store is enough" {
	start_registry
	seed "$REG/moving:1" gz
	printf 'FROM %s/moving:1\nRUN cat /etc/passwd | wc -l > /tmp/x\n' "$REG" >ctx/Dockerfile
	build -t a ctx
	: >reg-plain.log
	build -t a ctx
	hasnt "$(cat reg-plain.log)" '/v2/moving'
	seed "$REG/moving:1" onbuild
	build -t a ctx
	holds docker.io/library/a '.config.Labels.base != "1"'
	echo >ctx/f
	build --pull -t a ctx
	holds docker.io/library/a '.config.Labels.base == "1"'
	stop_all
	build -t a ctx
}

@test "build --push, and what was pushed is what was built" {
	need_base
	start_registry
	dockerfile <<<'FROM localhost/base
RUN echo pushed > /x'
	ok bld build -t "$REG/direct/one:1" -t "$REG/direct/two:2" --push ctx
	for n in direct/one:1 direct/two:2; do
		skopeo copy -q --src-tls-verify=false "docker://$REG/$n" "oci:got:x"
		python3 "$TOOLS/treedump.py" oci:got:x >a
		tree "$REG/$n" | diff - a
		rm -rf got
	done
}

# incompressible and large enough to be sent while it is compressed, and a file that is neither
big() {
	dockerfile <<<'FROM scratch
COPY big /
COPY small /'
	head -c 40000000 /dev/urandom >ctx/big
	seq 300000 >ctx/small
	build -t big ctx
}

@test "a layer that is sent while it is compressed; killed on the way; pushed again" {
	big
	start_registry
	"$BLD" push -q big "$REG/big/one:1" >/dev/null 2>&1 &
	until grep -q 'POST /v2/big/one/blobs/uploads' "$T/reg-plain.log" || ! kill -0 $!; do :; done
	kill -9 $! || true
	wait $! || true
	ok bld push big "$REG/big/one:1"
	pushed=$(grep -oE 'sha256:[0-9a-f]{64}' <<<"$output" | tail -1)
	# The same as a build of the same layers by one that compressed first.
	rm -rf "$BLD_ROOT"/bld/forms/*
	ok bld push big oci:out:x
	equal "$(skopeo inspect --raw oci:out:x | sha256sum | cut -c1-64)" "${pushed#sha256:}"
	: >"$T/reg-plain.log"
	ok bld push big "$REG/big/one:2"
	hasnt "$(cat reg-plain.log)" '"(POST|PATCH) /v2/big/one/blobs/uploads'
	skopeo copy -q --src-tls-verify=false "docker://$REG/big/one:1" oci:copied:x
	python3 "$TOOLS/treedump.py" oci:copied:x >a
	tree docker.io/library/big | diff - a
	ok bld --root "$T/other" pull "$REG/big/one:1"
	equal "$(BLD_ROOT=$T/other digest "$REG/big/one:1")" "$pushed"
	ok bld --root "$T/other" verify
	rm -rf "$T/other"
}

@test "--compression: kinds and levels, each readable by other tools" {
	big
	start_registry
	for kind in gzip:2 gzip:9 zstd zstd:9 none; do
		ok bld push --compression $kind big "$REG/kinds/${kind/:/-}:1"
		rm -rf copied
		skopeo copy -q --src-tls-verify=false "docker://$REG/kinds/${kind/:/-}:1" oci:copied:x
		python3 "$TOOLS/treedump.py" oci:copied:x >a
		tree docker.io/library/big | diff - a
		want=application/vnd.oci.image.layer.v1.tar
		[ $kind = none ] || want=$want+${kind%:*}
		skopeo inspect --raw --tls-verify=false "docker://$REG/kinds/${kind/:/-}:1" >raw
		equal "$(jq -r '[.layers[].mediaType] | unique | .[]' raw)" $want
		for d in $(jq -r '.layers[].digest' raw); do
			case $kind in
			gzip*) gzip -t <"$BLD_ROOT/blobs/sha256/${d#*:}" ;;
			zstd*) zstd -qt <"$BLD_ROOT/blobs/sha256/${d#*:}" ;;
			esac
		done
		ok bld --root "$T/other" pull "$REG/kinds/${kind/:/-}:1"
		equal "$(BLD_ROOT=$T/other tree "$REG/kinds/${kind/:/-}:1" | sha256sum)" \
			"$(tree docker.io/library/big | sha256sum)"
		rm -rf "$T/other"
	done
	fails 2 'gzip:1 to gzip:9' bld push --compression gzip:99 big "$REG/kinds/bad:1"
}

# pushed_as_docker NAME: what the registry has is of Docker's types, and is the image docker.io/library/img
pushed_as_docker() {
	skopeo inspect --raw --tls-verify=false "docker://$1" >raw
	hasnt "$(cat raw)" 'vnd\.oci\.|annotations'
	equal "$(jq -r .mediaType raw)" application/vnd.docker.distribution.manifest.v2+json
	rm -rf copied
	skopeo copy -q --src-tls-verify=false "docker://$1" dir:copied
	ok bld --root "$T/other" pull "$1"
	equal "$(BLD_ROOT=$T/other tree "$1")" "$(tree docker.io/library/img)"
	equal "sha256:$(sha256sum <raw | cut -d' ' -f1)" "$(BLD_ROOT=$T/other digest "$1")"
	rm -rf "$T/other"
}

@test "a registry that refuses OCI: --format auto sends Docker's types, the default says so" {
	image --annotation note=1
	mkdir -p empty/blobs/sha256
	echo '{"schemaVersion":2,"manifests":[]}' >empty/index.json
	start_faulty "$T/empty"
	for code in 415 400; do
		fails 5 "--format docker, or --format auto" bld push img "$FAULTY/oci$code/app:1"
		ok bld push --format auto img "$FAULTY/oci$code/app:1"
		has "$stderr" 'annotations are left out'
		has "$output" "$(skopeo inspect --raw --tls-verify=false "docker://$FAULTY/oci$code/app:1" | sha256sum | cut -d' ' -f1)"
		pushed_as_docker "$FAULTY/oci$code/app:1"
	done
	ok bld push --format docker img "$FAULTY/oci415/asked:1"
	pushed_as_docker "$FAULTY/oci415/asked:1"
	fails 2 'know no zstd' bld push --format docker --compression zstd img "$FAULTY/oci415/asked:1"
	ok bld push --format auto --compression zstd img "$FAULTY/oci415/zstd:1"
	has "$stderr" 'layers go as gzip'
	pushed_as_docker "$FAULTY/oci415/zstd:1"
	# One that takes them gets them.
	ok bld push --format auto img "$FAULTY/ok/app:1"
	equal "$(skopeo inspect --raw --tls-verify=false "docker://$FAULTY/ok/app:1" | jq -r .mediaType)" \
		application/vnd.oci.image.manifest.v1+json
}

@test "build --push --format auto: files of digests say what the registry has; an index is a manifest list" {
	dockerfile <<<'FROM scratch
COPY Dockerfile /'
	mkdir -p empty/blobs/sha256
	echo '{"schemaVersion":2,"manifests":[]}' >empty/index.json
	start_faulty "$T/empty"
	fails 7 '--format auto' bld build -q -t "$FAULTY/oci400/one" --push ctx
	ok bld build -t "$FAULTY/oci400/one" --push --format auto --digestfile d --metadata-file m ctx
	digest=sha256:$(skopeo inspect --raw --tls-verify=false "docker://$FAULTY/oci400/one" | sha256sum | cut -d' ' -f1)
	equal "$(cat d)" "$digest"
	has "$output" "^pushed  $FAULTY/oci400/one:latest@$digest"
	equal "$(jq -r '."containerimage.digest", ."containerimage.descriptor".mediaType' m)" \
		"$digest"$'\n'application/vnd.docker.distribution.manifest.v2+json
	# The image in the store is what it was.
	has "$(bld inspect "$FAULTY/oci400/one")" 'vnd.oci.image.manifest'
	export BLD_FORMAT=auto
	ok bld build --platform linux/amd64,linux/arm64 -t "$FAULTY/oci400/two" --push \
		--annotation index:a=b --digestfile d --metadata-file m ctx
	has "$stderr" 'annotations are left out'
	skopeo inspect --raw --tls-verify=false "docker://$FAULTY/oci400/two" >raw
	hasnt "$(cat raw)" 'vnd\.oci\.|annotations'
	equal "$(jq -r .mediaType raw)" application/vnd.docker.distribution.manifest.list.v2+json
	equal "$(jq -r '.manifests[].platform.architecture' raw)" $'amd64\narm64'
	equal "$(cat d)" "sha256:$(sha256sum <raw | cut -d' ' -f1)"
	equal "$(jq -r '."containerimage.digest"' m)" "$(cat d)"
	skopeo copy -q --all --src-tls-verify=false "docker://$FAULTY/oci400/two" dir:copied
	ok bld push --format docker "$FAULTY/oci400/two" "$FAULTY/oci415/three"
	equal "$(skopeo inspect --raw --tls-verify=false "docker://$FAULTY/oci415/three" | sha256sum)" "$(sha256sum <raw)"
}

@test "what answers there is no registry, or speaks another TLS: what it is, and what to do" {
	make_ca
	port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
	server() { # NAME OPTION...: of https; sets $AT
		AT=127.0.0.1:$(port)
		background "$1" openssl s_server -accept "$AT" -cert server.pem -key server.key -www "${@:2}"
		wait_text "$1.log" ACCEPT
	}
	from() { # STATUS REGEX OPTION...: a build FROM it
		printf 'FROM %s/x\n' "$AT" >ctx/Dockerfile
		fails "$1" "$2" bld build --retry 0 "${@:3}" ctx
	}
	add() { # STATUS REGEX SCHEME: a build with ADD from it
		printf 'FROM scratch\nADD %s://%s/f /\n' "$3" "$AT" >ctx/Dockerfile
		fails "$1" "$2" bld build --cert-dir certs ctx
	}
	mkdir certs && cp ca.pem certs/ca.crt
	# Old TLS: said so with any --tls-verify, also where http is tried next.
	server old -tls1_1 -cipher 'ALL:@SECLEVEL=0'
	for o in --cert-dir=certs --tls-verify=true --tls-verify=false; do
		from 5 "$AT: the server speaks only a TLS that is too old; 1.2 or 1.3 is needed \(" "$o"
		has "$stderr" 'help: whoever runs it has to switch on TLS 1.2'
	done
	add 5 'a TLS that is too old' https
	# It wants to know who we are.
	server asks3 -tls1_3 -Verify 1 -verify_return_error
	from 5 "$AT: the server wants a certificate of the client" --cert-dir=certs
	has "$stderr" "help: .*certs.d/$AT/client.cert"
	server asks2 -tls1_2 -Verify 1 -verify_return_error
	from 5 'it wants a certificate of the client, or has no cipher' --cert-dir=certs
	# https asked for with http: a server that hangs up, and one that says it.
	server tls
	add 5 "$AT: the server closes the connection without an answer \(Empty reply" http
	has "$stderr" 'help: .*https is asked with https://'
	start_registry tls
	AT=$REG
	add 5 'HTTP 400' http
	has "$stderr" 'help: the server speaks https there and was asked with http'
	add 5 'HTTP 404' https
	# http asked for with https
	start_registry
	AT=$REG
	from 5 "$AT: the server answers without TLS, so it is no server of https" --tls-verify=true
	has "$stderr" 'help: a registry that speaks only http needs --tls-verify=false'
	add 5 'answers without TLS' https
	has "$stderr" 'help: if it speaks only http, the URL begins with http://'
	# Neither of them
	AT=127.0.0.1:$(port)
	background ssh python3 -c 'if 1:
		import socket, sys
		s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
		print("ready", flush=True)
		while True:
		    c = s.accept()[0]
		    c.recv(4096); c.sendall(b"SSH-2.0-x\r\n"); c.close()' "${AT#*:}"
	wait_text ssh.log ready
	from 5 "$AT: the server does not answer in HTTP .*; asked with https: $AT: the server answers without TLS"
	has "$stderr" 'help: check the name and port: what answers there is no registry'
	add 5 'does not answer in HTTP' http
}
