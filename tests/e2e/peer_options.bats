#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options of `bld build` that scripts for docker and buildah use: they do here what they do there.

load helpers

PASSWORD='s3cret:with colon'

# put NAME TEXT: an image with /f = TEXT in the registry, built in a store of its own
put() {
	mkdir -p other
	printf 'FROM scratch\nCOPY f /f\n' >other/Dockerfile
	echo "$2" >other/f
	BLD_ROOT=$T/other-store bld build -q -t "$1" --push other >/dev/null
}

@test "--pull: always, missing, newer, never, true, false" {
	start_registry
	put "$REG/base:1" one
	printf 'FROM %s/base:1\n' "$REG" >ctx/Dockerfile
	fails 4 'never forbids' bld build --pull=never ctx
	ok bld build -q -t localhost/a --pull=newer ctx
	check_tree localhost/a <<<'/f content=one%0a'
	put "$REG/base:1" two
	for p in missing false never; do
		ok bld build -q -t localhost/a --pull=$p ctx
		check_tree localhost/a <<<'/f content=one%0a'
	done
	ok bld build -q -t localhost/a --pull=newer ctx
	check_tree localhost/a <<<'/f content=two%0a'
	for p in --pull --pull=true --pull=always; do
		put "$REG/base:1" "three$p"
		ok bld build -q -t localhost/a $p ctx
		check_tree localhost/a <<<"/f content=three$p%0a"
	done
	fails 2 'always, missing, newer or never' bld build --pull=sometimes ctx
}

@test "--pull=newer: the registry that is gone is a warning, always is an error" {
	start_registry
	put "$REG/base:1" one
	printf 'FROM %s/base:1\n' "$REG" >ctx/Dockerfile
	ok bld build -q -t localhost/a ctx
	bld tag "$REG/base:1" 127.0.0.1:1/base:1
	printf 'FROM 127.0.0.1:1/base:1\n' >ctx/Dockerfile
	ok bld build --retry 0 --pull=newer -t localhost/a ctx
	has "$stderr" 'warning: 127.0.0.1:1/base:1: the one in the store is taken'
	check_tree localhost/a <<<'/f content=one%0a'
	fails 5 '.' bld build --retry 0 --pull=always ctx
	# one that is not there at all
	printf 'FROM 127.0.0.1:1/none:1\n' >ctx/Dockerfile
	fails 5 '.' bld build --retry 0 --pull=newer ctx
}

@test "--creds: for the registry that is pushed to, else that of the first FROM, and for no other" {
	start_registry htpasswd
	printf 'FROM scratch\nCOPY f /f\n' >ctx/Dockerfile
	echo x >ctx/f
	fails 7 '401|unauthori' bld build -q -t "$REG/a:1" --push ctx
	fails 7 '401|unauthori' bld build -q -t "$REG/a:1" --push --creds alice:wrong ctx
	ok bld build -q -t "$REG/a:1" --push --creds "alice:$PASSWORD" ctx
	bld rmi "$REG/a:1"
	# nothing is kept
	run find home run -name '*.json'
	equal "$output" ''
	printf 'FROM %s/a:1\n' "$REG" >ctx/Dockerfile
	fails 6 '401|unauthori' bld build --pull=always ctx
	ok bld build -q --pull=always --creds "alice:$PASSWORD" -t localhost/b ctx
	# what is missing is asked for, and here is nobody
	fails 2 'no terminal' setsid "$BLD" build --creds alice ctx
	fails 2 'no terminal' setsid "$BLD" build --creds '' ctx
}

@test "--creds: a second registry of the Dockerfile does not get them" {
	need_base
	start_registry htpasswd
	start_faulty "$(base_layout)"
	put_ctx() { printf 'FROM %s\nCOPY --from=%s /bin/busybox /x\n' "$1" "$2" >ctx/Dockerfile; }
	printf 'FROM scratch\nCOPY f /f\n' >ctx/Dockerfile
	echo x >ctx/f
	ok bld build -q -t "$REG/a:1" --push --creds "alice:$PASSWORD" ctx
	bld rmi "$REG/a:1"
	# The second one asks for Basic and would take any.
	put_ctx "$REG/a:1" "$FAULTY/basic/x:gz"
	fails 6 '401|403|unauthori|credential' bld build --creds "alice:$PASSWORD" --pull=always ctx
	jq -se 'length > 0 and all(.auth == null)' faulty.requests
	: >faulty.requests
	put_ctx "$FAULTY/basic/x:gz" "$REG/a:1"
	run --separate-stderr bld build --creds alice:pass --pull=always ctx
	jq -se 'any(.auth != null)' faulty.requests
}

@test "--cert-dir: for bases, pushes and ADD" {
	start_registry tls
	printf 'FROM scratch\nCOPY f /f\n' >ctx/Dockerfile
	echo x >ctx/f
	mkdir certs
	cp ca.pem certs/ca.crt
	fails 7 'certificate|TLS|SSL' bld build -q --tls-verify -t "$REG/a:1" --push ctx
	ok bld build -q --cert-dir certs -t "$REG/a:1" --push ctx
	bld rmi "$REG/a:1"
	printf 'FROM %s/a:1\nADD https://%s/v2/ /v2\n' "$REG" "$REG" >ctx/Dockerfile
	fails 5 'certificate|TLS|SSL' bld build --tls-verify ctx
	ok bld build -q --cert-dir certs -t localhost/a ctx
}

@test "--layers=false: one layer, nothing from the cache; a cache mount keeps what it holds" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=cache,target=/c echo x >>/c/n; cp /c/n /n
		RUN echo 2 >/two; rm /n; cp /proc/sys/kernel/random/uuid /u
		RUN --mount=type=cache,target=/c wc -l </c/n >/count
	EOF
	ok bld build -q -t localhost/a --layers=false ctx
	ok bld build -q -t localhost/b --layers=false ctx
	equal "$(($(config localhost/b | jq '.rootfs.diff_ids | length') - $(config localhost/base | jq '.rootfs.diff_ids | length')))" 1
	check_tree localhost/b <<<'/count content=2%0a'
	if [ "$(tree localhost/a | grep '^/u ')" = "$(tree localhost/b | grep '^/u ')" ]; then false; fi
	ok bld build -q -t localhost/c --layers=true ctx
	equal "$(($(config localhost/c | jq '.rootfs.diff_ids | length') - $(config localhost/base | jq '.rootfs.diff_ids | length')))" 3
}

@test "--manifest: the image is put into an index, made when there is none" {
	printf 'FROM scratch\nCOPY f /f\n' >ctx/Dockerfile
	echo x >ctx/f
	ok bld build -q --platform linux/amd64 --manifest list:1 ctx
	ok bld build -q --platform linux/arm64 --manifest list:1 -t localhost/arm ctx
	ok bld manifest inspect list:1
	equal "$(jq -r '[.manifests[].platform.architecture] | sort | join(" ")' <<<"$output")" 'amd64 arm64'
	has "$output" "$(digest localhost/arm)"
	# one for the same platform is replaced; it stays after a prune
	echo y >ctx/f
	ok bld build -q --platform linux/arm64 --manifest list:1 -t localhost/arm2 ctx
	ok bld manifest inspect list:1
	equal "$(jq '.manifests | length' <<<"$output")" 2
	has "$output" "$(digest localhost/arm2)"
	hasnt "$output" "$(digest localhost/arm)"
	ok bld prune
	ok bld verify
	# several platforms at once
	ok bld build -q --platform linux/amd64,linux/s390x --manifest list:2 --format docker ctx
	ok bld manifest inspect list:2
	equal "$(jq -r '[.manifests[].platform.architecture] | sort | join(" ")' <<<"$output")" 'amd64 s390x'
	has "$output" 'docker.distribution.manifest.list'
	# before anything is built: a name that an image has
	printf 'FROM scratch\nCOPY none /\n' >ctx/Dockerfile
	fails 2 '--manifest.*is a single image' bld build --manifest localhost/arm ctx
	fails 2 'for one target' bld build --manifest x --target a --target b ctx
}

@test "--source-date-epoch: as the variable, and an ARG of the name" {
	printf 'FROM scratch\nARG SOURCE_DATE_EPOCH\nCOPY f /f\nLABEL e=$SOURCE_DATE_EPOCH\n' >ctx/Dockerfile
	echo x >ctx/f
	ok bld build -q -t localhost/a --source-date-epoch 1000000000 ctx
	equal "$(config localhost/a | jq -r '.created + " " + .config.Labels.e')" '2001-09-09T01:46:40Z 1000000000'
	local id=$output
	SOURCE_DATE_EPOCH=5 ok bld build -q --source-date-epoch 1000000000 --no-cache ctx
	equal "$output" "$id"
	ok bld build -q --build-arg SOURCE_DATE_EPOCH=1000000000 ctx
	equal "$output" "$id"
	fails 2 'source-date-epoch' bld build --source-date-epoch tomorrow ctx
	fails 2 'exclude each other' bld build --source-date-epoch 1 --timestamp 1 ctx
}

@test "--env: in front of every stage's lines, of the caller's environment too" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN echo "$K $B" >/seen
		LABEL l=$K
		ENV K=own
		FROM one AS two
		RUN echo "$K" >>/seen
		ENV C=last
	EOF
	B=of-caller ok bld build -q -t localhost/a --env K=cli --env B --env C= --env GONE ctx
	check_tree localhost/a <<<'/seen content=cli%20of-caller%0acli%0a'
	equal "$(config localhost/a | jq -r '.config.Labels.l')" cli
	equal "$(config localhost/a | jq -r '[.config.Env[] | select(test("^(K|B|C|GONE)="))] | sort | join(" ")')" 'B=of-caller C=last K=cli'
	has "$(config localhost/a | jq -r '.history[].created_by')" '^ENV K=cli B=of-caller C=$'
	# another value, another RUN
	ok bld build -q -t localhost/b --env K=cli2 ctx
	check_tree localhost/b <<<'/seen content=cli2%20%0acli2%0a'
	fails 2 '--env: "=x" has no name' bld build --env =x ctx
}

@test "--from: the first FROM only, whatever it says" {
	printf 'FROM scratch\nCOPY f /one\n' >ctx/Dockerfile
	echo x >ctx/f
	ok bld build -q -t localhost/one ctx
	printf 'FROM nowhere.invalid/$UNSET AS a\nFROM scratch\nCOPY --from=a /one /two\n' >ctx/Dockerfile
	ok bld build -q -t localhost/two --from localhost/one --pull=never ctx
	check_tree localhost/two <<<'/two content=x%0a'
	printf 'FROM nowhere.invalid/x\nCOPY f /f\n' >ctx/Dockerfile
	ok bld build -q -t localhost/three --from scratch ctx
	ok bld build -q --check --from scratch ctx
	ok bld build -q --from other --build-context other=ctx ctx
	fails 4 'never' bld build --from not-there --pull=never ctx
	fails 2 'empty' bld build --from= ctx
	fails 2 '--from' bld build --from 'UPPER Case' ctx
}

@test "--build-arg-file: lines, comments, the environment; --build-arg goes before it" {
	printf 'FROM scratch\nARG A\nARG B\nARG C\nARG D=d\nLABEL a=$A b=$B c=$C d=$D\n' >ctx/Dockerfile
	printf '# D=no\n\nA=one two \r\n  B=1\nC\n#\nB=2' >args
	printf 'A=last=x\n' >more
	C=of-caller ok bld build -q -t localhost/a --build-arg-file args ctx
	equal "$(config localhost/a | jq -c .config.Labels)" '{"a":"one two ","b":"2","c":"of-caller","d":"d"}'
	ok bld build -q -t localhost/a --build-arg B=cli --build-arg-file args --build-arg-file more ctx
	equal "$(config localhost/a | jq -c .config.Labels)" '{"a":"last=x","b":"cli","c":"","d":"d"}'
	printf 'A=1\n=2\n' >args
	fails 2 'args:2: "=2" has no name' bld build --build-arg-file args ctx
	fails 4 'none' bld build --build-arg-file none ctx
	head -c 2000000 /dev/zero | tr '\0' x >args
	fails 10 'args' bld build --build-arg-file args ctx
}

@test "--retry and --retry-delay: how often and how long" {
	start_faulty "$(base_layout)"
	printf 'FROM %s/once503/x:gz\n' "$FAULTY" >ctx/Dockerfile
	fails 5 '503' bld build --retry 0 ctx
	: >faulty.requests
	printf 'FROM %s/e503/x:gz\n' "$FAULTY" >ctx/Dockerfile
	fails 5 '503' bld build --retry 3 --retry-delay 1ms ctx
	has "$stderr" 'trying again in 0.0 s'
	equal "$(grep -c 'trying again' <<<"$stderr")" 3
	for r in x -1 101; do fails 2 'retry' bld build --retry=$r ctx; done
	for d in 5 x -1s 301s; do fails 2 'retry-delay' bld build --retry-delay=$d ctx; done
}
