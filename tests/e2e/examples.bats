#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every example builds and runs, and the one with a compiler is the real build of the contract:
# base from a registry, packages from the network, pushed, read and run by other tools, all cached
# the second time.

load helpers

@test "static: one file on nothing" {
	cp -r "$REPO/examples/static" ex
	cc -static -Os -o ex/hello ex/hello.c
	build -t hello ex
	ok bld run hello some words
	equal "${lines[0]}" 'hello from /home, process 0, 2 argument(s)' || equal "${lines[0]}" 'hello from /home, process 1, 2 argument(s)'
	equal "${lines[2]}" '  words'
	check_tree docker.io/library/hello <<-'EOF'
		= / hello home
		layers 2
	EOF
}

@test "everything: each instruction" {
	need_base
	cp -r "$REPO/examples/everything" ex
	for i in ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR; do
		grep -qE "^$i " ex/Dockerfile || { echo "$i is not in it"; false; }
	done
	build --build-arg BASE=localhost/base -t everything ex
	ok bld run everything
	has "$output" 'mode demo in /srv/app as user 1000'
	has "$output" 'from a script in a heredoc'
	has "$output" 'a note, unpacked'
	has "$output" 'a trigger ran'
	holds docker.io/library/everything '.config.StopSignal == "SIGINT"' '.config.Healthcheck.Interval == 30000000000' \
		'.config.ExposedPorts | keys == ["8080/tcp", "9000/udp", "9001/udp", "9002/udp"]' \
		'.config.Labels["built-on"] == "template"' '.config.OnBuild == null' '.config.Cmd == ["now"]'
}

@test "the demo" {
	run env BUILD="$BUILD" sh "$REPO/examples/demo-run.sh"
	echo "$output"
	equal "$status" 0
	has "$output" 'hello, world: this image holds 5 words'
	has "$output" 'manifest digest: sha256:[0-9a-f]{64}'
	has "$output" 'CACHED'
}

@test "multistage: the real build, on Debian from a registry" {
	local debian
	debian=$(debian_layout)
	start_registry
	skopeo copy -q --dest-tls-verify=false "oci:$debian:debian" "docker://$REG/debian:12"
	cp -r "$REPO/examples/multistage" ex
	printf 'ctx\n' >ex/.dockerignore

	build --build-arg "BASE=$REG/debian:12" -t "$REG/app:1" ex
	ok bld push "$REG/app:1"
	pushed=$(grep -oE 'sha256:[0-9a-f]{64}' <<<"$output" | tail -1)
	equal "$(skopeo inspect --tls-verify=false "docker://$REG/app:1" | jq -r .Digest)" "$pushed"

	# pulled by skopeo, checked by umoci, run by buildah and bld
	skopeo copy -q --src-tls-verify=false "docker://$REG/app:1" oci:got:app
	umoci unpack --image got:app bundle
	python3 "$TOOLS/treedump.py" --no-root dir:bundle/rootfs >a
	tree "$REG/app:1" --no-root | diff - a
	check_tree "$REG/app:1" <<-'EOF'
		= / usr
		/usr/bin/primes type=f mode=0755 own=0:0
	EOF
	b="buildah --root $T/bs --runroot $T/br --storage-driver vfs"
	c=$($b from -q --tls-verify=false "docker://$REG/app:1")
	equal "$($b run --isolation chroot "$c" -- /usr/bin/primes 12 | tr '\n' ' ')" '2 3 5 7 11 '
	$b rm "$c" >/dev/null
	ok bld run "$REG/app:1" 12
	equal "$(tr '\n' ' ' <<<"$output")" '2 3 5 7 11 '

	# again: all cached, no mount, no clone, no unpacking
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=mount,umount2,unshare,setns,clone,clone3,fork,vfork,fsopen,fsmount,move_mount,mkdirat,symlinkat,execve \
		"$BLD" build --progress=plain --build-arg "BASE=$REG/debian:12" -t "$REG/app:1" ex >out 2>&1
	log=$(cat out)
	[ "$(cached_steps)" -ge 5 ] || { cat out; false; }
	hasnt "$(cat trace)" '(mount|umount2|unshare|setns|fsopen|fsmount|move_mount|symlinkat|fork|vfork)\('
	hasnt "$(grep -E 'clone3?\(' trace | grep -v CLONE_THREAD)" .

	# and for nothing but a changed source, the packages are not installed again
	echo '/* changed */' >>ex/src/sieve.c
	build --build-arg "BASE=$REG/debian:12" -t "$REG/app:2" ex
	[ "$(cached_steps)" -ge 2 ]
	ok bld verify
}
