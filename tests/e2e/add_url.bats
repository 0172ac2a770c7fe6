#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ADD of http(s) URLs, and archives of the context with and without --unpack.

load helpers

setup() {
	common_setup
	start_web
	echo hello >www/file.txt
	touch -d '2020-02-03 04:05:06 UTC' www/file.txt
	mkdir -p t/d
	echo in >t/d/in
	tar -C t -cf www/t.tar .
	gzip -c www/t.tar >www/t.tgz
}
add() { printf 'FROM scratch\nADD %s\n' "$*" >ctx/Dockerfile; }
x() { echo docker.io/library/x; }
asked() { grep -c "$1" web.log || true; }

@test "mode, owner, time, name; the second build only asks, the third after a change downloads" {
	add "http://$WEB/files/file.txt?x=1#y /d/"
	build -t x ctx
	tree "$(x)" --mtime | grep -q "^/d/file.txt type=f mode=0600 own=0:0 size=6 .* mtime=1580702706"
	build -t x ctx
	equal "$(cached_steps)" 1
	equal "$(asked 'file.txt.* 200')" 1
	equal "$(asked 'file.txt.* 304')" 1
	echo changed >www/file.txt
	build -t x ctx
	equal "$(cached_steps)" 0
	check_tree "$(x)" <<<'/d/file.txt content=changed%0a'
	# only a date
	add "http://$WEB/dated/file.txt /"
	build -t x ctx
	build -t x ctx
	equal "$(asked 'dated/file.txt.* 304')" 1
	# neither: downloaded again, the layer is the same
	add "http://$WEB/plain/file.txt /"
	build -t x ctx
	build -t x ctx
	equal "$(asked 'plain/file.txt.* 200')" 2
	equal "$(cached_steps)" 1
}

@test "checksum: right, wrong, malformed, several sources, an ARG; with it nothing is asked twice" {
	sum=$(sha256sum www/file.txt | cut -c1-64)
	add "--checksum=sha256:$sum http://$WEB/files/file.txt /"
	build -t x ctx
	build -t x ctx
	equal "$(asked 'file.txt')" 1
	printf 'FROM scratch\nARG S\nADD --checksum=sha256:$S http://%s/files/file.txt /\n' "$WEB" >ctx/Dockerfile
	build -t x --build-arg "S=$sum" ctx
	add "--checksum=sha256:${sum/[0-9a-f]/x} http://$WEB/files/file.txt /"
	fails 3 'Dockerfile:2:' bld build ctx
	add "--checksum=sha256:$(printf '%064d' 1) http://$WEB/files/file.txt /"
	fails 10 "Dockerfile:2:.*has the digest sha256:$sum, the checksum wants sha256:0000" bld build ctx
	add "--checksum=sha256:$sum http://$WEB/files/file.txt http://$WEB/files/t.tar /"
	fails 3 'exactly one source' bld build ctx
	add "--checksum=sha256:$sum Dockerfile /"
	fails 3 'exactly one source' bld build ctx
}

@test "redirects, a loop, an address that is not there, a status" {
	add "http://$WEB/moved/file.txt /"
	build -t x ctx
	check_tree "$(x)" <<<'/file.txt content=hello%0a'
	add "http://$WEB/loop /"
	fails 5 'Dockerfile:2:5.*redirect' bld build ctx
	add "http://$WEB/files/nope /"
	fails 5 'Dockerfile:2:5.*404' bld build ctx
	add "http://127.0.0.1:1/x /"
	fails 5 'Dockerfile:2:5' bld build ctx
}

@test "no name in the URL: the destination has to have one" {
	cp www/file.txt www/index
	add "http://$WEB/ /d/"
	fails 3 'Dockerfile:2:5.*without the name of a file' bld build ctx
	has "$stderr" 'ADD URL /DIR/NAME'
	add "http://$WEB /"
	fails 3 'without the name of a file' bld build ctx
	add "http://$WEB/files/index/ /n"
	fails 5 '404' bld build ctx
	add "http://$WEB/files/%69ndex /"
	fails 5 '404' bld build ctx
	add "http://$WEB/files/index /n"
	build -t x ctx
	check_tree "$(x)" <<<'/n content=hello%0a mode=0600'
}

@test "unpack: URLs only when asked, local archives unless told not to" {
	cp www/t.tgz ctx/t.tgz
	add "http://$WEB/files/t.tgz /a/"
	build -t x ctx
	check_tree "$(x)" <<<'= /a t.tgz'
	add "--unpack=true http://$WEB/files/t.tgz http://$WEB/files/t.tar /a/"
	build -t x ctx
	check_tree "$(x)" <<<'/a/d/in content=in%0a'
	add "--unpack --chown=3:4 http://$WEB/files/t.tgz http://$WEB/files/file.txt /a/"
	build -t x ctx
	check_tree "$(x)" <<-'EOF'
		/a/d/in content=in%0a own=3:4
		/a/file.txt content=hello%0a own=3:4
	EOF
	add "t.tgz /a/"
	build -t x ctx
	check_tree "$(x)" <<<'/a/d/in content=in%0a'
	add "--unpack=false t.tgz /a/"
	build -t x ctx
	check_tree "$(x)" <<<'= /a t.tgz'
	add "--unpack=true t.tgz /a/"
	build -t x ctx
	check_tree "$(x)" <<<'/a/d/in content=in%0a'
}

@test "a URL beside local files and a heredoc; a user in the URL is in no history" {
	echo l >ctx/l
	cat >ctx/Dockerfile <<-EOF
		FROM scratch
		ADD l http://me:secret@$WEB/files/file.txt <<here /d/
		body
		here
	EOF
	build -t x ctx
	check_tree "$(x)" <<<'= /d file.txt here l'
	hasnt "$(config "$(x)")" secret
	printf 'FROM scratch\nCOPY http://%s/files/file.txt /\n' "$WEB" >ctx/Dockerfile
	fails 3 'ADD can' bld build ctx
}

@test "ADD of a URL needs no context" {
	printf 'FROM scratch\nADD http://%s/files/file.txt /\n' "$WEB" | build -t x -
	check_tree "$(x)" <<<'/file.txt content=hello%0a'
}

@test "tokens of a query and logins are in no history, log, excerpt or store" {
	query='a=b&access_token=qs-canary-22&X-Amz-Signature=qs-canary-22&x=y#qs'
	add "http://u:pw-canary-1@$WEB/files/file.txt?$query /"
	build -t x ctx
	equal "$(config "$(x)" | jq -r '.history[-1].created_by')" \
		"ADD http://$WEB/files/file.txt?a=b&access_token=***&X-Amz-Signature=***&x=y#qs /"
	build -t x --explain ctx
	hasnt "$log" canary
	printf 'ARG T\nADD http://u:pw-canary-1@%s/files/nope?sig=qs-canary-22 /\n' "$WEB" >>ctx/Dockerfile
	fails 5 'Dockerfile:4:5.*404' bld build ctx
	hasnt "$stderr" canary
	has "$stderr" 'ADD http://\*{13}@.*\?sig=\*{12} /'
	printf 'FROM scratch\nARG T\nADD http://%s/files/file.txt?token=$T /\n' "$WEB" >ctx/Dockerfile
	build -t x --build-arg T=qs-canary-22 ctx
	hasnt "$(config "$(x)" | jq -r '.history[-1].created_by' | sed 's/^|[^ ]* [^ ]* //')" canary
	run bld lint ctx
	hasnt "$output" canary
	hasnt "$(find store -type f ! -path '*/blobs/*' -exec grep -l canary {} +)" .
}
