#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Git repositories as context, as named context, as source of ADD: by git daemon and by http.

load helpers

g() { git -C "$T/work" -c user.name=n -c user.email=a@b.invalid -c protocol.file.allow=always "$@"; }
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_DATE="1700000000 +0000" GIT_COMMITTER_DATE="1700000000 +0000"

setup() {
	common_setup
	mkdir -p www
	git init -q -b main work
	mkdir -p work/sub/deep
	echo one >work/f
	echo x >work/sub/deep/x
	chmod 755 work/f
	ln -s sub/deep work/link
	ln -s /etc work/out
	ln -s ../../.. work/sub/up
	printf 'FROM scratch\nCOPY . /\n' >work/Dockerfile
	printf 'FROM scratch\nCOPY . /\n' >work/sub/Dockerfile
	echo f >work/.dockerignore
	g add -A
	g commit -qm first
	FIRST=$(g rev-parse HEAD)
	g tag light
	g tag -a annotated -m words
	g checkout -qb dev
	echo two >work/f
	g commit -qam second
	SECOND=$(g rev-parse HEAD)
	g checkout -q main
	publish
}
publish() {
	[ -d www/r.git ] || git init -q --bare -b main www/r.git
	g push -q --mirror "$T/www/r.git"
	git -C www/r.git update-server-info
}
x() { echo docker.io/library/x; }
content() { check_tree docker.io/library/x <<<"/f content=$1%0a"; }

@test "the default branch as context: modes, owners, times, no .git, no ignore rules" {
	start_git
	umask 077
	build -t x "git://$GITD/r.git"
	tree "$(x)" --mtime >got
	diff got - <<-EOF
		/.dockerignore type=f mode=0644 own=0:0 size=2 sha=$(sha256sum <work/.dockerignore | cut -c1-64) mtime=1700000000
		/Dockerfile type=f mode=0644 own=0:0 size=22 sha=$(sha256sum <work/Dockerfile | cut -c1-64) mtime=1700000000
		/f type=f mode=0755 own=0:0 size=4 sha=$(sha256sum <work/f | cut -c1-64) mtime=1700000000
		/link type=l own=0:0 link=sub/deep mtime=1700000000
		/out type=l own=0:0 link=/etc mtime=1700000000
		/sub type=d mode=0755 own=0:0 mtime=1700000000
		/sub/Dockerfile type=f mode=0644 own=0:0 size=22 sha=$(sha256sum <work/Dockerfile | cut -c1-64) mtime=1700000000
		/sub/deep type=d mode=0755 own=0:0 mtime=1700000000
		/sub/deep/x type=f mode=0644 own=0:0 size=2 sha=$(sha256sum <work/sub/deep/x | cut -c1-64) mtime=1700000000
		/sub/up type=l own=0:0 link=../../.. mtime=1700000000
	EOF
}

@test "branch, tags, commit, the beginning of a commit, a ref in full; twice nothing is fetched" {
	start_git
	u=git://$GITD/r.git
	for ref in main light annotated "$FIRST" "${FIRST:0:9}" refs/heads/main refs/tags/annotated; do
		build -t x "$u#$ref"
		content one
		[ "$ref" = main ] || [ "$ref" = "${FIRST:0:9}" ] || hasnt "$log" fetching
		case $ref in main) ;; *) equal "$(cached_steps)" 1 "$ref" ;; esac
	done
	for ref in dev "$SECOND" refs/heads/dev; do
		build -t x "$u#$ref"
		content two
	done
	build -t x "$u?branch=dev"
	content two
	build -t x "$u?tag=light"
	content one
	fails 5 'no branch.*"mian"' bld build "$u#mian"
	has "$stderr" 'did you mean "main"'
	fails 5 'no tag "dev"' bld build "$u?tag=dev"
	fails 5 'no branch "light"' bld build "$u?branch=light"
	fails 5 "${FIRST:0:8}ffffffff" bld build "$u#${FIRST:0:8}ffffffff"
	fails 5 'commit 1111' bld build "$u#1111111111111111111111111111111111111111"
}

@test "smart and dumb http; user and password reach the server and nothing else" {
	start_web
	build -t x "http://$WEB/smart/r.git#dev"
	content two
	rm -rf store
	build -t x "http://$WEB/files/r.git#dev"
	content two
	rm -rf store
	fails 5 'HTTP|Authentication|401|terminal prompts|could not read' bld build "http://$WEB/private/r.git"
	build -t x "http://user:pass%40word@$WEB/private/r.git#dev"
	content two
	hasnt "$log" 'pass'
	hasnt "$(grep -rla 'pass@word\|pass%40word' store || true)" .
	dockerfile <<-EOF
		FROM scratch
		ADD --keep-git-dir=true http://user:pass%40word@$WEB/private/r.git /r/
	EOF
	build -t x ctx
	has "$(config "$(x)" | jq -r '.history[-1].created_by')" "ADD http://$WEB/private/r.git"
	hasnt "$(grep -rla 'pass@word\|pass%40word' store || true)" .
}

@test "what the caller logs in with is for URLs of the caller, not for those of a Dockerfile" {
	start_web
	mkdir -p home
	echo "machine 127.0.0.1 login user password pass@word" >home/.netrc
	dockerfile <<-EOF
		FROM scratch
		ADD http://$WEB/private/r.git /r/
	EOF
	HOME=$T/home fails 5 'Dockerfile:2:5' bld build ctx
	hasnt "$(cat web.log)" authorized
	HOME=$T/home build -t x "http://$WEB/private/r.git"
	content one
	# A Dockerfile that came with the context is none of the caller's words either.
	cp ctx/Dockerfile work/Dockerfile
	g commit -qam third
	publish
	: >web.log
	HOME=$T/home fails 5 'Dockerfile:2:5' bld build "http://$WEB/smart/r.git"
	hasnt "$(cat web.log)" authorized
}

@test "ssh of a Dockerfile's URL has no keys, no configuration and no agent, but that of --ssh" {
	mkdir -p bin
	cat >bin/ssh <<-'EOF'
		#!/bin/sh
		{ echo "args $*"; env; } >"$T_SSH"
		exit 255
	EOF
	sed -i "s|\$T_SSH|$T/seen|" bin/ssh
	chmod 755 bin/ssh
	export SSH_AUTH_SOCK=$T/caller.sock PATH=$T/bin:$PATH
	dockerfile <<-EOF
		FROM scratch
		ADD ssh://git@127.0.0.1/r.git /r/
	EOF
	fails 5 'Dockerfile:2:5' bld build ctx
	has "$stderr" 'help: .*--ssh default'
	has "$(head -n 1 seen)" '-F none.*-o IdentityFile=none'
	hasnt "$(cat seen)" 'SSH_AUTH_SOCK'
	hasnt "$(cat seen)" "^HOME=$HOME"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/given.sock"
	fails 5 'Dockerfile:2:5' bld build --ssh "default=$T/given.sock" ctx
	has "$(cat seen)" "^SSH_AUTH_SOCK=$T/given.sock"
	has "$(head -n 1 seen)" '-F none.*-o IdentityFile=none'
	fails 5 'Dockerfile:2:5' bld build --ssh "other=$T/given.sock" ctx
	hasnt "$(cat seen)" 'SSH_AUTH_SOCK'
	fails 5 . bld build ssh://git@127.0.0.1/r.git
	has "$(cat seen)" "^SSH_AUTH_SOCK=$T/caller.sock"
	hasnt "$(head -n 1 seen)" 'IdentityFile=none'
}

@test "a token is for one host: named in its ID, or by the caller; over http for this machine only" {
	start_web
	printf 'pass@word\n' >token
	far=web.localhost:${WEB#*:}
	dockerfile <<-EOF
		FROM scratch
		ADD http://$WEB/private/r.git /r/
	EOF
	fails 5 'Dockerfile:2:5' bld build --secret id=GIT_AUTH_TOKEN,src=token ctx
	has "$stderr" "help: .*GIT_AUTH_TOKEN.$WEB"
	fails 5 'Dockerfile:2:5' bld build --secret id=GIT_AUTH_HEADER,src=token ctx
	hasnt "$(cat web.log)" authorized
	build -t x --secret "id=GIT_AUTH_TOKEN.$WEB,src=token" ctx
	rm -rf store
	: >web.log
	# The same over a network.
	sed -i "s/$WEB/$far/" ctx/Dockerfile
	fails 5 'Dockerfile:2:5' bld build --secret "id=GIT_AUTH_TOKEN.$far,src=token" ctx
	has "$stderr" 'help: .*without https'
	fails 5 'Dockerfile:2:5' bld build --secret "id=GIT_AUTH_HEADER.$far,src=token" ctx
	hasnt "$(cat web.log)" authorized
	# What the caller wrote is what the caller wants.
	build -t x --secret id=GIT_AUTH_TOKEN,src=token "http://$far/private/r.git"
	build -t x --secret id=GIT_AUTH_TOKEN,src=token --build-context "r=http://$WEB/private/r.git" - <<-EOF
		FROM scratch
		COPY --from=r f /
	EOF
	# The host of the context is one that the caller named.
	sed "s/$far/$WEB/" ctx/Dockerfile >work/Dockerfile
	g commit -qam third
	publish
	build -t x --secret id=GIT_AUTH_TOKEN,src=token "http://$WEB/private/r.git"
}

@test "a directory of the repository, and what is none" {
	start_git
	u=git://$GITD/r.git
	build -t x "$u#main:sub"
	check_tree "$(x)" <<<'= / Dockerfile deep up'
	build -t x "$u#:sub"
	build -t x "$u?subdir=/sub/"
	check_tree "$(x)" <<<'= / Dockerfile deep up'
	fails 4 'no directory "nope"' bld build "$u#main:nope"
	fails 4 'leads out' bld build "$u#main:../.."
	fails 4 'leads out' bld build "$u#main:link/.."
	# links of the repository stay in it
	fails 4 'no directory "out"' bld build "$u#main:out"
	fails 4 'no directory "out/ssl"' bld build "$u#main:out/ssl"
	build -t x -f Dockerfile "$u#main:sub/up"
	content one
	printf 'FROM scratch\nCOPY x /\n' | build -t x -f - "$u#main:link"
	check_tree "$(x)" <<<'= / x'
}

@test "named context and FROM of a repository" {
	start_git
	printf 'FROM r\nCOPY --from=r sub/deep/x /y\n' >ctx/Dockerfile
	build -t x --build-context "r=git://$GITD/r.git#dev" ctx
	check_tree "$(x)" <<-'EOF'
		/f content=two%0a mode=0755
		/y content=x%0a
	EOF
	# not used: not fetched
	printf 'FROM scratch\nCOPY Dockerfile /\n' >ctx/Dockerfile
	build -t x --build-context "r=git://127.0.0.1:1/r.git" ctx
	printf 'FROM scratch\nCOPY --from=r f /\n' >ctx/Dockerfile
	fails 5 'Dockerfile:2:13.*build-context r' bld build --build-context "r=git://127.0.0.1:1/r.git" ctx
}

@test "ADD: contents, chown, chmod, several sources, cached by commit" {
	start_git
	start_web
	echo local >ctx/l
	dockerfile <<-EOF
		FROM scratch
		ADD --chown=7:8 git://$GITD/r.git#dev /a
		ADD --chmod=0600 http://$WEB/smart/r.git#main:sub/deep l /b/
	EOF
	build -t x ctx
	check_tree "$(x)" <<-'EOF'
		/a/f content=two%0a mode=0755 own=7:8
		/a/sub/deep/x mode=0644 own=7:8
		! /a/.git
		/b/x content=x%0a mode=0600 own=0:0
		/b/l content=local%0a
	EOF
	build -t x ctx
	equal "$(cached_steps)" 2
	hasnt "$log" fetching
	echo three >work/f
	g commit -qam third
	publish
	build -t x ctx
	equal "$(cached_steps)" 2 # main:sub/deep holds the same
	g checkout -q dev
	echo four >work/f
	g commit -qam fourth
	publish
	build -t x ctx
	equal "$(cached_steps)" 0
}

@test "ADD: checksum, keep-git-dir, conflicts with the URL" {
	start_git
	u=git://$GITD/r.git
	add() { printf 'FROM scratch\nADD %s /r/\n' "$1" >ctx/Dockerfile; }
	add "--checksum=${FIRST:0:12} $u#main"
	build -t x ctx
	add "--checksum=$FIRST $u"
	build -t x ctx
	add "$u?checksum=$FIRST"
	build -t x ctx
	add "--checksum=${SECOND:0:12} $u#main"
	fails 10 "Dockerfile:2:.*commit $FIRST" bld build ctx
	add "--checksum=${FIRST:0:12} $u?checksum=${SECOND:0:12}"
	fails 3 'URL has a different one' bld build ctx
	add "--checksum=sha256:00 $u"
	fails 3 '4 to 64 hexadecimal' bld build ctx
	add "--keep-git-dir=true $u?keep-git-dir=false"
	fails 3 'the URL says the opposite' bld build ctx
	add "$u?keepgitdir=1"
	fails 4 'Dockerfile:2:5.*unknown key "keepgitdir".*keep-git-dir' bld build ctx
	printf 'FROM scratch\nADD --keep-git-dir=true Dockerfile /\n' >ctx/Dockerfile
	fails 3 'no source is one' bld build ctx
	add "--keep-git-dir=true $u#dev"
	build -t x -t y ctx
	mkdir got
	skopeo copy -q "oci:$BLD_ROOT:$(x):latest" dir:d
	layer=$(jq -r '.layers[-1].digest' d/manifest.json)
	tar -xf "$BLD_ROOT/blobs/sha256/${layer#*:}" -C got
	equal "$(git -C got/r rev-parse HEAD)" "$SECOND"
	equal "$(git -C got/r symbolic-ref HEAD)" refs/heads/dev
	equal "$(git -C got/r config remote.origin.url)" "$u"
	git -C got/r status --porcelain >status
	equal "$(cat status)" ""
	add "$u?keep-git-dir=1#light"
	build -t x ctx
	check_tree "$(x)" <<<'/r/.git type=d'
	add "--keep-git-dir $u#main:sub"
	build -t x ctx
	check_tree "$(x)" <<<'! /r/.git'
}

@test "submodules: relative and absolute, nested, without, missing, hostile" {
	start_git
	for m in inner leaf; do
		git init -q -b main $m
		echo $m >$m/name
		git -C $m add -A
		git -C $m -c user.name=n -c user.email=a@b.invalid commit -qm $m
	done
	git -C inner -c protocol.file.allow=always submodule --quiet add "$T/leaf" leaf
	git -C inner config -f .gitmodules submodule.leaf.url ../leaf.git
	git -C inner add -A
	git -C inner -c user.name=n -c user.email=a@b.invalid commit -qm sub
	git clone -q --bare leaf www/leaf.git
	git clone -q --bare inner www/inner.git
	g submodule --quiet add "$T/inner" lib/inner
	git -C work config -f .gitmodules submodule.lib/inner.url ../inner.git
	g add -A
	g commit -qm sub
	publish
	u=git://$GITD/r.git
	build -t x "$u"
	check_tree "$(x)" <<-'EOF'
		/lib/inner/name content=inner%0a
		/lib/inner/leaf/name content=leaf%0a
		! /lib/inner/.git
	EOF
	build -t x "$u?submodules=false"
	check_tree "$(x)" <<-'EOF'
		/lib/inner type=d
		! /lib/inner/name
	EOF
	printf 'FROM scratch\nCOPY name /\n' | build -t x -f - "$u#main:lib/inner/leaf"
	check_tree "$(x)" <<<'/name content=leaf%0a'
	# a submodule elsewhere is not needed for a directory
	git -C work config -f .gitmodules submodule.lib/inner.url git://127.0.0.1:1/x.git
	g commit -qam elsewhere
	publish
	build -t x "$u#main:sub"
	fails 5 'submodule "lib/inner": git://127.0.0.1:1/x.git' bld build "$u"
	for bad in 'ext::sh -c touch% /canary' "file://$T/inner" "$T/inner" '-u./x' '../../../x'; do
		git -C work config -f .gitmodules submodule.lib/inner.url "$bad"
		g commit -qam bad
		publish
		fails 4 'submodule "lib/inner"' bld build "$u"
		[ ! -e /canary ]
	done
	git -C work config -f .gitmodules --unset submodule.lib/inner.url
	g commit -qam none
	publish
	fails 4 'submodule "lib/inner": .gitmodules does not say' bld build "$u"
	# update = !command is for git's own submodule command, which is not run
	git -C work config -f .gitmodules submodule.lib/inner.url ../inner.git
	git -C work config -f .gitmodules submodule.lib/inner.update '!touch canary'
	g commit -qam update
	publish
	build -t x "$u"
	[ -z "$(find . -name canary)" ]
}

@test "nothing of the repository or of the caller runs: hooks, filters, templates, configuration" {
	start_git
	mkdir -p tmpl/hooks home
	printf '#!/bin/sh\ntouch %s/canary\n' "$T" >tmpl/hooks/post-checkout
	chmod 755 tmpl/hooks/post-checkout
	cat >home/.gitconfig <<-EOF
		[init]
			templateDir = $T/tmpl
		[core]
			hooksPath = $T/tmpl/hooks
			fsmonitor = $T/tmpl/hooks/post-checkout
		[filter "f"]
			smudge = touch $T/canary2; cat
		[url "git://127.0.0.1:1/"]
			insteadOf = git://$GITD/
	EOF
	printf 'f filter=f\nf2 filter=lfs\n' >work/.gitattributes
	printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n' >work/f2
	g add -A
	g commit -qm attributes
	publish
	unset GIT_CONFIG_GLOBAL
	GIT_DIR=$T/nowhere GIT_TEMPLATE_DIR=$T/tmpl GIT_EXTERNAL_DIFF=false GIT_SSH_COMMAND="touch $T/canary3" \
		build -t x "git://$GITD/r.git"
	check_tree "$(x)" <<-'EOF'
		/f content=one%0a
		/f2 size=64
	EOF
	[ -z "$(ls "$T" | grep canary)" ]
	run bld build 'ext::sh -c touch% /canary'
	[ "$status" != 0 ]
	run bld build 'ssh://-oProxyCommand=touch% canary/x'
	[ "$status" != 0 ]
	[ ! -e canary ] && [ ! -e /canary ]
}

@test "without git the message says what to install" {
	mkdir bin
	fails 1 'git is not installed' env PATH="$T/bin" "$BLD" build git://127.0.0.1:1/r.git
	has "$stderr" 'install the package git'
}

@test "a signal ends a fetch, with what it started" {
	background silent python3 -c '
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
open("silent.port.new", "w").write(str(s.getsockname()[1]))
import os; os.rename("silent.port.new", "silent.port")
c = s.accept(); open("silent.seen", "w").write("x"); time.sleep(600)'
	wait_for silent.port
	port=$(cat silent.port)
	"$BLD" build "git://127.0.0.1:$port/r.git" >out 2>&1 &
	pid=$!
	wait_for silent.seen
	kill -TERM $pid
	rc=0
	wait $pid || rc=$?
	equal $rc 143
	run ! pgrep -f "git.*127.0.0.1:$port/r.git"
}

@test "git ends with a bld that is killed" {
	local port pid
	python3 - "$T/port" <<-'PY' 3>&- &
		import socket, sys, time
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		s.listen(5)
		open(sys.argv[1], "w").write("%d\n" % s.getsockname()[1])
		time.sleep(600)
	PY
	SILENT=$!
	wait_text port '[0-9]' 10
	port=$(<port)
	"$BLD" build "git://127.0.0.1:$port/r.git" >out.log 2>&1 3>&- &
	pid=$!
	runs "^git .*127.0.0.1:$port/r.git"
	kill -9 $pid
	gone "^git .*127.0.0.1:$port/r.git"
	kill "$SILENT"
}

@test "SOURCE_DATE_EPOCH=context is the time of the commit" {
	start_git
	printf 'FROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL e=$SOURCE_DATE_EPOCH\nCOPY Dockerfile /\n' >work/Dockerfile
	g add -A
	GIT_COMMITTER_DATE='@123456 +0000' GIT_AUTHOR_DATE='@99 +0000' g commit -q -m dated
	publish
	build -t x --build-arg SOURCE_DATE_EPOCH=context "git://$GITD/r.git"
	holds docker.io/library/x '.config.Labels.e == "123456"' '.created == "1970-01-02T10:17:36Z"'
}
