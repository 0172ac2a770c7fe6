#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line: help, versions, exit codes, the small commands on images.

load helpers

commands="build pull push images inspect history tag rmi prune save load login logout run parse verify info version"

@test "version and info say what they are" {
	ok bld version
	has "$output" "bld.*[0-9]"
	ok bld info
	has "$output" "$BLD_ROOT"
}

@test "help names every command, and every command has help" {
	ok bld --help
	for c in $commands; do has "$output" "(^|[^a-z])$c([^a-z]|$)"; done
	for c in $commands; do
		ok bld $c --help
		has "$output" "$c"
		equal "$stderr" "" "standard error of $c --help"
	done
}

@test "build --help has every option of the contract" {
	ok bld build --help
	for o in -f -t --target --build-arg --label --secret --build-context --platform --no-cache --pull \
		--network --timestamp --iidfile --metadata-file --push --sync --tls-verify --authfile --progress -q; do
		has "$output" "(^|[^a-z-])$o([^a-z-]|$)"
	done
}

@test "wrong usage is 2 and names the nearest" {
	fails 2 "command|usage" bld
	fails 2 "build" bld biuld
	fails 2 "no-cache" bld build --no-cahce .
	fails 2 "target" bld build --targte x .
	fails 2 "context" bld build
	fails 2 "network" bld build --network=bridge ctx
	fails 2 "timestamp" bld build --timestamp soon ctx
	fails 2 "progress" bld build --progress loud ctx
	fails 2 "." bld push
	fails 2 "." bld tag only-one
	fails 2 "." bld build -t 'UPPER/Case' ctx
	fails 2 "secret" bld build --secret nonsense ctx
}

@test "0 done, 1 build failed, 3 Dockerfile, 4 context or file" {
	need_base
	dockerfile <<<'FROM localhost/base'
	ok bld build ctx
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN exit 9
	EOF
	fails 1 'Dockerfile:2' bld build ctx
	dockerfile <<<'FORM localhost/base'
	fails 3 'Dockerfile:1:1' bld build ctx
	has "$stderr" 'FROM'
	fails 4 'nowhere' bld build nowhere
	fails 4 'other' bld build -f ctx/other ctx
}

@test "5 network, 6 authentication, 8 store, 10 verification" {
	fails 5 '127.0.0.1:1' bld pull 127.0.0.1:1/x/y
	start_registry htpasswd
	fails 6 '401|unauthori[sz]ed|credential|log' bld pull "$REG/private/x"
	fails 6 '401|unauthori[sz]ed|wrong|refused' bld login -u alice -p wrong "$REG"
	mkdir "$T/blocked"
	: >"$T/blocked/file"
	fails 8 'blocked/file' bld --root "$T/blocked/file/store" images
	need_base
	blob=$(find "$BLD_ROOT/blobs/sha256" -type f -size +100k | head -1)
	damage "$blob"
	fails 10 "$(basename "$blob")" bld verify
	fails 10 "$(basename "$blob")" bld verify --repair
	fails 10 "is missing" bld verify
}

@test "7 push failed after a good build" {
	need_base
	start_faulty "$(base_layout)"
	dockerfile <<<'FROM localhost/base'
	fails 7 'push' bld build -t "$FAULTY/pushfail/x" --push ctx
	ok bld images
	has "$output" "pushfail/x"
}

@test "images, inspect, history, tag, rmi" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		LABEL here=yes
		RUN echo x > /x
	EOF
	build -t one -t localhost/two:v1 ctx
	ok bld images
	has "$output" 'docker.io/library/one'
	has "$output" 'localhost/two'
	has "$output" 'v1'
	ok bld images --digests
	has "$output" "$(digest docker.io/library/one | cut -c1-19)"
	ok bld inspect one
	jq -e . <<<"$output"
	has "$output" '"here": ?"yes"'
	ok bld history one
	has "$output" 'echo x'
	ok bld tag one localhost/three
	equal "$(digest localhost/three)" "$(digest localhost/two:v1)"
	ok bld rmi localhost/three
	ok bld images
	hasnt "$output" 'localhost/three'
	fails 4 'three' bld inspect localhost/three
	fails 4 'three' bld rmi localhost/three
	fails 4 'nothing' bld tag localhost/nothing x
}

@test "iidfile and metadata-file hold the digests" {
	need_base
	start_registry
	dockerfile <<<'FROM localhost/base'
	ok bld build -q -t "$REG/a/b" --iidfile iid --metadata-file meta.json --push ctx
	equal "$(cat iid)" "$(manifest "$REG/a/b" | jq -r .config.digest)"
	jq -e . meta.json
	has "$(cat meta.json)" "$(cat iid)"
	remote=$(skopeo inspect --tls-verify=false "docker://$REG/a/b" | jq -r .Digest)
	has "$(cat meta.json)" "$remote"
	ok bld build -q ctx
	has "$output" '^(sha256:)?[0-9a-f]{64}$'
	equal "$(wc -l <<<"$output")" 1 "lines with -q"
}

@test "the Dockerfile from standard input, the context as a tar" {
	need_base
	mkdir -p ctx/d
	echo a >ctx/d/f
	bld build -t in1 -f - ctx <<-'EOF'
		FROM localhost/base
		COPY d/f /f
	EOF
	printf 'FROM localhost/base\nCOPY d /d\n' >ctx/Dockerfile
	tar -C ctx -cf ctx.tar .
	bld build -t in2 - <ctx.tar
	gzip -k ctx.tar
	bld build -t in3 - <ctx.tar.gz
	check_tree docker.io/library/in1 <<<'/f content=a%0a own=0:0'
	check_tree docker.io/library/in2 <<<'/d/f content=a%0a own=0:0'
	equal "$(tree docker.io/library/in2)" "$(tree docker.io/library/in3)"
}

@test "progress: plain marks cached steps, quiet is quiet, output is safe for a terminal" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN echo output-of-run; printf '\033[31mred\033]0;title\007\n'
	EOF
	run --separate-stderr bld build --progress=plain ctx
	has "$output$stderr" 'output-of-run'
	hasnt "$output$stderr" CACHED
	hasnt "$output$stderr" $'\033'
	run --separate-stderr bld build --progress=plain ctx
	has "$output$stderr" CACHED
	run --separate-stderr bld build --progress=quiet ctx
	equal "$stderr" ""
	# On a terminal: running and finished steps, no crash, a sane end.
	run script -qec "'$BLD' build --no-cache --progress=tty ctx" /dev/null
	equal "$status" 0
	has "$output" 'RUN'
}

@test "parse prints the tree of a Dockerfile, as text, as JSON and as a Dockerfile" {
	dockerfile <<-'EOF'
		ARG V=1
		FROM scratch AS a
		COPY --chown=1:2 x y /z/
		RUN <<X
		body
		X
	EOF
	ok bld parse ctx/Dockerfile
	has "$output" 'COPY|copy'
	has "$output" 'body'
	ok bld parse --json ctx/Dockerfile
	jq -e . <<<"$output"
	has "$output" '1:2'
	ok bld parse --format dockerfile ctx/Dockerfile
	has "$output" 'COPY --chown=1:2 x y /z/'
	printf '%s\n' "$output" >again
	json=$(bld parse --json ctx/Dockerfile | sed -E 's/,"(end_)?line":[0-9]+//g')
	[ "$json" = "$(bld parse --json again | sed -E 's/,"(end_)?line":[0-9]+//g')" ]
	fails 2 'format' bld parse --format yaml ctx/Dockerfile
	printf 'FROM scratch\nRUNN x\nCOPY\n' >bad
	fails 3 'bad:2:1' bld parse bad
	has "$stderr" 'bad:3'
	has "$stderr" '\^'
}

@test "run: exit status, arguments, environment, a throw-away upper" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		ENV GREETING=hello
		WORKDIR /w
		USER app
		ENTRYPOINT ["/bin/sh", "-c", "echo $GREETING $0 $@; id -u; pwd", "zero"]
		CMD ["default"]
	EOF
	build -t r ctx
	before=$(digest docker.io/library/r)
	ok bld run r
	equal "$output" "$(printf 'hello zero default\n1000\n/w')"
	ok bld run r one two
	equal "${lines[0]}" 'hello zero one two'
	run bld run localhost/base sh -c 'exit 42'
	equal "$status" 42
	run bld run localhost/base sh -c 'kill -9 $$'
	equal "$status" 137
	ok bld run localhost/base sh -c 'echo x > /new; cat /new'
	ok bld run localhost/base sh -c 'ls /new || echo gone'
	has "$output" gone
	equal "$(digest docker.io/library/r)" "$before"
	equal "$(echo through | bld run localhost/base cat)" through
}

@test "several names, normalised as everywhere" {
	need_base
	dockerfile <<<'FROM localhost/base'
	build -t short -t host.example/a/b:c -t 127.0.0.1:5000/x ctx
	for n in docker.io/library/short:latest host.example/a/b:c 127.0.0.1:5000/x:latest; do
		jq -e --arg n "$n" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $n)' \
			"$BLD_ROOT/index.json" >/dev/null
		skopeo inspect "oci:$BLD_ROOT:$n" >/dev/null
	done
}

# Fractions, offsets and prose: --json has them as they are.
@test "columns of images survive foreign times" {
	i=0
	for t in 2023-05-04T10:11:12.123456789+02:00 'on a sunny day' '' 2024-01-01T00:00:00Z $'1\t2'; do
		python3 "$TOOLS/mkimage.py" --top "$(jq -nc --arg t "$t" '{created: $t}')" oci "t$i"
		bld pull -q "oci:oci:t$i" >/dev/null && i=$((i + 1))
	done
	[ "$i" -ge 4 ]
	ok bld images
	for l in "${lines[@]}"; do
		read -ra cells <<<"$l"
		equal "${#cells[@]}" "$((${#cells[@]} == 5 ? 5 : 4))"
	done
	equal "$(awk 'NR == 2 {print $3}' <<<"$output")" 2023-05-04T08:11:12Z
	has "$(bld images --json)" '2023-05-04T10:11:12.123456789\+02:00'
}
