#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a build reads: which Dockerfile, which ignore file, which context.

load helpers

# files NAME: the files of the built image, on one line
files() { tree "docker.io/library/$1" --no-root | cut -d' ' -f1 | tr '\n' ' '; }

everything() { printf 'FROM scratch\nCOPY . /\n' >"$1"; }

# --- ignore files -----------------------------------------------------------------------

@test "of four ignore files the first that is there counts" {
	everything ctx/Dockerfile
	touch ctx/a ctx/b ctx/c ctx/d
	printf 'a\n*ocker*\n.*\n*ignore\n' >ctx/.dockerignore
	build -t x ctx
	equal "$(files x)" "/b /c /d "
	printf 'b\n*ocker*\n.*\n*ignore\n' >ctx/.containerignore
	build -t x ctx
	equal "$(files x)" "/a /c /d "
	printf 'c\n*ocker*\n.*\n*ignore\n' >ctx/Dockerfile.dockerignore
	build -t x ctx
	equal "$(files x)" "/a /b /d "
	printf 'd\n*ocker*\n.*\n*ignore\n' >ctx/Dockerfile.containerignore
	build -t x ctx
	equal "$(files x)" "/a /b /c "
	printf 'a\nb\n*ocker*\n.*\n*ignore\n' >mine
	build -t x --ignorefile mine ctx
	equal "$(files x)" "/c /d "
}

@test "--ignorefile: missing, a directory, a malformed rule" {
	everything ctx/Dockerfile
	fails 4 'ignorefile.*nowhere' bld build --ignorefile nowhere ctx
	fails 4 'ignorefile' bld build --ignorefile ctx ctx
	printf 'a\n[\n' >bad
	fails 4 'bad: line 2' bld build --ignorefile bad ctx
}

@test "a message about an excluded file names the ignore file and its line" {
	printf 'FROM scratch\nCOPY a /\n' >ctx/Dockerfile
	touch ctx/a
	printf '# no\na\n' >ctx/.containerignore
	fails 4 'line 2 of \.containerignore' bld build ctx
	rm ctx/.containerignore
	printf 'a\n' >mine
	fails 4 'line 1 of mine' bld build --ignorefile mine ctx
}

@test "the ignore file beside a Dockerfile outside the context" {
	mkdir other
	everything other/my.df
	touch ctx/a ctx/b
	echo a >other/my.df.dockerignore
	build -t x -f other/my.df ctx
	equal "$(files x)" "/b "
	echo b >other/my.df.containerignore
	build -t x -f other/my.df ctx
	equal "$(files x)" "/a "
	build -t x -f - ctx <other/my.df
	equal "$(files x)" "/a /b "
}

@test "every named context has its own ignore file" {
	mkdir n m
	touch n/a n/b m/a m/b ctx/a ctx/b
	echo a >n/.dockerignore
	echo b >m/.containerignore
	echo '**' >ctx/.dockerignore
	printf 'FROM scratch\nCOPY --from=n . /n\nCOPY --from=m . /m\n' >ctx/Dockerfile
	build -t x --build-context n=n --build-context m=m ctx
	check_tree docker.io/library/x <<-'END'
		/n/b type=f
		/m/a type=f
		! /n/a
		! /m/b
	END
}

@test "an ignore file that leads out of the context is not followed" {
	everything ctx/Dockerfile
	touch ctx/a
	printf 'a\nsecret[\n' >outside
	ln -s ../outside ctx/.dockerignore
	build -t x ctx
	hasnt "$log" secret
	ln -sf /etc/shadow ctx/.containerignore
	build -t x ctx
}

# --- the Dockerfile ----------------------------------------------------------------------

@test "Dockerfile, Containerfile, dockerfile" {
	printf 'FROM scratch\nLABEL l=lower\n' >ctx/dockerfile
	build -t x ctx
	holds docker.io/library/x '.config.Labels.l == "lower"'
	printf 'FROM scratch\nLABEL l=container\n' >ctx/Containerfile
	build -t x ctx
	holds docker.io/library/x '.config.Labels.l == "container"'
	hasnt "$log" 'and a Containerfile'
	printf 'FROM scratch\nLABEL l=docker\n' >ctx/Dockerfile
	build -t x ctx
	holds docker.io/library/x '.config.Labels.l == "docker"'
	has "$log" 'has a Dockerfile and a Containerfile: the Dockerfile is used'
	build -t x -f ctx/Containerfile ctx
	holds docker.io/library/x '.config.Labels.l == "container"'
	hasnt "$log" 'and a Containerfile'
}

@test "Containerfile has its own ignore files, and its name in messages" {
	everything ctx/Containerfile
	touch ctx/a ctx/b
	printf 'b\nC*\n' >ctx/Containerfile.containerignore
	build -t x ctx
	equal "$(files x)" "/a "
	printf 'FROM scratch\nCOPIE a /\n' >ctx/Containerfile
	fails 3 '^Containerfile:2:1' bld build ctx
}

@test "-f: the current directory, then the context, and what is missing" {
	mkdir ctx/sub
	printf 'FROM scratch\nLABEL l=in\n' >ctx/sub/F
	build -t x -f sub/F ctx
	holds docker.io/library/x '.config.Labels.l == "in"'
	mkdir sub
	printf 'FROM scratch\nLABEL l=out\n' >sub/F
	build -t x -f sub/F ctx
	holds docker.io/library/x '.config.Labels.l == "out"'
	fails 4 'Dockerfile "nope"' bld build -f nope ctx
	fails 4 'is a directory' bld build -f sub ctx
	fails 4 'there is no Dockerfile in the context ctx' bld build ctx
	echo 'FROM scratch' >ctx/Containerfile
	fails 4 'the context has a Containerfile' bld build -f nope ctx
	fails 2 'both' bld build -f - -
}

@test "a Dockerfile that is a symlink out of the context is not read" {
	printf 'FROM scratch\nLABEL l=outside\n' >Dockerfile.out
	ln -s ../Dockerfile.out ctx/Dockerfile
	fails 4 'no Dockerfile|No such file' bld build ctx
	ln -sf /etc/shadow ctx/Dockerfile
	run bld build ctx
	[ "$status" != 0 ]
	hasnt "$output" 'root:'
	printf 'FROM scratch\nLABEL l=inside\n' >ctx/real
	ln -sf real ctx/Dockerfile
	build -t x ctx
	holds docker.io/library/x '.config.Labels.l == "inside"'
}

# --- tar on standard input ------------------------------------------------------------------

@test "a tar on standard input, plain and packed, with each name of the Dockerfile" {
	everything ctx/Containerfile
	printf 'FROM scratch\nLABEL l=f\n' >ctx/F
	echo a >ctx/a
	tar -C ctx -cf c.tar .
	gzip -k c.tar
	bzip2 -k c.tar
	xz -k c.tar
	zstd -q c.tar
	for f in c.tar c.tar.gz c.tar.bz2 c.tar.xz c.tar.zst; do
		build -t x - <$f
		equal "$(files x)" "/Containerfile /F /a " $f
	done
	build -t x -f F - <c.tar.xz
	holds docker.io/library/x '.config.Labels.l == "f"'
	fails 4 'Dockerfile "nope"' bld build -f nope - <c.tar
	echo a >mine
	echo 'C*' >>mine
	build -t x --ignorefile mine - <c.tar
	equal "$(files x)" "/F "
}
