#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Names of images and platforms that cannot be meant: where they stand, what they should have been.

load helpers

@test "FROM and COPY --from with a name that no image can have: status 3 with its place, --check too" {
	while IFS='|' read -r line place re; do
		printf "$line\n" >ctx/Dockerfile
		fails 3 "Dockerfile:$place: error: invalid image name .*$re" bld build ctx
		fails 3 "Dockerfile:$place: error: invalid image name .*$re" bld build --check ctx
	done <<-'EOF'
		FROM REPLACE-ME|1:6|lower-case
		FROM x:|1:6|a tag is
		FROM a//b|1:6|malformed
		FROM Foo/Bar|1:6|lower-case
		FROM x@sha256:12|1:6|digest
		FROM scratch\nCOPY --from=Foo /a /b|2:13|lower-case
		FROM x: AS never\nFROM scratch\nCOPY Dockerfile /|1:6|a tag is
	EOF
	printf 'ARG B=Foo\nFROM $B\n' >ctx/Dockerfile
	fails 3 'Dockerfile:2:6: error.*Foo' bld build ctx
	# a digest or an ID is no name, and means an image
	printf 'FROM %064d\n' 7 >ctx/Dockerfile
	ok bld build --check ctx
}

@test "FROM --platform that cannot be: status 3 with its place" {
	while IFS='|' read -r line re; do
		printf "$line\n" >ctx/Dockerfile
		fails 3 "Dockerfile:1:17: error: platform .*" bld build ctx
		has "$stderr" "$re"
		fails 3 "Dockerfile:1:17: error: platform .*" bld build --check ctx
	done <<-'EOF'
		FROM --platform=linux/$UNSET scratch|\$UNSET is not set
		FROM --platform=linux/amd46 scratch|did you mean "linux/amd64"
		FROM --platform=linux/a/b/c scratch|expected OS/ARCH
		FROM --platform=local scratch|\$BUILDPLATFORM
	EOF
}

@test "--platform=local is this machine" {
	printf 'FROM scratch\nARG TARGETPLATFORM\nLABEL p=$TARGETPLATFORM\n' >ctx/Dockerfile
	build -t a ctx
	build -t b --platform=local ctx
	equal "$(digest docker.io/library/a)" "$(digest docker.io/library/b)"
}

@test "a platform with a slip is refused with the name that was meant" {
	printf 'FROM scratch\nCOPY Dockerfile /\n' >ctx/Dockerfile
	while IFS='|' read -r word meant; do
		fails 2 "platform .*" bld build --platform "$word" ctx
		has "$stderr" "did you mean \"$meant\""
	done <<-'EOF'
		linux/amd46|linux/amd64
		linx/amd64|linux
		linux/amd64,linux/arm46|linux/arm64
		linux/x64|linux/amd64
		linux/armv7|linux/arm/v7
		linux/ppc64el|linux/ppc64le
		amd46|linux/amd64
		lnux|linux
	EOF
	fails 2 'no such operating system or architecture' bld build --platform nothing ctx
	fails 2 'did you mean "linux/amd64"' bld pull --platform linux/amd46 127.0.0.1:1/x
	# of machines that are still to come
	ok bld build -q --platform linux/q128 ctx
	ok bld build -q --platform linux/x86_64 ctx
}

@test "--check with several platforms" {
	printf 'FROM scratch\nCOPY Dockerfile /\n' >ctx/Dockerfile
	ok bld build --check --platform linux/amd64,linux/arm64 ctx
}
