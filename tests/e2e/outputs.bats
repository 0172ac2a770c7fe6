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

# files_image NAME: every kind of file, a whiteout, hard links, odd names
files_image() {
	mkdir -p o/sub/deep o/gone
	echo hello >o/file && chmod 4755 o/file && ln o/file o/sub/hard
	ln -s /etc/passwd o/abs && ln -s ../../../../up o/rel && mkfifo o/fifo && mknod o/null c 1 3
	echo x >o/gone/x && echo 'a b' >'o/a b' && chown 12:34 'o/a b' && chmod 700 o/sub
	truncate -s 3M o/sparse && printf end >>o/sparse && touch -d @1000000000 o/file o/sub/deep
	tar -cf ctx/o.tar o
	printf 'FROM localhost/base\nADD o.tar /\nRUN rm -r /o/gone && echo new >/o/sub/deep/n\n' >ctx/Dockerfile
	build -t "$1" ctx
}

# link_image: hard links to files of lower layers, which docker 26 and buildah refuse to unpack
link_image() {
	mkdir -p l1/w l2/w l3
	echo one >l1/w/a && ln l1/w/a l2/w/a && ln l2/w/a l2/w/b && ln l2/w/b l3/A && echo other >l3/o
	tar --numeric-owner -C l1 -cf l1.tar w
	tar --numeric-owner -C l2 -cf l2.tar w/a w/b && tar --delete -f l2.tar w/a
	(cd l3 && mkdir w && ln A w/b && tar --numeric-owner -cf ../l3.tar w/b A o && tar --delete -f ../l3.tar w/b)
	python3 "$TOOLS/mkimage.py" oci links l1.tar l2.tar l3.tar >/dev/null
	ok bld pull -q oci:oci:links
	printf 'FROM %s\n' "$(bld images -q | head -1)" >ctx/Dockerfile
}

@test "hard links to files of lower layers are hard links in local and tar" {
	link_image
	tar -tvf l2.tar >list
	has "$(cat list)" 'w/b link to w/a'
	hasnt "$(cat list)" '^-'
	ok bld build -q -o out -o type=tar,dest=o.tar ctx
	equal "$(stat -c '%i %h' out/w/a)" "$(stat -c '%i %h' out/w/b)"
	equal "$(stat -c '%i %h' out/w/a)" "$(stat -c '%i 3' out/A)"
	equal "$(cat out/A out/o)" "one
other"
	tar -tvf o.tar >list
	equal "$(grep -c ' link to ' list)" 2
	# again, over what is there
	ok bld build -q -o out ctx
	equal "$(stat -c '%i 3' out/w/b)" "$(stat -c '%i %h' out/A)"
}

# what a directory holds: type, mode, owner, size, time of files, target of links
listing() { (cd "$1" && find . -mindepth 1 \( -type d -o -type l \) -printf '%y %m %U:%G %p %l\n' -o -printf '%y %m %U:%G %s %T@ %n %p\n' | sort -k2); }

@test "-o DIR: the files of the image; again: only what changed; mode=delete; nothing outside" {
	need_base
	files_image localhost/files
	ok bld build -o type=local,dest=out,devices=true ctx
	equal "$(cat out/o/file)" hello
	equal "$(stat -c '%a %h %Y' out/o/file)" "4755 2 1000000000"
	equal "$(stat -c %i out/o/file)" "$(stat -c %i out/o/sub/hard)"
	equal "$(readlink out/o/abs) $(readlink out/o/rel)" "/etc/passwd ../../../../up"
	[ -p out/o/fifo ]
	equal "$(stat -c '%F %t %T' out/o/null)" "character special file 1 3"
	equal "$(stat -c '%u:%g' 'out/o/a b')" 12:34
	equal "$(stat -c '%a' out/o/sub)" 700
	[ ! -e out/o/gone ]
	equal "$(tail -c 3 out/o/sparse)" end
	# The same again: what is equal is left alone, what differs is made right.
	listing out >first
	before=$(stat -c %i 'out/o/a b')
	echo changed >out/o/sub/deep/n
	touch -r out/o/abs out/other
	ok bld build --output type=local,dest=out ctx
	listing out | grep -v ' ./other$' | diff first -
	equal "$(stat -c %i 'out/o/a b')" "$before"
	[ -e out/other ]
	ok bld build -o type=local,dest=out,devices=true,mode=delete ctx
	[ ! -e out/other ]
	# Equal size and times do not make equal content.
	printf 'a c\n' >'out/o/a b'
	touch -d "@$(awk '$NF == "b" && /a b/ { print int($5) }' first)" 'out/o/a b'
	ok bld build -o type=local,dest=out,devices=true ctx
	equal "$(cat 'out/o/a b')" 'a b'
	# Links that lie in the way do not lead out of the directory.
	mkdir victim trap
	ln -s "$T/victim" trap/o
	ok bld build -o trap ctx
	equal "$(ls victim)" ""
	[ ! -L trap/o ] && [ -f trap/o/file ]
	rm -rf trap/o/file && ln -s "$T/victim/hit" trap/o/file
	ok bld build -o trap ctx
	[ ! -e victim/hit ] && [ ! -L trap/o/file ]
	equal "$(find out trap -name '.bld-tmp*')" ""
}

@test "-o as an ordinary user: files of one's own, devices left out, no setuid" {
	need_base
	files_image localhost/files
	bld save -o "$T/a" localhost/files
	id nobody >/dev/null
	mkdir "$T/own" && chown nobody "$T/own" && chmod 755 "$T"
	mkdir "$T/own/ctx" && printf 'FROM localhost/files\n' >"$T/own/ctx/Dockerfile" && chmod -R a+rX "$T/own" "$T/a"
	cp "$BLD" "$T/own/bld"
	p=$T; while [ "$p" != / ]; do chmod a+x "$p"; p=$(dirname "$p"); done
	as() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$T/own" BLD_ROOT="$T/own/s" "$T/own/bld" "$@"; }
	ok as load -i "$T/a"
	ok as build -o "$T/own/out" "$T/own/ctx"
	has "$stderr" 'devices? (was|were) left out'
	equal "$(stat -c '%u %a' "$T/own/out/o/file")" "65534 755"
	[ -p "$T/own/out/o/fifo" ] && [ ! -e "$T/own/out/o/null" ]
	ok as build -o "$T/own/out" "$T/own/ctx"
}

@test "-o type=tar: deterministic, to a file and to standard output; times follow SOURCE_DATE_EPOCH" {
	need_base
	files_image localhost/files
	ok bld build -o type=tar,dest=a.tar ctx
	bld build -o - ctx >b.tar
	cmp a.tar b.tar
	tar -tvf a.tar >list
	has "$(cat list)" '^crw.* 1,3 .*o/null'
	has "$(cat list)" 'o/sub/hard link to o/file'
	hasnt "$(cat list)" 'wh\.'
	mkdir x && tar -C x -xf a.tar
	bld build -q -o type=local,dest=y,devices=true ctx
	diff <(listing x) <(listing y)
	SOURCE_DATE_EPOCH=1000000001 ok bld build -o type=tar,dest=c.tar ctx
	equal "$(tar -tvf c.tar --full-time --utc | awk '{ print $4 " " $5 }' | sort -u | tail -1)" "2001-09-09 01:46:41"
}

@test "-o type=oci and docker: archives and directories that skopeo reads; several at once" {
	need_base
	echo 'FROM localhost/base' >ctx/Dockerfile
	echo 'LABEL a=1' >>ctx/Dockerfile
	ok bld build -t localhost/x:1 -o type=oci,dest=a.oci -o type=oci,dest=dir,tar=false -o type=docker,dest=a.docker \
		-o '"type=oci","dest=z,std.oci",compression=zstd,compression-level=5,force-compression=true' -o plain ctx
	for i in oci-archive:a.oci oci:dir docker-archive:a.docker "oci-archive:z,std.oci"; do
		skopeo inspect --config "$i" | jq -e '.config.Labels.a == "1"'
	done
	[ -e plain/bin ]
	equal "$(skopeo inspect --raw "oci-archive:z,std.oci" | jq -r '[.layers[].mediaType] | unique[]')" application/vnd.oci.image.layer.v1.tar+zstd
	equal "$(tar -xOf a.oci index.json | jq -r '.manifests[].annotations."org.opencontainers.image.ref.name"')" localhost/x:1
	equal "$(tar -xOf a.docker manifest.json | jq -r '.[].RepoTags[]')" localhost/x:1
	bld build -o type=oci,dest=-,name=localhost/y:2,oci-mediatypes=false ctx >b.oci
	equal "$(tar -xOf b.oci index.json | jq -r '.manifests[] | .annotations."org.opencontainers.image.ref.name", .mediaType' | tr '\n' ' ')" \
		"localhost/y:2 application/vnd.docker.distribution.manifest.v2+json "
	skopeo inspect --config oci-archive:b.oci | jq -e '.config.Labels.a == "1"'
	# Without -t nothing was named.
	ok bld images -q
	equal "$(wc -l <<<"$output")" 2
}

@test "-o type=image and registry: names in the store, and pushed" {
	need_base
	start_registry
	echo 'FROM localhost/base' >ctx/Dockerfile
	ok bld build -o '"type=image","name=localhost/n1,localhost/n2"' ctx
	bld inspect localhost/n1 >/dev/null && bld inspect localhost/n2 >/dev/null
	ok bld build -t "$REG/p:1" -o type=registry ctx
	skopeo inspect --tls-verify=false "docker://$REG/p:1" >/dev/null
	ok bld build -o "type=image,name=$REG/q:1,push=true,oci-mediatypes=false,compression=gzip,compression-level=9" --metadata-file m ctx
	skopeo inspect --raw --tls-verify=false "docker://$REG/q:1" | jq -e '.mediaType == "application/vnd.docker.distribution.manifest.v2+json"'
	equal "$(jq -r '."containerimage.digest"' m)" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REG/q:1")"
	ok bld build -t localhost/unkept -o type=cacheonly ctx
	fails 4 'no image' bld inspect localhost/unkept
	fails 7 'pushing' bld build -o type=registry,name=127.0.0.1:1/x ctx
}

@test "-o: mistakes are told before anything is built" {
	echo 'FROM nowhere.invalid/x' >ctx/Dockerfile
	fails 2 'did you mean "dest"' bld build -o type=local,dets=x ctx
	fails 2 'did you mean "local"' bld build -o type=locla,dest=x ctx
	fails 2 'no type' bld build -o dest=x ctx
	fails 2 'dest is missing' bld build -o type=local ctx
	fails 2 'dest is missing' bld build -o type=oci,tar=false ctx
	fails 2 'has no "mode"' bld build -o type=tar,dest=x,mode=delete ctx
	fails 2 'mode=move is not known' bld build -o type=local,dest=x,mode=move ctx
	fails 2 'neither true nor false' bld build -o type=image,push=perhaps ctx
	fails 2 'needs a name' bld build -o type=registry ctx
	fails 2 'no end' bld build -o 'type=local,"dest=x' ctx
	fails 2 'is not a level|compression' bld build -o type=oci,dest=x,compression-level=99 ctx
	fails 2 'no compression|xz' bld build -o type=oci,dest=x,compression=xz ctx
	fails 2 'are plain' bld build -o type=docker,dest=x,compression=gzip ctx
	fails 2 'know no zstd' bld build -o type=oci,dest=x,compression=zstd,oci-mediatypes=false ctx
	fails 2 'only one' bld build -o - -o type=oci,dest=- ctx
	has "$(script -qec "'$BLD' build -o - ctx" /dev/null </dev/null 2>&1 || true)" 'nothing for a terminal'
	touch file
	fails 4 'file.*Not a directory' bld build -o file ctx
	fails 4 'Is a directory' bld build -o type=tar,dest=ctx ctx
	fails 4 'No such file' bld build -o type=oci,dest=no/such/x ctx
	fails 2 'rewrite-timestamp=false' bld build -o type=oci,dest=x,rewrite-timestamp=false ctx
	fails 2 'neither true nor false' bld build -o type=oci,dest=x,rewrite-timestamp=perhaps ctx
}
