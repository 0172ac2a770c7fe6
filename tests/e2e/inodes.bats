#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What stat says of the files of a RUN: numbers that every program can hold, one for each file, and
# the same as long as the RUN lasts, in both forms of layers.

load helpers

setup() {
	common_setup
	unset BLD_LAYER_FORM
	need_base
	mkdir -p ctx/one/d ctx/two/d/deep/er
	for i in $(seq 40); do
		echo "one $i" >"ctx/one/d/one$i"
		echo "two $i" >"ctx/two/d/two$i"
	done
	echo y >ctx/two/d/deep/er/y
	ln -s one1 ctx/one/d/link
	cat >ctx/list <<-'EOF'
		#!/bin/sh
		# st_dev st_ino links name, of what has one link; directories too
		find /bin /data /etc/passwd | while read -r p; do stat -c '%d %i %h %F %n' "$p"; done | sort
	EOF
	chmod 755 ctx/list
	# A base of several layers becomes one index; COPY adds others.
	printf 'FROM localhost/base\nRUN mkdir -p /data/hard && echo h >/data/hard/a && ln /data/hard/a /data/hard/b\nCOPY two /data/two\n' >ctx/below
	bld build -q -t below -f ctx/below ctx >/dev/null 2>&1
}

# both COMMAND...: in each form that works here
both() {
	local form
	for form in directory index; do
		if [ $form = index ] && ! bld info | grep -q '^layers: .*index\|^EROFS images: yes'; then
			continue
		fi
		BLD_LAYER_FORM=$form "$@" $form # without ||, or no failure in it would count
	done
}

numbers() {
	dockerfile <<-'EOF'
		FROM below
		COPY list /list
		COPY one /data/one
		COPY two /data/again
		RUN /list >/before && for p in $(find /data /etc/passwd ! -type l); do \
			[ -d "$p" ] || chmod 700 "$p"; done && touch -h -d @5 /data/one/d/link && echo more >>/data/two/d/two1 && \
			mkdir -p /tmp/new && mv /data/one/d/one7 /data/one/d/moved && mv /data/one/d/moved /data/one/d/one7 && /list >/after
	EOF
	build --no-cache -t numbers ctx
	ok bld run numbers cat /before
	echo "$output" >before
	ok bld run numbers cat /after
	echo "$output" >after
	[ "$(wc -l <before)" -gt 150 ]
	# No number above 2^32, and none twice
	awk -v form="$1" '$2 >= 4294967296 || $2 < 1 { print form, "large:", $0; bad = 1 }
		END { exit bad }' before after
	for f in before after; do
		awk '$3 == 1 || /directory/ { print $1, $2 }' $f | sort | uniq -d >twice
		[ ! -s twice ] || { cat twice; return 1; }
	done
	# hard links: one file until one of the names is written to; then two, as in docker
	equal "$(awk '/hard\/[ab]$/ { print $1, $2 }' before | sort -u | wc -l)" 1
	equal "$(awk '/hard\/[ab]$/ { print $1, $2 }' after | sort -u | wc -l)" 2
	# over a copy-up; only the count of links of a directory that was merged is 1
	grep -v '/hard/' before | cut -d' ' -f1,2,4- >b
	grep -v '/hard/' after | cut -d' ' -f1,2,4- >a
	diff b a
}

@test "inode numbers are below 2^32, unique, and stay over a copy-up, in both forms" {
	both numbers
}

# A program of this machine with its libraries, for the image.
tool() {
	local p lib
	for p in "$@"; do
		p=$(command -v "$p")
		p=$(readlink -f "$p")
		install -D "$p" "ctx/tools/gnu/$(basename "$p")"
		for lib in $(ldd "$p" | grep -o '/[^ )]*'); do
			[ -e "ctx/tools$lib" ] || install -D "$lib" "ctx/tools$lib"
		done
	done
}

one_file_system() {
	tool tar cp find du rsync bsdtar
	cat >ctx/walk <<-'EOF'
		#!/bin/sh
		# What each leaves out of /data, or of /, when it is to stay on one file system.
		cd /
		find data | sort >/want
		judge() { sort -u >/got; diff /want /got | grep '^<' >/out && { echo "$1 leaves out $(wc -l </out): $(head -1 /out)"; }; }
		names() { gnu/tar tf - | grep '^\(\./\)\?data' | sed 's:/$::; s:^\./::'; }
		gnu/find data -xdev | judge 'find -xdev'
		busybox find data -xdev | judge 'busybox find -xdev'
		gnu/find . -xdev | sed 's:^\./::' | grep '^data' | judge 'find / -xdev'
		gnu/tar --one-file-system -cf - data | names | judge tar
		gnu/tar --one-file-system --exclude ./proc -cf - . | names | judge 'tar of /'
		bsdtar=/gnu/bsdtar
		$bsdtar --one-file-system -cf - data | names | judge bsdtar
		busybox tar -cf - data | names | judge 'busybox tar'
		mkdir /to1 /to2 /to3
		gnu/cp -ax data /to1/ && (cd /to1 && find data) | judge 'cp -x'
		gnu/cp -ax /bin/. /to3/ && (cd /to3 && find . | wc -l) >/n && [ "$(cat /n)" = "$(find /bin | wc -l)" ] || echo "cp -x /bin: $(cat /n)"
		gnu/rsync -axH data /to2/ && (cd /to2 && find data) | judge 'rsync -x'
		true
	EOF
	chmod 755 ctx/walk
	dockerfile <<-'EOF'
		FROM below
		COPY tools /
		COPY one /data/one
		COPY walk /walk
		RUN echo new >/data/new && chmod 600 /data/one/d/one3 && /walk >/walked 2>&1
	EOF
	build --no-cache -t walked ctx
	ok bld run walked cat /walked
	equal "$output" '' "$1"
}

@test "on one file system: tar, bsdtar, cp, find and rsync leave nothing out, in both forms" {
	for p in rsync bsdtar; do
		command -v $p >/dev/null || skip "$p is not installed"
	done
	both one_file_system
}

@test "a changed file keeps its number when the kernel drops its caches" {
	[ -w /proc/sys/vm/drop_caches ] || skip "caches cannot be dropped here"
	dockerfile <<-'EOF'
		FROM below
		COPY list /list
		COPY one /data/one
		RUN --mount=type=cache,target=/talk chmod 700 $(find /data/one /data/two -type f) && \
			/list | grep -v 'directory\|/hard/' >/before && mkfifo /talk/go && echo READY && read x </talk/go && \
			/list | grep -v 'directory\|/hard/' >/after && cmp /before /after && rm /talk/go
	EOF
	background build "$BLD" build --no-cache --progress=plain ctx
	wait_text "$T/build.log" '[0-9] READY'
	echo 2 >/proc/sys/vm/drop_caches
	echo x >"$(echo "$BLD_ROOT"/bld/mounts/*/go)"
	wait_text "$T/build.log" '^image|ERROR'
	hasnt "$(cat "$T/build.log")" 'ERROR'
}
