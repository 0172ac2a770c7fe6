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

# --- contexts over http --------------------------------------------------------------------

@test "an http context: archives, a Dockerfile, and what is neither" {
	start_web
	everything ctx/Dockerfile
	echo a >ctx/a
	tar -C ctx -cf www/c.tar .
	for f in gz bz2 xz zst; do tar -C ctx -caf www/c.tar.$f .; done
	for f in c.tar c.tar.gz c.tar.bz2 c.tar.xz c.tar.zst; do
		build -t x "http://$WEB/files/$f"
		equal "$(files x)" "/Dockerfile /a " $f
	done
	build -t x "http://$WEB/files/c.tar"
	equal "$(grep -c 'c.tar 200' web.log)" 1
	printf 'FROM scratch\nLABEL l=web\n' >www/df
	build -t x "http://$WEB/plain/df"
	holds docker.io/library/x '.config.Labels.l == "web"'
	fails 2 '-f names another' bld build -f ctx/Dockerfile "http://$WEB/plain/df"
	fails 5 '404' bld build "http://$WEB/plain/nope"
	fails 2 'not a kind of context' bld build ftp://127.0.0.1/x
}

# --- named contexts --------------------------------------------------------------------------

@test "a named context replaces stages and images of its name, whatever way it is written" {
	need_base
	mkdir n
	echo named >n/f
	cat >ctx/Dockerfile <<-'EOF'
		FROM scratch AS stage
		COPY Dockerfile /f
		FROM scratch
		COPY --from=stage /f /stage
		COPY --from=alpine /f /image
	EOF
	build -t x --build-context stage=n --build-context docker.io/library/alpine:latest=n ctx
	check_tree docker.io/library/x <<-'EOF'
		/stage content=named%0a
		/image content=named%0a
	EOF
	printf 'FROM busybox:latest\nCOPY --from=busybox f /g\n' >ctx/Dockerfile
	build -t x --build-context busybox=n ctx
	check_tree docker.io/library/x <<-'EOF'
		/f content=named%0a
		/g content=named%0a
	EOF
	printf 'FROM localhost/base\nRUN --mount=from=n,target=/m cp /m/f /out\n' >ctx/Dockerfile
	build -t x --build-context n=n ctx
	check_tree docker.io/library/x <<<'/out content=named%0a'
}

@test "docker-image:// and oci-layout:" {
	need_base
	layout=$(base_layout)
	cat >ctx/Dockerfile <<-'EOF'
		FROM one AS a
		RUN echo ran > /ran
		FROM scratch
		COPY --from=a /ran /ran
		COPY --from=two /bin/busybox /b
	EOF
	build -t x --build-context one=docker-image://localhost/base --build-context "two=oci-layout:$layout:gz" ctx
	check_tree docker.io/library/x <<-'EOF'
		/ran content=ran%0a
		/b type=f
	EOF
	# the names inside the layout are not given to images of the store
	ok bld images
	hasnt "$output" 'library/gz'
	digest=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "zst").digest' "$layout/index.json")
	printf 'FROM two\nCOPY --from=two /etc/passwd /p\n' >ctx/Dockerfile
	build -t x --build-context "two=oci-layout://$layout@$digest" ctx
	check_tree docker.io/library/x <<<'/p type=f'
	printf 'FROM two\nRUN --mount=from=two,target=/m cp /m/etc/passwd /q\n' >ctx/Dockerfile
	build -t x --build-context "two=oci-layout://$layout:base" ctx
	check_tree docker.io/library/x <<<'/q type=f'
	fails 4 'no image named nope.*' bld build --build-context "two=oci-layout:$layout:nope" ctx
	fails 2 '64 hexadecimal' bld build --build-context "two=oci-layout:$layout@sha256:00" ctx
}

@test "an archive behind a URL as named context" {
	start_web
	mkdir n
	echo n >n/f
	tar -C n -czf www/n.tgz f
	echo text >www/text
	printf 'FROM n\nCOPY --from=n f /g\n' >ctx/Dockerfile
	build -t x --build-context "n=http://$WEB/files/n.tgz" ctx
	equal "$(files x)" "/f /g "
	fails 4 'Dockerfile:1:6.*not a tar archive' bld build --build-context "n=http://$WEB/files/text" ctx
}

@test "docker-image://scratch is nothing, as FROM scratch" {
	echo f >ctx/f
	printf 'FROM base\nCOPY f /\n' >ctx/Dockerfile
	build -t x --build-context base=docker-image://scratch ctx
	printf 'FROM scratch\nCOPY f /\n' >ctx/Dockerfile
	build -t y ctx
	equal "$(config docker.io/library/x | jq -S 'del(.history, .created)')" "$(config docker.io/library/y | jq -S 'del(.history, .created)')"
	equal "$(files x)" '/f '
	# as a stage, behind COPY --from and for lint
	printf 'FROM base AS b\nENV A=b\nFROM b\nCOPY Dockerfile /\n' >ctx/Dockerfile
	build -t z --build-context base=docker-image://scratch ctx
	holds docker.io/library/z '.config.Env[-1] == "A=b"'
	printf 'FROM scratch\nCOPY --from=base /x /\n' >ctx/Dockerfile
	fails 4 'Dockerfile:2:18: error: x: not found' bld build --build-context base=docker-image://scratch ctx
	printf 'FROM base\nLABEL a=$GOPATH\n' >ctx/Dockerfile
	ok bld build --check --build-context base=docker-image://scratch ctx
	has "$output" 'UndefinedVar'
}

@test "-f URL: the Dockerfile is fetched, the context is another one of every kind" {
	start_web
	printf 'FROM scratch\nCOPY a /\n' >www/df
	printf 'FROM scratch\nLABEL wrong=1\n' >ctx/Dockerfile
	echo a >ctx/a
	tar -C ctx -cf www/c.tar .
	for c in ctx - "http://$WEB/files/c.tar"; do
		build -t x -f "http://$WEB/plain/df" "$c" <www/c.tar
		equal "$(files x)" '/a ' "$c"
		holds docker.io/library/x '.config.Labels == null'
	done
}

@test "a Dockerfile behind a URL as context, and -f that names nothing: it is used, as docker does" {
	start_web
	printf 'FROM scratch\nLABEL l=web\n' >www/baz
	build -t x -f baz "http://$WEB/plain/baz"
	holds docker.io/library/x '.config.Labels.l == "web"'
	has "$log" '-f baz is not looked for: .*the Dockerfile itself'
	# what could be read itself is ambiguous
	printf 'FROM scratch\n' >baz
	fails 2 '-f names another' bld build -f baz "http://$WEB/plain/baz"
	fails 2 '-f names another' bld build -f "http://$WEB/plain/baz" "http://$WEB/plain/baz"
}

@test "an entry of an archive that has no name and is a file is left out" {
	python3 - <<-'EOF'
		import io, tarfile
		def make(path, entries):
		    with tarfile.open(path, "w") as t:
		        for name, data in entries:
		            i = tarfile.TarInfo(name)
		            i.size = len(data)
		            t.addfile(i, io.BytesIO(data))
		make("in.tar", [("ok", b"1"), ("", b"lost"), (".", b"lost"), ("ok2", b"2")])
		make("c.tar", [("Dockerfile", b"FROM scratch\nADD in.tar /d/\nCOPY ok3 /\n"), ("", b"lost"),
		    ("in.tar", open("in.tar", "rb").read()), ("ok3", b"3")])
	EOF
	build -t x - <c.tar
	check_tree docker.io/library/x <<-'EOF'
		/d type=d
		/d/ok content=1
		/d/ok2 content=2
		/ok3 content=3
	EOF
	equal "$(files x)" '/d /d/ok /d/ok2 /ok3 '
}

@test "mistakes in --build-context" {
	everything ctx/Dockerfile
	fails 2 'expected NAME=VALUE' bld build --build-context n ctx
	fails 2 'expected NAME=VALUE' bld build --build-context =n ctx
	fails 2 'reserved' bld build --build-context scratch=ctx ctx
	fails 2 'reserved' bld build --build-context context=ctx ctx
	fails 2 'standard input' bld build --build-context n=- ctx
	fails 2 'not a kind of context' bld build --build-context n=s3://x ctx
	fails 2 'docker-image://' bld build --build-context n=docker-image://a/UPPER ctx
	fails 2 'bake' bld build --build-context n=target:x ctx
	fails 4 'nowhere' bld build --build-context n=nowhere ctx
}

# --- when the registry is asked, when the cache is used --------------------------------------------

@test "--pull: always, missing, never, and the words of others" {
	start_registry
	seed "$REG/base:1" base
	printf 'FROM %s/base:1\nCOPY Dockerfile /\n' "$REG" >ctx/Dockerfile
	fails 4 'Dockerfile:1:6.*not in the store.*--pull=never' bld build --pull=never ctx
	build -t x ctx
	build -t x --pull=never ctx
	hasnt "$log" pulling
	build -t x --pull=missing ctx
	hasnt "$log" pulling
	build -t x --pull=false ctx
	hasnt "$log" pulling
	for form in --pull --pull=always --pull=true; do
		build -t x $form ctx
		has "$log" 'pulling'
	done
	fails 2 'expected always, missing, newer or never' bld build --pull=sometimes ctx
}

@test "--no-cache-filter: only these stages are built again" {
	need_base
	cat >ctx/Dockerfile <<-'END'
		FROM localhost/base AS One
		RUN echo one > /one
		FROM localhost/base AS two
		RUN echo two > /two
		FROM scratch
		COPY --from=one /one /
		COPY --from=two /two /
	END
	build -t x ctx
	build -t x ctx
	equal "$(cached_steps)" 4
	build -t x --no-cache-filter one ctx
	has "$log" 'echo two' && [ "$(grep -c 'DONE' <<<"$log")" = 1 ]
	build -t x --no-cache-filter 0,TWO ctx
	equal "$(cached_steps)" 2
	build -t x --no-cache-filter one --no-cache-filter two,2 ctx
	equal "$(cached_steps)" 0
	fails 2 'no stage "three"' bld build --no-cache-filter three ctx
}
