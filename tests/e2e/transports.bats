#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images in directories and archives, and other tools on what bld made.

load helpers

setup() {
	common_setup
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY f /f
		RUN mkdir -p /d/e && echo x > /d/e/x && ln /d/e/x /d/y && ln -s ../f /d/l && chown -R 5:6 /d && chmod 2755 /d
		RUN rm -r /d/e /etc/group && mkdir /d/e
		ENV A=b
		WORKDIR /d
		CMD ["cat", "/f"]
	EOF
	echo content >ctx/f
	build -t img ctx
	WANT=$(tree docker.io/library/img)
}

@test "the store is an OCI layout: skopeo reads it by the name bld images prints" {
	name=docker.io/library/img:latest
	ok bld images
	has "$output" 'docker.io/library/img'
	skopeo inspect "oci:$BLD_ROOT:$name" >/dev/null
	skopeo copy -q "oci:$BLD_ROOT:$name" dir:d1
	skopeo copy -q "oci:$BLD_ROOT:$name" oci:o1:x
	equal "$(python3 "$TOOLS/treedump.py" oci:o1:x)" "$WANT"
	jq -e '.imageLayoutVersion == "1.0.0"' "$BLD_ROOT/oci-layout"
	manifest docker.io/library/img | jq -e '[.layers[].mediaType] | last == "application/vnd.oci.image.layer.v1.tar"'
	manifest docker.io/library/img | jq -e '.mediaType == "application/vnd.oci.image.manifest.v1+json" and .schemaVersion == 2'
	# digest = diff ID for our own layers
	equal "$(manifest docker.io/library/img | jq -r '.layers[-1].digest')" "$(config docker.io/library/img | jq -r '.rootfs.diff_ids[-1]')"
}

@test "umoci unpacks to the tree we say" {
	umoci unpack --image "$BLD_ROOT:docker.io/library/img:latest" bundle 2>umoci.log || {
		# umoci 0.4 knows no slashes in names
		skopeo copy -q "oci:$BLD_ROOT:docker.io/library/img:latest" oci:plain:x
		umoci unpack --image plain:x bundle
	}
	python3 "$TOOLS/treedump.py" --no-root dir:bundle/rootfs >a
	tree docker.io/library/img --no-root | diff - a
}

@test "buildah runs it" {
	b="buildah --root $T/bs --runroot $T/br --storage-driver vfs"
	# buildah makes a name of the path, and a path may have upper-case letters
	skopeo copy -q "oci:$BLD_ROOT:docker.io/library/img:latest" "containers-storage:[vfs@$T/bs+$T/br]localhost/img:1"
	c=$($b from -q localhost/img:1)
	equal "$($b run --isolation chroot "$c" -- cat /f)" content
	equal "$($b run --isolation chroot "$c" -- sh -c 'pwd; echo $A; ls /d')" "$(printf '/d\nb\ne\nl\ny')"
	$b rm "$c" >/dev/null
}

@test "runc runs it" {
	skopeo copy -q "oci:$BLD_ROOT:docker.io/library/img:latest" oci:plain:x
	umoci unpack --image plain:x bundle
	# No terminal, and only namespaces that any place allows.
	jq '.process.terminal = false | del(.linux.resources) | .process.args = ["cat", "/f"]' bundle/config.json >c && mv c bundle/config.json
	out=$(runc --root "$T/runc" run --bundle bundle --no-pivot "bld-test-$$" 2>runc.log </dev/null) || {
		cat runc.log
		grep -q cgroup runc.log || false
		# Where runc finds no usable cgroup tree, the same rootfs under chroot is the judge.
		out=$(chroot bundle/rootfs /bin/cat /f)
	}
	equal "$out" content
}

@test "oci: push and pull" {
	ok bld push img oci:out:name
	equal "$(python3 "$TOOLS/treedump.py" oci:out:name)" "$WANT"
	skopeo inspect oci:out:name >/dev/null
	ok bld --root other pull oci:out:name
	ok bld --root other images
	has "$output" name
	rm -rf other
}

@test "oci-archive: and docker-archive:" {
	ok bld push img oci-archive:a.tar
	skopeo copy -q oci-archive:a.tar oci:a:x
	equal "$(python3 "$TOOLS/treedump.py" oci:a:x)" "$WANT"
	ok bld push img docker-archive:d.tar
	skopeo copy -q docker-archive:d.tar oci:d:x
	equal "$(python3 "$TOOLS/treedump.py" oci:d:x)" "$WANT"
	for f in oci-archive:a.tar docker-archive:d.tar; do
		ok bld --root other pull "$f"
		rm -rf other
	done
}

@test "save and load" {
	bld tag img localhost/second:v2
	ok bld save -o saved.tar img
	ok bld --root other load -i saved.tar
	ok bld --root other images
	has "$output" 'docker.io/library/img'
	equal "$(BLD_ROOT=$T/other tree docker.io/library/img)" "$WANT"
	ok bld --root other run img
	equal "$output" content
	rm -rf other
	bld save img >piped.tar
	bld --root other load <piped.tar
	equal "$(BLD_ROOT=$T/other tree docker.io/library/img)" "$WANT"
	rm -rf other
	skopeo copy -q docker-archive:saved.tar oci:s:x 2>/dev/null || skopeo copy -q oci-archive:saved.tar oci:s:x
	equal "$(python3 "$TOOLS/treedump.py" oci:s:x)" "$WANT"
}

@test "archives of other tools load" {
	skopeo copy -q "oci:$(base_layout):gz" docker-archive:g.tar:host.example/n/gz:v1
	skopeo copy -q "oci:$(base_layout):gz" oci-archive:o.tar:host.example/n/oci:v1
	ok bld load -i g.tar
	ok bld load -i o.tar
	ok bld images
	has "$output" 'host.example/n/gz'
	has "$output" 'host.example/n/oci'
	ok bld run host.example/n/gz:v1 cat /etc/passwd
	has "$output" '^root:x:0'
	gzip g.tar
	ok bld load -i g.tar.gz
}

@test "a stage, a context and FROM by other transports" {
	bld push img oci:base-dir:b >/dev/null
	mkdir -p more
	echo named >more/n
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY --from=named n /n
		RUN --mount=type=bind,from=named,target=/m cat /m/n > /m-n
	EOF
	build --build-context named=more -t x ctx
	check_tree docker.io/library/x <<<'/n content=named%0a
/m-n content=named%0a'
}
