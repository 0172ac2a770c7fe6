#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad input: one clear error with its exit code, nothing left behind, never a crash.

load helpers

setup() {
	common_setup
	LAYOUT=$T/layout
}

@test "no such file, empty file, a directory, not text" {
	fails 4 'no-such' bld build -f no-such ctx
	fails 4 'Dockerfile' bld build ctx
	: >ctx/Dockerfile
	fails 3 'Dockerfile' bld build ctx
	rm ctx/Dockerfile
	mkdir ctx/Dockerfile
	fails 4 'Dockerfile' bld build ctx
	rmdir ctx/Dockerfile
	head -c 3000 /dev/urandom >ctx/Dockerfile
	run --separate-stderr bld build ctx
	equal "$status" 3
	printf 'FROM scratch\nRUN a\0b\n' >ctx/Dockerfile
	fails 3 'Dockerfile:2' bld build ctx
}

@test "every mistake of a file at once, with place, excerpt, caret and hint" {
	dockerfile <<-'EOF'
		FROM scratch
		COPPY a b
		COPY --chwon=1 a b
		ENV
		RUN --mount=type=bnd,target=/x true
		EXPOSE
	EOF
	fails 3 'Dockerfile:2:1' bld build ctx
	has "$stderr" 'COPY'
	has "$stderr" 'Dockerfile:3:6'
	has "$stderr" '(--)?chown'
	has "$stderr" 'Dockerfile:4'
	has "$stderr" 'Dockerfile:5'
	has "$stderr" 'bind'
	has "$stderr" 'Dockerfile:6'
	has "$stderr" 'COPPY a b'
	has "$stderr" '\^'
}

@test "unknown instruction, forward --from" {
	dockerfile <<<'FROM scratch
INSTALL x'
	fails 3 'Dockerfile:2:1.*' bld build ctx
	dockerfile <<<'FROM scratch AS first
COPY --from=later /a /b
FROM scratch AS later
FROM first'
	fails 3 'Dockerfile:2' bld build ctx
	# As in docker, what is not built is not looked at.
	bld build -q --target later ctx
}

@test "missing COPY source, also above the context" {
	echo >outside
	echo >ctx/main.c
	dockerfile <<<'FROM scratch
COPY mian.c /x'
	fails 4 'Dockerfile:2:6' bld build ctx
	has "$stderr" 'mian.c'
	dockerfile <<<'FROM scratch
COPY ../outside /x'
	fails 4 'outside' bld build ctx
	has "$stderr" 'context'
	echo inside >ctx/outside
	build -t x ctx
	check_tree docker.io/library/x <<<'/x content=inside%0a'
}

@test "a link that leads out of the context does not" {
	echo secret >outside
	ln -s ../outside ctx/l
	ln -s "$T/outside" ctx/abs
	ln -s .. ctx/up
	dockerfile <<<'FROM scratch
COPY l /x'
	fails 4 'Dockerfile:2' bld build ctx
	dockerfile <<<'FROM scratch
COPY abs /x'
	fails 4 'Dockerfile:2' bld build ctx
	dockerfile <<<'FROM scratch
COPY up/outside /x'
	fails 4 'Dockerfile:2' bld build ctx
}

@test "RUN fails or is killed" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN echo these are; echo the last words >&2; exit 3
	EOF
	fails 1 'Dockerfile:2' bld build --progress=plain ctx
	has "$stderr" '3'
	has "$stderr" 'the last words'
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN kill -9 $$
	EOF
	fails 1 'Dockerfile:2' bld build ctx
	has "$stderr" 'signal|killed|KILL'
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN ["/nothing/here"]
	EOF
	run --separate-stderr bld build ctx
	[[ $status = 1 || $status = 9 ]]
	has "$stderr" '/nothing/here'
	ok bld verify
}

@test "a registry nobody listens at" {
	dockerfile <<<'FROM 127.0.0.1:1/a/b'
	fails 5 '127.0.0.1:1' bld build ctx
	has "$stderr" 'Dockerfile:1'
	fails 5 'name.invalid|resolve' bld pull --tls-verify=false name.invalid/x
}

@test "401, 403, 404, 500" {
	start_faulty "$(base_layout)"
	fails 6 '401|unauthori|credential' bld pull "$FAULTY/e401/x:gz"
	fails 6 '403|denied|forbidden' bld pull "$FAULTY/e403/x:gz"
	fails 5 '404|not found|unknown' bld pull "$FAULTY/e404/x:gz"
	fails 5 '500' bld pull "$FAULTY/e500/x:gz"
	fails 5 'unknown|not found|404' bld pull "$FAULTY/ok/x:no-such-tag"
	dockerfile <<<"FROM $FAULTY/e403/x:gz"
	fails 6 'Dockerfile:1' bld build ctx
	ok bld verify
}

@test "what heals: 429, 503, a cut connection, a redirect" {
	start_faulty "$(base_layout)"
	for f in once429 once503 reset redirect; do
		rm -rf "$BLD_ROOT"
		ok bld pull "$FAULTY/$f/x:gz"
		ok bld verify
	done
	# Redirected requests carry no credentials; the server would have refused them.
	jq -se 'map(select(.path | startswith("/elsewhere"))) | length > 0 and all(.auth == null)' faulty.requests
}

@test "wrong digest, truncated blob, wrong manifest, not JSON, too large" {
	start_faulty "$(base_layout)"
	fails 5 'digest|sha256' bld pull "$FAULTY/wrongblob/x:base" || fails 10 'digest|sha256' bld pull "$FAULTY/wrongblob/x:base"
	run --separate-stderr timeout 120 "$BLD" pull "$FAULTY/truncated/x:gz"
	[[ $status = 5 || $status = 10 ]]
	for f in wrongmanifest notjson hugemanifest hugelength; do
		run --separate-stderr timeout 120 "$BLD" pull "$FAULTY/$f/x:gz"
		[[ $status = 5 || $status = 10 ]] || { echo "$f: $status $stderr"; false; }
		[ -n "$stderr" ]
	done
	ok bld verify
	ok bld images
	hasnt "$output" "$FAULTY"
	equal "$(find "$BLD_ROOT/blobs" -type f -size +1M 2>/dev/null | wc -l)" 0 "large blobs left"
}

@test "a challenge that is garbage" {
	start_faulty "$(base_layout)"
	run --separate-stderr bld pull "$FAULTY/badjwt/x:gz"
	[[ $status = 5 || $status = 6 ]]
	[ -n "$stderr" ]
}

@test "images that lie: diff ID, size, config, missing blob" {
	for bad in diff-id size config-json missing-blob; do
		python3 "$TOOLS/mkimage.py" --gzip --bad $bad "$LAYOUT-$bad" x "$(busybox_tar)"
		run --separate-stderr bld pull "oci:$LAYOUT-$bad:x"
		[[ $status = 5 || $status = 10 || $status = 4 ]] || { echo "$bad: $status"; echo "$stderr"; false; }
		[ -n "$stderr" ]
		start_faulty "$LAYOUT-$bad"
		run --separate-stderr timeout 120 "$BLD" pull "$FAULTY/ok/x:x"
		[[ $status = 5 || $status = 10 ]] || { echo "$bad: $status"; echo "$stderr"; false; }
		stop_all
		rm -f faulty.port
	done
	ok bld verify
	ok bld images
	hasnt "$output" 'ok/x'
}

# hostile PYTHON: a layer made by add(name, kind, **fields) calls, pulled and used as a base
hostile() {
	python3 - "$T/hostile.tar" "$1" <<-'P'
		import io, sys, tarfile
		t = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
		D, F, S, L = tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
		def add(name, kind=F, data=b"x", pax=None, **kw):
		    i = tarfile.TarInfo(name)
		    i.type, i.mode, i.mtime = kind, 0o755 if kind == D else 0o644, 1600000000
		    if kind == F:
		        i.size = len(data)
		    for k, v in kw.items():
		        setattr(i, k, v)
		    i.pax_headers = pax or {}
		    t.addfile(i, io.BytesIO(data) if kind == F else None)
		exec(sys.argv[2])
		t.close()
	P
	rm -rf "$LAYOUT"
	python3 "$TOOLS/mkimage.py" --gzip "$LAYOUT" x "$(busybox_tar)" "$T/hostile.tar" >/dev/null
	bld rmi localhost/hostile >/dev/null 2>&1 || true
	skopeo copy -q "oci:$LAYOUT:x" "docker-archive:$T/hostile.archive:localhost/hostile:latest" 2>/dev/null ||
		{ echo "skopeo itself refuses"; return 1; }
	run --separate-stderr bash -c "'$BLD' load -i '$T/hostile.archive' && printf 'FROM localhost/hostile\nRUN touch /mine\nCOPY --from=localhost/base /etc/passwd /x\n' | '$BLD' build -t h -f - ctx"
	rm -f "$T/hostile.archive"
}
refused() {
	hostile "$1"
	[[ $status != 0 ]] && grep -qiE -- "$2" <<<"$stderr" || { echo "status $status of $1"; echo "$stderr"; return 1; }
	[[ $status = [14589] || $status = 10 ]] || { echo "status $status of $1"; return 1; }
	ok bld verify
}

@test "hostile layer names" {
	need_base
	touch "$T/canary"
	refused 'add("../evil")' '\.\.'
	refused 'add("a/../../evil")' '\.\.'
	refused 'add("link", L, linkname="../../../etc/passwd")' '\.\.'
	refused 'add("link", L, linkname="not/there")' 'link'
	refused 'add(".wh.")' 'wh'
	refused 'add("d/.wh...")' 'wh'
	refused 'add("d/.wh..")' 'wh'
	[ ! -e "$T/evil" ] && [ ! -e /evil ]
}

@test "names that resolve inside the root" {
	need_base
	hostile 'add("/abs")
add("out", S, linkname="/tmp")
add("out/through")
add("up", S, linkname="../../../../..")
add("up/tmp/over")
add("none/../cleaned")
add("gone", tarfile.CHRTYPE)'
	equal "$status" 0 "$stderr"
	[ ! -e /tmp/through ] && [ ! -e /tmp/over ]
	run bld run h ls -la /abs /tmp/through /tmp/over /cleaned
	equal "$status" 0 "$output"
	run bld run h ls -la /gone /none
	equal "$status" 1 "$output"
}

@test "odd layers: overlay attributes, duplicate names, garbage" {
	need_base
	hostile 'add("d", D, pax={"SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.user.overlay.redirect": "/etc"})
add("d/f")'
	equal "$status" 0 "$stderr"
	head -c 100000 /dev/urandom >garbage.tar
	rm -rf "$LAYOUT"
	python3 "$TOOLS/mkimage.py" "$LAYOUT" x garbage.tar
	run --separate-stderr bash -c "'$BLD' pull 'oci:$LAYOUT:x'; echo \$?"
	ok bld verify
}

@test "a full disk" {
	mkdir mnt
	mount -t tmpfs -o size=12m,mode=700 tmpfs mnt
	export BLD_ROOT=$T/mnt/store
	unset BLD_LAYER_FORM # there are no indexes on tmpfs
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN dd if=/dev/zero of=/big bs=1M count=30
	EOF
	run --separate-stderr bld build -t big ctx
	echo "$stderr"
	[[ $status = 8 || $status = 1 ]]
	has "$stderr" 'space'
	head -c 20000000 /dev/urandom >ctx/large
	dockerfile <<<'FROM localhost/base
COPY large /large'
	fails 8 'space' bld build -t big ctx
	ok bld images
	hasnt "$output" big
	ok bld verify
	ok bld prune
	dockerfile <<<'FROM localhost/base
RUN echo fits > /x'
	ok bld build -t small ctx
	umount mnt
}

@test "a store that is not one, a newer format, read-only" {
	mkdir -p "$T/newer"
	need_base
	cp -a "$BLD_ROOT" newer/store
	echo 99 >newer/store/bld/version
	fails 8 'version|format|newer' bld --root newer/store images
	printf '{' >"$BLD_ROOT/index.json"
	run --separate-stderr bld images
	[[ $status = 8 || $status = 10 ]]
	has "$stderr" 'index.json'
}

@test "bad .dockerignore, bad build context, bad archive" {
	dockerfile <<<'FROM scratch
COPY . /x'
	printf '[\n' >ctx/.dockerignore
	run --separate-stderr bld build ctx
	[[ $status = 3 || $status = 4 || $status = 0 ]]
	rm ctx/.dockerignore
	echo notatar >file
	run --separate-stderr bld build - <file # neither a tar nor a Dockerfile
	[[ $status = 3 || $status = 4 ]]
	[ -n "$stderr" ]
	fails 4 'nowhere' bld build --build-context a=nowhere ctx
	head -c 1000 /dev/urandom >bad.archive
	fails 4 'bad.archive' bld load -i bad.archive
	fails 4 'nothing.archive' bld load -i nothing.archive
	fails 4 'nodir' bld pull oci:nodir:x
}

@test "bombs: names, nesting, sizes" {
	{ echo FROM scratch; for i in $(seq 3000); do echo "ENV V$i=\${V$((i - 1)):-x}"; done; } >ctx/Dockerfile
	run --separate-stderr timeout 60 "$BLD" build ctx
	[[ $status = 0 || $status = 3 ]]
	{ echo FROM scratch; echo 'ENV a=aaaaaaaaaaaaaaaa'; for i in $(seq 40); do echo 'ENV a=$a$a$a$a'; done; } >ctx/Dockerfile
	run --separate-stderr timeout 60 "$BLD" build ctx
	[[ $status = 3 || $status = 1 ]]
	has "$stderr" 'Dockerfile:[0-9]+'
	{ echo FROM scratch; printf 'LABEL a='; for i in $(seq 2000); do printf '${x:-'; done; for i in $(seq 2000); do printf '}'; done; echo; } >ctx/Dockerfile
	run --separate-stderr timeout 60 "$BLD" build ctx
	[[ $status = 0 || $status = 3 || $status = 1 ]]
	printf 'FROM scratch\nCOPY . /\n' >ctx/Dockerfile
	for i in $(seq 200); do echo '**/**/**/**/a'; done >ctx/.dockerignore
	mkdir -p ctx/b/b/b/b/b/b/b/b/b/b/b/b/b/b/b/b
	run --separate-stderr timeout 60 "$BLD" build ctx
	equal "$status" 0 "$stderr"
}
