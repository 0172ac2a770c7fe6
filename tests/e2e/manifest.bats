#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bld manifest: indexes made of images of the store, judged by skopeo and a registry.

load helpers

# image PLATFORM NAME: FROM scratch with one file
image() {
	mkdir -p ctx
	echo "$1" >ctx/f
	printf 'FROM scratch\nCOPY f /f\n' >ctx/Dockerfile
	build --platform "$1" -t "$2" ctx
}
three() {
	image linux/amd64 app:amd64
	image linux/arm64 app:arm64
	image linux/arm/v7 app:armv7
}
raw() { skopeo inspect --raw "oci:$T/store:$(full "${1:-docker.io/library/app}")"; }
platforms() { raw "$@" | jq -r '[.manifests[].platform | [.os, .architecture, .variant // empty] | join("/")] | join(" ")'; }

@test "create: an index others can read, platforms from the configurations" {
	three
	ok bld manifest create app app:amd64 app:arm64 app:armv7
	equal "$(platforms)" "linux/amd64 linux/arm64 linux/arm/v7"
	equal "$output" "sha256:$(raw | sha256sum | cut -d' ' -f1)"
	equal "$(raw | jq -r '.mediaType, .schemaVersion')" $'application/vnd.oci.image.index.v1+json\n2'
	equal "$(raw | jq -r '.manifests[1].digest')" "$(digest docker.io/library/app:arm64)"
	skopeo copy -q --override-os linux --override-arch arm64 "oci:$T/store:docker.io/library/app:latest" oci:out:x
	python3 "$TOOLS/treedump.py" oci:out:x | diff - <(tree docker.io/library/app:arm64)
	first=$output
	ok bld manifest create again app:amd64 app:arm64 app:armv7
	equal "$output" "$first"
	# Of an index all images; each once.
	ok bld manifest create third app app:arm64
	equal "$output" "$first"
	ok bld verify
}

@test "create: names in use, platforms twice, images that are not there" {
	three
	image linux/arm64 other:arm64
	echo x >>ctx/f
	build --platform linux/arm64 -t other:arm64 ctx
	ok bld manifest create app app:amd64
	fails 2 'there is an index docker.io/library/app:latest already' bld manifest create app app:arm64
	has "$stderr" '--amend adds to it, "bld rmi app" removes it'
	fails 2 'app:amd64 is a single image, not an index' bld manifest create --amend app:amd64 app:arm64
	fails 2 'other:arm64: another image for linux/arm64 was given before it' bld manifest create new app:arm64 other:arm64
	fails 4 'no image docker.io/library/nothing:latest|no image nothing' bld manifest create new nothing
	has "$stderr" 'bld pull nothing'
	fails 2 'a name with a digest' bld manifest create "app@sha256:$(printf '0%.0s' {1..64})"
	fails 2 'needs NAME' bld manifest create
	fails 2 'not part of an index' bld manifest create --annotation manifest:a=b new app:arm64
	fails 2 'unknown command "manifest creat"' bld manifest creat x
	has "$stderr" 'did you mean "bld manifest create"'
	equal "$(platforms)" linux/amd64
	hasnt "$(bld images)" '/new'
}

@test "amend, add, remove, annotate" {
	three
	echo x >>ctx/f
	build --platform linux/arm64 -t other:arm64 ctx
	ok bld manifest create --annotation a=1 --annotation 'manifest-descriptor[linux/arm64]:b=2' app app:amd64 app:arm64
	equal "$(raw | jq -c '.annotations')" '{"a":"1"}'
	equal "$(raw | jq -c '[.manifests[].annotations]')" '[null,{"b":"2"}]'
	# What is there of a platform is replaced.
	ok bld manifest create --amend app other:arm64 app:armv7
	equal "$(platforms)" "linux/amd64 linux/arm64 linux/arm/v7"
	equal "$(raw | jq -r '.manifests[1].digest')" "$(digest docker.io/library/other:arm64)"
	equal "$(raw | jq -c '.annotations')" '{"a":"1"}'
	ok bld manifest remove app linux/amd64 other:arm64
	equal "$(platforms)" linux/arm/v7
	fails 4 'has no entry for linux/s390x' bld manifest remove app linux/s390x
	has "$stderr" 'help: it has linux/arm/v7'
	ok bld manifest add --annotation c=3 --platform linux/riscv64 app app:amd64
	equal "$(platforms)" "linux/arm/v7 linux/riscv64"
	equal "$(raw | jq -c '[.manifests[].annotations]')" '[null,{"c":"3"}]'
	ok bld manifest annotate --annotation d=4 app
	ok bld manifest annotate --annotation e=5 --platform linux/arm/v6 app linux/arm/v7
	equal "$(raw | jq -c '.annotations, .manifests[0].annotations, .manifests[0].platform.variant')" \
		$'{"a":"1","d":"4"}\n{"e":"5"}\n"v6"'
	fails 2 'has another image for linux/riscv64' bld manifest annotate --platform linux/riscv64 app linux/arm/v6
	fails 4 'no index docker.io/library/none:latest' bld manifest add none app:amd64
}

@test "inspect: json, text, of an image, from a registry without its layers" {
	three
	ok bld manifest create --annotation who=me app app:amd64 app:arm64
	index=$output
	ok bld manifest inspect app
	equal "$(jq -cS . <<<"$output")" "$(raw | jq -cS .)"
	has "$output" '^  "schemaVersion": 2'
	ok bld manifest inspect --format text app
	has "$output" "^digest +$index$"
	has "$output" '^annotated +who=me$'
	has "$output" "^linux/arm64 +$(digest docker.io/library/app:arm64) +[0-9]+ +application/vnd.oci.image.manifest"
	ok bld manifest inspect app:arm64
	equal "$(jq -r .config.mediaType <<<"$output")" application/vnd.oci.image.config.v1+json
	start_registry
	ok bld push app "$REG/team/app"
	# There its layers are compressed, so that manifests and index have other digests.
	index=$output
	skopeo inspect --raw --tls-verify=false "docker://$REG/team/app" >remote
	equal "sha256:$(sha256sum <remote | cut -d' ' -f1)" "$index"
	: >reg-plain.log
	ok bld --root "$T/empty" manifest inspect "$REG/team/app"
	equal "$(jq -cS . <<<"$output")" "$(jq -cS . remote)"
	ok bld manifest inspect --format text --remote "$REG/team/app"
	has "$output" "^digest +$index$"
	hasnt "$(cat reg-plain.log)" '/blobs/'
	[ -z "$(ls -A "$T/empty/blobs/sha256")" ]
	fails 5 "$REG/team/none is not in the store: .*manifest unknown|$REG/team/none is not in the store" bld manifest inspect "$REG/team/none"
	fails 4 'no image sha256:0' bld manifest inspect "sha256:$(printf '0%.0s' {1..64})"
}

@test "push: children first, also without an image for this machine" {
	image linux/arm64 app:arm64
	image linux/arm/v7 app:armv7
	ok bld manifest create app app:arm64 app:armv7
	start_registry
	ok bld push app "$REG/team/app:v1"
	skopeo copy -q --all --src-tls-verify=false "docker://$REG/team/app:v1" oci:out:x
	ok bld --root "$T/other" pull --platform linux/arm64 --tls-verify=false "$REG/team/app:v1"
	equal "$(BLD_ROOT=$T/other tree "$REG/team/app:v1")" "$(tree docker.io/library/app:arm64)"
	fails 4 'no image for platform linux/amd64' bld inspect app
	has "$stderr" 'help: it is an index with linux/arm64, linux/arm/v7'
	ok bld inspect --platform linux/arm64 app
	equal "$(jq -r .digest <<<"$output")" "$(digest docker.io/library/app:arm64)"
	equal "$(jq -r .index <<<"$output")" "sha256:$(raw | sha256sum | cut -d' ' -f1)"
	rm -rf "$T/other"
}

@test "images, tag, rmi, save, prune know indexes" {
	three
	ok bld manifest create app app:amd64 app:arm64
	index=$output
	ok bld images
	has "$output" '^docker.io/library/app:latest +index +- +'
	ok bld images --json
	equal "$(jq -c '.[] | select(.name == "docker.io/library/app:latest") | [.digest, .platforms]' <<<"$output")" \
		"[\"$index\",[\"linux/amd64\",\"linux/arm64\"]]"
	ok bld tag app app:v2
	equal "$(platforms docker.io/library/app:v2)" "linux/amd64 linux/arm64"
	ok bld rmi app app:amd64 app:arm64 app:armv7
	ok bld prune --all
	# The index keeps its images, and no others.
	ok bld verify
	ok bld save --format oci-archive --platform linux/arm64 -o a.tar app:v2
	equal "$(skopeo inspect --config oci-archive:a.tar | jq -r .architecture)" arm64
	ok bld rmi "$index"
	equal "$output" "removed docker.io/library/app:v2"
	ok bld prune --all
	[ -z "$(ls -A "$T/store/blobs/sha256")" ]
}

@test "several that change one index at a time: nothing of them is lost" {
	local platforms="linux/amd64 linux/arm64 linux/386 linux/ppc64le linux/s390x linux/riscv64" p pids=() round
	for p in $platforms; do image "$p" "app:${p#*/}"; done
	for round in 1 2 3; do
		bld rmi all >/dev/null 2>&1 || true
		ok bld manifest create all
		pids=()
		for p in $platforms; do
			"$BLD" manifest add all "app:${p#*/}" >/dev/null 2>"err.${p#*/}" &
			pids+=($!)
		done
		"$BLD" build -q --platform linux/mips64le --manifest all ctx >/dev/null 2>err.build &
		pids+=($!)
		for p in "${pids[@]}"; do wait "$p" || { cat err.*; false; }; done
		equal "$(bld manifest inspect all | jq '.manifests | length')" 7
	done
}
