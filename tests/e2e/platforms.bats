#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Several platforms, and RUN of another architecture by qemu's binfmt_misc handler.

load helpers

x() { echo docker.io/library/x; }
MISC=/proc/sys/fs/binfmt_misc
HOST=$(uname -m)

teardown() {
	[ -z "${REGISTERED:-}" ] || echo -1 >"$MISC/qemu-aarch64" || true
	common_teardown
}

mounted() { [ -e $MISC/status ] || mount -t binfmt_misc none $MISC 2>/dev/null; }

@test "an index of two platforms: names, platforms, arguments, one Dockerfile from standard input" {
	echo one >ctx/f-amd64
	echo two >ctx/f-arm64
	printf '%s\n' 'FROM scratch' 'ARG TARGETPLATFORM TARGETARCH TARGETVARIANT' 'COPY f-$TARGETARCH /f' \
		'LABEL p=$TARGETPLATFORM v=${TARGETVARIANT-unset}.${TARGETVARIANT:-empty}' |
		build -t x -t y --platform linux/amd64,arm64,linux/arm64/v8 -f - --iidfile iid --metadata-file md ctx
	index=$(jq -r --arg n "$(x):latest" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $n).digest' "$BLD_ROOT/index.json")
	equal "$(cat iid)" "$index"
	equal "$(jq -r '.["containerimage.digest"]' md)" "$index"
	file=$BLD_ROOT/blobs/sha256/${index#*:}
	equal "$(jq -r '.mediaType' "$file")" application/vnd.oci.image.index.v1+json
	equal "$(jq -c '[.manifests[].platform]' "$file")" '[{"architecture":"amd64","os":"linux"},{"architecture":"arm64","os":"linux"}]'
	for a in amd64 arm64; do
		skopeo copy -q --override-arch $a "oci:$BLD_ROOT:$(x):latest" "dir:$a"
		c=$(jq -r .config.digest $a/manifest.json)
		equal "$(jq -r '.architecture + " " + .config.Labels.p + " " + .config.Labels.v' "$a/${c#*:}")" "$a linux/$a .empty"
	done
	ok bld images
	has "$output" "$(x):latest"
	ok bld prune
	skopeo copy -q --override-arch arm64 "oci:$BLD_ROOT:$(x):latest" dir:again
}

@test "an index is pushed with all its images" {
	start_registry
	printf 'FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\n' >ctx/Dockerfile
	build -t "$REG/m:1" --platform linux/amd64,linux/arm64 --push --metadata-file md ctx
	skopeo inspect --raw --tls-verify=false "docker://$REG/m:1" >raw
	equal "$(jq -c '[.manifests[].platform.architecture]' raw)" '["amd64","arm64"]'
	for a in amd64 arm64; do
		skopeo copy -q --override-arch $a --src-tls-verify=false "docker://$REG/m:1" "oci:o-$a:x"
		python3 "$TOOLS/treedump.py" --no-root "oci:o-$a:x" | grep -q "^/$a "
	done
	equal "$(jq -r '.["containerimage.pushed"]["'"$REG/m:1"'"]' md)" "sha256:$(sha256sum raw | cut -c1-64)"
	ok bld push "$REG/m:1" "$REG/n:2"
	equal "$(skopeo inspect --raw --tls-verify=false "docker://$REG/n:2" | jq '.manifests | length')" 2
	# and comes back for a platform of choice
	printf 'FROM --platform=linux/arm64 %s/m:1\n' "$REG" >ctx/Dockerfile
	export BLD_ROOT=$T/other
	build -t x ctx
	check_tree "$(x)" <<<'/arm64 type=f'
	rm -rf "$T/other"
}

@test "FROM --platform and the automatic arguments, also given by --build-arg" {
	cat >ctx/Dockerfile <<-'EOF'
		FROM --platform=$BUILDPLATFORM scratch AS tools
		ARG TARGETOS TARGETARCH BUILDARCH TARGETOSVERSION TARGETSTAGE
		LABEL t=$TARGETOS/$TARGETARCH b=$BUILDARCH o=${TARGETOSVERSION-unset} s=$TARGETSTAGE
		COPY Dockerfile /
		FROM tools AS last
	EOF
	build -t x --platform linux/s390x ctx
	holds "$(x)" '.config.Labels.t == "linux/s390x"' '.config.Labels.o == ""' '.config.Labels.s == "last"'
	build -t x --platform linux/s390x --build-arg TARGETARCH=mine ctx
	holds "$(x)" '.config.Labels.t == "linux/mine"'
	fails 2 'platform' bld build --platform linux/amd64,a/b/c/d ctx
	fails 2 'no platform' bld build --platform , ctx
}

@test "without a handler RUN of another architecture is refused before anything runs" {
	mounted || skip "kernel: binfmt_misc cannot be mounted: $(mount -t binfmt_misc none $MISC 2>&1 || true)"
	[ ! -e $MISC/qemu-s390x ] || skip "machine: there is a handler of s390x"
	printf 'FROM scratch AS a\nCOPY Dockerfile /\nRUN first\nFROM --platform=linux/s390x scratch\nCOPY --from=a /Dockerfile /\nRUN x\n' >ctx/Dockerfile
	fails 1 'Dockerfile:6:1.*RUN for linux/s390x.*no binfmt_misc handler qemu-s390x' bld build ctx
	has "$stderr" 'help: install qemu-user-static'
	hasnt "$stderr" 'first'
	# nothing to run, nothing to refuse
	sed -i '/RUN/d' ctx/Dockerfile
	build -t x ctx
}

@test "RUN of arm64 by qemu" {
	[ "$HOST" = x86_64 ] || skip "machine: for x86_64 machines"
	mounted || skip "kernel: binfmt_misc cannot be mounted"
	command -v aarch64-linux-gnu-gcc >/dev/null || skip "aarch64-linux-gnu-gcc is missing"
	if [ ! -e $MISC/qemu-aarch64 ]; then
		[ -e /usr/lib/binfmt.d/qemu-aarch64.conf ] || skip "qemu-user-static is missing"
		cat /usr/lib/binfmt.d/qemu-aarch64.conf >$MISC/register || skip "kernel: handlers cannot be registered"
		REGISTERED=1
	fi
	cat >sh.c <<-'EOF'
		#include <stdio.h>
		#include <sys/utsname.h>
		int main(int c, char **v)
		{
			struct utsname u;
			FILE *f = fopen("/ran", "w");
			uname(&u);
			fprintf(f, "%s %s\n", u.machine, c > 2 ? v[2] : "");
			return fclose(f);
		}
	EOF
	mkdir ctx/bin
	aarch64-linux-gnu-gcc -static -o ctx/bin/sh sh.c
	printf 'FROM scratch\nARG TARGETARCH\nCOPY bin/sh /bin/sh\nRUN hello-$TARGETARCH\n' >ctx/Dockerfile
	build -t x --platform linux/arm64 ctx
	check_tree "$(x)" <<<'/ran content=aarch64%20hello-$TARGETARCH%0a'
	holds "$(x)" '.architecture == "arm64"'
}
