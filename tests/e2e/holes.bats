#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Holes of files: a run of zeros that begins at a multiple of 1 MiB and has as many bytes is stored
# nowhere, whoever made it; equal contents are equal layers; every form shows the file.

load helpers

setup() {
	common_setup
	unset BLD_LAYER_FORM
	need_base
}

mib() { du -sm "$1" | cut -f1; }
at_most() { [ "$1" -le "$2" ] || { echo "$3: $1, more than $2"; return 1; }; }

# file PATH: a hole of 40 MiB, text, 3 MiB and a bit of zeros that are written, text
file() {
	truncate -s 40M "$1"
	echo text >>"$1"
	head -c 4000000 /dev/zero >>"$1"
	echo end >>"$1"
	chmod 644 "$1"
}

# The plain bytes of a layer, the last one by default.
layer() {
	local blob
	blob=$(manifest "$1" | jq -r ".layers[${2:--1}].digest" | tr : /)
	cat "$BLD_ROOT/blobs/$blob"
}

@test "RUN that makes a file of 1 GiB costs nothing: the layer, the next RUN, COPY --from of a part" {
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN truncate -s 1G /f && echo end >>/f
		RUN stat -c "size %s" /f && tail -c 4 /f && dd if=/dev/zero of=/z bs=1M count=200 2>/dev/null
		FROM scratch
		COPY --from=one /z /z
	EOF
	before=$(mib "$BLD_ROOT/blobs")
	build --target one -t localhost/all ctx
	has "$log" 'size 1073741828'
	has "$log" ' end$'
	build ctx
	at_most $(($(mib "$BLD_ROOT/blobs") - before)) 30 "MiB of layers"
	# What the directory of the step has is what the command wrote.
	at_most "$(mib "$BLD_ROOT")" 250 "MiB of the store"
}

@test "equal contents are equal layers: holes, zeros that were written, another file system, ADD, COPY --from" {
	mkdir ctx/hole ctx/full ctx/part
	file ctx/hole/f
	cp --sparse=never ctx/hole/f ctx/full/f
	cp --sparse=always ctx/hole/f ctx/part/f
	touch -d @1000 ctx/*/f
	for d in hole full part; do
		printf 'FROM scratch\nCOPY f /f\n' >"ctx/$d/Dockerfile"
		bld build -q --timestamp 1000 -t "localhost/$d" "ctx/$d"
	done
	want=$(digest localhost/hole)
	equal "$(digest localhost/full)" "$want"
	equal "$(digest localhost/part)" "$want"
	rm -rf "$BLD_ROOT/bld/copy" "$BLD_ROOT/bld/cache" # nothing is remembered
	if [ -w /dev/shm ]; then
		shm=$(mktemp -d /dev/shm/bld.XXXXXX)
		cp --sparse=never ctx/full/f "$shm/f"
		touch -d @1000 "$shm/f"
		cp ctx/full/Dockerfile "$shm"
		bld build -q --timestamp 1000 -t localhost/shm "$shm"
		rm -rf "$shm"
		equal "$(digest localhost/shm)" "$want"
	fi
	at_most "$(layer localhost/full | wc -c)" 2000000 "bytes of the layer"
	for how in "--format=gnu -S" "--format=posix -S" "--format=posix"; do
		tar $how -C ctx/hole --owner=0 --group=0 --mtime=@1000 -cf ctx/full/a.tar f
		printf 'FROM scratch\nADD a.tar /\n' >ctx/full/Dockerfile
		bld build -q --timestamp 1000 -t localhost/add ctx/full
		equal "$(layer localhost/add | sha256sum)" "$(layer localhost/hole | sha256sum)" "$how"
	done
	printf 'FROM scratch AS a\nCOPY f /f\nFROM scratch\nCOPY --from=a /f /f\n' >ctx/hole/Dockerfile
	bld build -q --timestamp 1000 -t localhost/from ctx/hole
	equal "$(layer localhost/from | sha256sum)" "$(layer localhost/hole | sha256sum)"
	printf 'FROM localhost/base\nRUN --mount=target=/m cp /m/f /f && touch -d @1000 /f\n' >ctx/hole/Dockerfile
	bld build -q --timestamp 1000 -t localhost/run ctx/hole
	equal "$(layer localhost/run | sha256sum)" "$(layer localhost/hole | sha256sum)"
	bld verify
}

@test "every form, output and reader shows the file: index, directory, squash, -o, save, skopeo, tar" {
	file ctx/f
	want=$(sha256sum <ctx/f)
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY f /f
		RUN truncate -s 5M /all && cp /f /g && rm /f && mv /g /f
		RUN sha256sum /f /all
	EOF
	for form in index directory; do
		export BLD_LAYER_FORM=$form
		if [ $form = index ] && ! bld build -q ctx >/dev/null 2>&1; then continue; fi
		rm -rf "$BLD_ROOT"
		need_base
		build -t "localhost/$form" ctx
		has "$log" "${want%% *}"
		bld build -q --squash -t "localhost/sq$form" ctx
		at_most "$(layer "localhost/sq$form" | wc -c)" 2000000 "bytes of the squashed layer"
		bld build -q -o out ctx >/dev/null
		equal "$(sha256sum <out/f)" "$want"
		equal "$(stat -c %s out/all)" 5242880
		at_most "$(stat -c %b out/all)" 64 "blocks of a hole"
		at_most "$(stat -c %b out/f)" 5000 "blocks of a file with holes"
		rm -rf out
		bld verify
	done
	unset BLD_LAYER_FORM
	bld build -q -o type=tar,dest=out.tar ctx
	at_most "$(stat -c %s out.tar)" 20000000 "bytes of the tar"
	mkdir out
	tar -C out -xf out.tar f all
	equal "$(sha256sum <out/f)" "$want"
	equal "$(stat -c %s out/all)" 5242880
	bld save -o s.tar localhost/directory
	skopeo copy -q docker-archive:s.tar dir:copied
	bld rmi localhost/directory
	bld load -i s.tar
	check_tree localhost/directory <<-EOF
		/f size=45943049
		/all size=5242880
	EOF
}
