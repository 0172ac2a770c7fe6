#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a build leaves: formats, annotations, result files, squashed layers, -o.

load helpers

image_with_everything() {
	dockerfile <<'EOF'
FROM localhost/base
LABEL a=1 b=2
ENV KEEP=1 DROP=2
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s --timeout=3s --start-period=1s --start-interval=2s --retries=4 CMD test -e /f
ONBUILD RUN echo child >/child
STOPSIGNAL SIGUSR1
RUN echo 1 >/f && rm -f /etc/motd
RUN echo 2 >>/f && mkdir -p /d/e && ln /f /d/g
CMD run
EOF
}

@test "format docker: its media types, and healthcheck, triggers and shell in both" {
	need_base
	image_with_everything
	build -t localhost/one --format docker ctx
	build -t localhost/two ctx
	equal "$(manifest localhost/one | jq -r '.mediaType, .config.mediaType' | tr '\n' ' ')" \
		"application/vnd.docker.distribution.manifest.v2+json application/vnd.docker.container.image.v1+json "
	manifest localhost/one | jq -e 'all(.layers[]; .mediaType | startswith("application/vnd.docker.image.rootfs.diff.tar"))'
	manifest localhost/one | jq -e 'has("annotations") | not'
	manifest localhost/two | jq -e '.mediaType == "application/vnd.oci.image.manifest.v1+json"'
	# One configuration, byte for byte.
	equal "$(config localhost/one | sha256sum)" "$(config localhost/two | sha256sum)"
	for kind in docker-archive oci-archive; do
		for img in one two; do
			ok bld save --format $kind -o "$T/$kind.$img" localhost/$img
			skopeo inspect --config --raw "$kind:$T/$kind.$img" >"$T/seen"
			for e in '.config.Healthcheck == {Test: ["CMD-SHELL", "test -e /f"], Interval: 5e9, Timeout: 3e9, StartPeriod: 1e9, StartInterval: 2e9, Retries: 4}' \
				'.config.OnBuild == ["RUN echo child >/child"]' '.config.Shell == ["/bin/sh", "-ec"]' '.config.StopSignal == "SIGUSR1"' \
				'.config.Cmd == ["/bin/sh", "-ec", "run"]'; do
				jq -e "$e" "$T/seen" >/dev/null || { echo "$kind $img: not so: $e"; jq .config "$T/seen"; false; }
			done
			BLD_ROOT=$T/other ok bld load -i "$T/$kind.$img"
			BLD_ROOT=$T/other ok bld inspect localhost/$img
			has "$output" '"Healthcheck"'
			has "$output" '"OnBuild"'
		done
	done
	ok bld images
	has "$output" 'localhost/one:latest'
	ok bld inspect localhost/one
	has "$output" 'vnd.docker.distribution.manifest.v2'
	# A child of either runs the trigger.
	for img in one two; do
		printf 'FROM localhost/%s\nRUN test -e /child\n' $img >ctx/Dockerfile
		build ctx
	done
}

@test "format docker goes to a registry as it is, and buildah reads it" {
	need_base
	start_registry
	image_with_everything
	build --format docker -t "$REG/x/y:1" --push ctx
	ok skopeo inspect --tls-verify=false --raw "docker://$REG/x/y:1"
	jq -e '.mediaType == "application/vnd.docker.distribution.manifest.v2+json" and
		all(.layers[]; .mediaType == "application/vnd.docker.image.rootfs.diff.tar.gzip")' <<<"$output"
	# zstd is no type of Docker's.
	ok bld push --compression zstd "$REG/x/y:1"
	ok skopeo inspect --tls-verify=false --raw "docker://$REG/x/y:1"
	jq -e '.mediaType == "application/vnd.oci.image.manifest.v1+json"' <<<"$output"
}

@test "annotations: of the manifest, of its descriptor, of one platform; base name and digest" {
	need_base
	echo 'FROM localhost/base' >ctx/Dockerfile
	build -t localhost/one --annotation a=1 --annotation manifest:b=x:y=z --annotation 'manifest[linux/s390x]:c=3' \
		--annotation manifest-descriptor,manifest:d=4 --annotation a=2 ctx
	equal "$(manifest localhost/one | jq -cS '.annotations | del(."org.opencontainers.image.base.name", ."org.opencontainers.image.base.digest")')" \
		'{"a":"2","b":"x:y=z","d":"4"}'
	manifest localhost/one | jq -e '.annotations."org.opencontainers.image.base.name" == "localhost/base:latest"'
	equal "$(manifest localhost/one | jq -r '.annotations."org.opencontainers.image.base.digest"')" "$(digest localhost/base)"
	jq -e '.manifests[] | select(.annotations."org.opencontainers.image.ref.name" == "localhost/one:latest") | .annotations.d == "4"' \
		"$BLD_ROOT/index.json"
	build -t localhost/two --base-annotations=false ctx
	manifest localhost/two | jq -e 'has("annotations") | not'
	# A stage on a stage is on its image; scratch is nobody's base.
	printf 'FROM localhost/base AS a\nFROM a\nLABEL x=1\n' >ctx/Dockerfile
	build -t localhost/three ctx
	manifest localhost/three | jq -e '.annotations."org.opencontainers.image.base.name" == "localhost/base:latest"'
	printf 'FROM scratch\nLABEL x=1\n' >ctx/Dockerfile
	build -t localhost/four ctx
	manifest localhost/four | jq -e 'has("annotations") | not'
	fails 2 'annotation a: no value' bld build --annotation a ctx
	fails 2 'did you mean "manifest"' bld build --annotation manifset:a=1 ctx
	fails 2 'has no index' bld build --annotation index:a=1 ctx
	fails 2 'key is empty' bld build --annotation manifest:=1 ctx
	fails 2 'platform' bld build --annotation 'manifest[linux//]:a=1' ctx
}

@test "labels and variables of the base go, those of the command line come last" {
	need_base
	printf 'FROM localhost/base\nLABEL old=1 both=1\nENV OLD=1 SAME=2\n' >ctx/Dockerfile
	build -t localhost/parent ctx
	printf 'FROM localhost/parent AS mid\nLABEL mine=1 gone=1\nFROM mid\nLABEL last=1\nENV OWN=1\n' >ctx/Dockerfile
	build -t localhost/one --inherit-labels=false --label cli=1 --unsetlabel last ctx
	holds localhost/one '.config.Labels == {cli: "1"}'
	build -t localhost/two --unsetlabel gone --unsetlabel both --label both=2 --unsetenv OLD --unsetenv OWN ctx
	holds localhost/two '.config.Labels == {old: "1", both: "2", mine: "1", last: "1"}' \
		'[.config.Env[] | select(startswith("OLD=") or startswith("OWN="))] == []' '[.config.Env[] | select(. == "SAME=2")] | length == 1'
	fails 2 'not a name' bld build --unsetenv A=1 ctx
}

@test "result files: BuildKit's members, the digest in the registry after a push" {
	need_base
	start_registry
	echo 'FROM localhost/base' >ctx/Dockerfile
	ok bld build -q -t localhost/a -t localhost/b --metadata-file m --digestfile d --iidfile i --annotation k=v ctx
	equal "$output" "$(cat i)"
	equal "$(cat d)" "$(digest localhost/a)"
	jq -e --arg d "$(digest localhost/a)" --arg i "$(cat i)" '."containerimage.digest" == $d and ."containerimage.config.digest" == $i and
		."containerimage.descriptor".digest == $d and ."containerimage.descriptor".platform.os == "linux" and
		."containerimage.descriptor".annotations.k == "v" and
		."image.name" == "localhost/a:latest,localhost/b:latest"' m
	equal "$(jq '."containerimage.descriptor".size' m)" "$(stat -c %s "$BLD_ROOT/blobs/sha256/$(cut -d: -f2 d)")"
	ok bld build -q -t "$REG/x:1" --push --metadata-file m --digestfile d ctx
	equal "$(jq -r '."containerimage.digest"' m)" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REG/x:1")"
	equal "$(cat d)" "$(jq -r '."containerimage.descriptor".digest' m)"
}

@test "squash: one layer on those of the base, the same tree" {
	need_base
	cat >ctx/Dockerfile <<'EOF'
FROM localhost/base
RUN echo 1 >/f && mkdir -p /d/e && echo x >/d/e/x && ln /f /d/g
RUN rm -r /d/e && chmod 600 /f && rm -rf /etc/hostname.none && mkdir -p /new && echo 2 >/new/a
RUN ln /f /new/third && rm -f /bin/false /usr/bin/false; ln -s nowhere /new/link
COPY Dockerfile /new/
EOF
	build -t localhost/plain ctx
	build -t localhost/one --squash ctx
	base=$(config localhost/base | jq '.rootfs.diff_ids | length')
	holds localhost/one ".rootfs.diff_ids | length == $((base + 1))" \
		'([.history[] | select(.empty_layer | not)] | length) == (.rootfs.diff_ids | length)' \
		'.history[-1].created_by == "squash: 4 layers"'
	equal "$(config localhost/one | jq -c ".rootfs.diff_ids[:$base]")" "$(config localhost/base | jq -c .rootfs.diff_ids)"
	diff <(tree localhost/plain) <(tree localhost/one)
	build -t localhost/two --squash ctx
	equal "$(digest localhost/one)" "$(digest localhost/two)"
	# Nothing to do for one layer; nothing is left of layers that cancel each other out.
	printf 'FROM localhost/base\nCOPY Dockerfile /\n' >ctx/Dockerfile
	build -t localhost/three --squash ctx
	holds localhost/three ".rootfs.diff_ids | length == $((base + 1))" '.history[-1].created_by | startswith("COPY")'
	printf 'FROM localhost/base\nRUN echo >/x\nRUN rm /x\n' >ctx/Dockerfile
	build -t localhost/four --squash ctx
	holds localhost/four ".rootfs.diff_ids | length == $base"
}
