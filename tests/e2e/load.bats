#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Archives with several images, several names, or none: bld save A B, bld load.

load helpers

# Two small images of the store: one/a:1 (also two/a:2) and one/b:1.
setup() {
	common_setup
	for n in a b; do
		echo "$n" >ctx/f
		printf 'FROM scratch\nCOPY f /f\nCMD ["%s"]\n' "$n" >ctx/Dockerfile
		bld build -q -t "one/$n:1" ctx
	done
	bld tag one/a:1 two/a:2
}

# loaded ARG...: what bld load prints into a store of its own, $T/other; one line for each, sorted
loaded() {
	rm -rf other
	ok bld --root other load -q "$@"
	printed=$(sort <<<"$output")
}
ALL='loaded docker.io/one/a:1
loaded docker.io/one/b:1
loaded docker.io/two/a:2'

layout() { bld save -q --format oci-dir -o l one/a:1 one/b:1; }
# index JQ: index.json of the layout l, changed
index() { jq -c "$1" l/index.json >new && mv new l/index.json; }
# put FILE: as a blob of the layout l; prints its descriptor
put() {
	local d
	d=$(sha256sum <"$1" | cut -d' ' -f1)
	cp "$1" "l/blobs/sha256/$d"
	jq -nc --arg t "$(jq -r .mediaType "$1")" --arg d "sha256:$d" --argjson s "$(stat -c %s "$1")" '{mediaType: $t, digest: $d, size: $s}'
}
# of NAME: the digest of its manifest in the layout l, where layers are compressed
of() { jq -r --arg n "docker.io/$1" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $n).digest' l/index.json; }
# No name, no platform: a document for an index around them.
bare() { jq -c '{schemaVersion, mediaType, manifests: [.manifests[] | {mediaType, digest, size}]}' l/index.json; }

@test "save puts several images into one archive, load takes all of them" {
	for f in docker-archive oci-archive; do
		ok bld save -q --format "$f" -o "$f.tar" one/a:1 two/a:2 one/b:1 one/b:1
		loaded -i "$f.tar"
		equal "$printed" "$ALL" "$f"
		loaded <"$f.tar"
		equal "$printed" "$ALL" "$f through a pipe"
		for n in one/a:1 two/a:2 one/b:1; do
			equal "$(BLD_ROOT=$T/other config "docker.io/$n" | jq -c .config.Cmd)" "$(config "docker.io/$n" | jq -c .config.Cmd)"
			skopeo inspect --config "$f:$f.tar:$([ $f = docker-archive ] || echo docker.io/)$n" >/dev/null
		done
	done
	# An image is in it once, whatever its names.
	equal "$(tar xOf docker-archive.tar manifest.json | jq -c '[.[].RepoTags]')" '[["docker.io/one/a:1","docker.io/two/a:2"],["docker.io/one/b:1"]]'
	equal "$(tar tf docker-archive.tar | sort | uniq -d)" ''
	equal "$(tar tf oci-archive.tar | sort | uniq -d)" ''
	bld save -q one/a:1 two/a:2 one/b:1 >piped.tar
	cmp piped.tar docker-archive.tar
	loaded --platform linux/amd64 -i oci-archive.tar
	equal "$printed" "$ALL"
}

@test "what docker save writes: both kinds at once, links, names in either place" {
	layout
	jq -c '[.manifests[] | {m: .digest, n: .annotations["org.opencontainers.image.ref.name"]}]' l/index.json >names
	for i in 0 1; do
		m=$(jq -r ".[$i].m" names)
		jq -c --arg n "$(jq -r ".[$i].n" names)" '{Config: ("blobs/sha256/" + .config.digest[7:]), RepoTags: [$n, $n + "-more", "NOT A NAME", "x@sha256:" + ("0" * 64)], Layers: [.layers[].digest | "blobs/sha256/" + .[7:]]}' "l/blobs/sha256/${m#sha256:}"
	done | jq -sc . >l/manifest.json
	index '.manifests |= map(.annotations = {"io.containerd.image.name": .annotations["org.opencontainers.image.ref.name"], "org.opencontainers.image.ref.name": "1"})'
	tar cf both.tar -C l .
	run --separate-stderr bld --root other load -i both.tar
	equal "$status" 0
	equal "$(sort <<<"$output")" 'loaded docker.io/one/a:1
loaded docker.io/one/a:1-more
loaded docker.io/one/b:1
loaded docker.io/one/b:1-more'
	has "$stderr" 'and 1 more in it: not the name of an image'
	# Without manifest.json the full name of the other annotation counts.
	rm l/manifest.json
	tar czf oci.tgz -C l .
	loaded -i oci.tgz
	equal "$printed" 'loaded docker.io/one/a:1
loaded docker.io/one/b:1'
}

@test "load prints the names that are in the archive, no others" {
	bld save -q -o s.tar one/a:1
	ok bld load -q -i s.tar
	equal "$output" 'loaded docker.io/one/a:1'
}

@test "an archive without names loads by digest, and the ID finds it" {
	layout
	d=$(of one/b:1)
	id=$(jq -r .config.digest "l/blobs/sha256/${d#sha256:}")
	index '.manifests |= map(del(.annotations, .platform))'
	loaded -i l
	equal "$(wc -l <<<"$printed")" 2
	has "$printed" "^loaded $d\$"
	ok bld --root other inspect "${id:7:12}"
	ok bld --root other tag "$d" back:1
	ok bld --root other inspect back:1
}

@test "names in an archive are data: refused or escaped" {
	layout
	index '.manifests[0].annotations["org.opencontainers.image.ref.name"] = "a\u001b[31m\nloaded evil:1"'
	run --separate-stderr bld --root other load -i l
	equal "$status" 0
	has "$stderr" 'not the name of an image, left out'
	hasnt "$output$stderr" $'\033'
	hasnt "$output" evil
	has "$output" '^loaded sha256:'
	# A name that is given to two images is the later one's, and said once.
	layout
	index '.manifests |= map(.annotations["org.opencontainers.image.ref.name"] = "same:1")'
	loaded -i l
	equal "$printed" 'loaded docker.io/library/same:1'
	equal "$(BLD_ROOT=$T/other config docker.io/library/same:1 | jq -c .config.Cmd)" '["b"]'
}

@test "an index without platforms, and an index in an index" {
	layout
	a=$(of one/a:1) b=$(of one/b:1)
	bare >inner
	d=$(put inner)
	jq -nc --argjson d "$d" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [$d, $d]}' >outer
	o=$(put outer)
	for e in "$d" "$o"; do
		jq -nc --argjson d "$e" '{schemaVersion: 2, manifests: [$d + {annotations: {"org.opencontainers.image.ref.name": "idx:1"}}]}' >l/index.json
		loaded -i l
		equal "$printed" 'loaded docker.io/library/idx:1'
		ok bld --root other tag "$a" a:1
		ok bld --root other tag "$b" b:1
		ok bld --root other tag idx:1 again:1
	done
}

@test "indexes that never end, or are too many, are refused in time" {
	layout
	# Seven levels of which each names the one below 50 times.
	bare >doc
	for _ in 1 2 3 4 5 6; do
		d=$(put doc)
		jq -nc --argjson d "$d" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [range(50) | $d]}' >doc
	done
	jq -nc --argjson d "$(put doc)" '{schemaVersion: 2, manifests: [$d]}' >l/index.json
	fails 10 'nested deeper than 4' timeout 20 "$BLD" --root other load -i l
	python3 - >l/index.json <<-'PY'
		import json
		print(json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:%064x" % i, "size": 5} for i in range(1001)]}))
	PY
	fails 10 '1001 images, the limit is 1000' bld --root other load -i l
	printf '[%s{}]' "$(printf '{},%.0s' $(seq 1000))" >manifest.json
	tar cf many.tar manifest.json
	fails 10 '1001 images, the limit is 1000' bld --root other load -i many.tar
}

@test "what came before a failure is there, and said" {
	layout
	b=$(of one/b:1)
	rm "l/blobs/sha256/${b#sha256:}"
	run --separate-stderr bld --root other load -i l
	[ "$status" != 0 ]
	equal "$output" 'loaded docker.io/one/a:1'
	has "$stderr" "no blobs/sha256/${b#sha256:}"
}

@test "what is no archive of images says so in one line" {
	echo x >f
	tar cf rootfs.tar f
	fails 10 'rootfs.tar: no images in it' bld load -i rootfs.tar
	has "$stderr" 'help: .*FROM scratch'
	cp rootfs.tar a:b.tar
	fails 10 'a:b.tar: no images' bld load -i a:b.tar
}

@test "an encrypted layer is one whole sentence with what to do" {
	layout
	m=$(jq -r '.manifests[0].digest' l/index.json)
	jq -c '.layers[0].mediaType = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"' "l/blobs/sha256/${m#sha256:}" >doc
	jq -nc --argjson d "$(put doc)" '{schemaVersion: 2, manifests: [$d]}' >l/index.json
	fails 1 'layer 1 is encrypted \(application/vnd.oci.image.layer.v1.tar\+gzip\+encrypted\), and bld cannot decrypt layers' bld load -i l
	has "$stderr" 'help: decrypt the image first: skopeo copy --decryption-key'
	fails 1 'layer 1 is encrypted' bld pull oci:l
	sed -i 's/+gzip+encrypted/+lzma/' doc
	jq -nc --argjson d "$(put doc)" '{schemaVersion: 2, manifests: [$d]}' >l/index.json
	fails 1 'layer 1 has the type "application/vnd.oci.image.layer.v1.tar\+lzma"' bld load -i l
}

# odd FILE TYPE: the layout l becomes one image whose only layer is FILE, as it is
odd() {
	local plain diff d
	layout
	plain=$1
	case $2 in *+gzip) zcat "$1" >plain && plain=plain ;; *+zstd) zstdcat "$1" >plain && plain=plain ;; esac
	diff=$(sha256sum <"$plain" | cut -d' ' -f1)
	d=$(sha256sum <"$1" | cut -d' ' -f1)
	cp "$1" "l/blobs/sha256/$d"
	jq -nc --arg d "sha256:$diff" '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: [$d]}}' >conf
	cp conf "l/blobs/sha256/$(sha256sum <conf | cut -d' ' -f1)"
	jq -nc --arg t "application/vnd.oci.image.layer.v1.$2" --arg c "sha256:$(sha256sum <conf | cut -d' ' -f1)" --arg d "sha256:$d" \
		--argjson cs "$(stat -c %s conf)" --argjson s "$(stat -c %s "$1")" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $c, size: $cs},
		layers: [{mediaType: $t, digest: $d, size: $s}]}' >doc
	jq -nc --argjson d "$(put doc)" '{schemaVersion: 2, manifests: [$d]}' >l/index.json
	layer=sha256:$d
}

@test "a layer that cannot be unpacked is refused when it comes, not by the first RUN" {
	seq 100000 >text
	mkdir -p tree && seq 5000 >tree/f && tar cf good.tar tree
	head -c 8192 good.tar >cut.tar
	for f in text cut.tar; do
		odd $f tar
		fails 10 "layer $layer cannot be unpacked: " bld --root other load -i l
		has "$stderr" 'help: whoever pulls it gets the same bytes'
		gzip -c $f >odd.gz && odd odd.gz tar+gzip
		fails 10 "layer $layer cannot be unpacked: " bld --root other load -i l
		fails 10 "layer $layer cannot be unpacked: " bld --root other pull oci:l
		# The compressed blob alone is here: nothing of it counts as the layer.
		mkdir -p other/blobs/sha256 && cp odd.gz "other/blobs/sha256/${layer#sha256:}"
		fails 10 "layer $layer cannot be unpacked: " bld --root other load -i l
		equal "$(bld --root other images -q)" ''
		zstd -qf $f -o odd.zst && odd odd.zst tar+zstd
		fails 10 "layer $layer cannot be unpacked: " bld --root other load -i l
	done
	# What is no tar but stands for nothing, or ends after its last entry, is a layer.
	: >empty
	head -c 1024 /dev/zero >none
	head -c $(($(stat -c %s good.tar) / 512 * 512 - 1024)) good.tar >unended
	for f in empty none unended good.tar; do
		odd $f tar
		ok bld --root other load -q -i l
		gzip -c $f >odd.gz && odd odd.gz tar+gzip
		ok bld --root other load -q -i l
	done
}
