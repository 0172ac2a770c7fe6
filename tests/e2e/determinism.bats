#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The same input gives the same manifest digest: other stores, directories, umask, clock order,
# times of files, cold or cached.

load helpers

make_context() { # DIR [order]
	mkdir -p "$1/d/sub"
	local i list
	list=$(seq 40)
	[ "${2:-}" != reverse ] || list=$(seq 40 -1 1)
	for i in $list; do echo "content $i" >"$1/d/f$i"; done
	ln -s f1 "$1/d/link"
	ln "$1/d/f2" "$1/d/hard"
	mkdir "$1/d/empty"
	chmod 755 "$1/d" "$1/d/sub" "$1/d/empty"
	chmod 644 "$1"/d/f*
	tar -C "$1/d" --sort=name --mtime=@5 --owner=0 --group=0 -cf "$1/a.tar" f1 f2 sub
	chmod 644 "$1/a.tar"
	cat >"$1/Dockerfile" <<-'EOF'
		FROM localhost/base AS one
		ARG X=1
		WORKDIR /work
		COPY d/ ./
		RUN for i in 3 1 2; do echo $i > made$i; done; rm f10; mkdir -p deep/er; mv f11 deep/er/; ln f12 deep/twelve; chmod 700 f13
		ADD a.tar /a/
		FROM localhost/base
		COPY --from=one /work /w
		COPY <<E /here
		doc $X
		E
		RUN ls -R /w > /list
		USER app
		WORKDIR /home/app/x
		LABEL b=2 a=1
		ENV Z=1 Y=2
		CMD ["sh"]
	EOF
	chmod 644 "$1/Dockerfile"
}

setup() {
	common_setup
	make_context ctx
	need_base
	bld build --timestamp 1234567890 -t one ctx
	WANT=$(digest docker.io/library/one)
}

@test "another store, another directory, other times and inode order" {
	umask 022
	make_context "$T/elsewhere/very/deep" reverse
	find elsewhere -exec touch -h -d @987654321 {} +
	BLD_ROOT=$T/store2 need_base
	bld --root "$T/store2" build --timestamp 1234567890 -t one elsewhere/very/deep
	equal "$(BLD_ROOT=$T/store2 digest docker.io/library/one)" "$WANT"
	rm -rf store2
}

@test "another umask of the caller" {
	(
		umask 077
		BLD_ROOT=$T/store3 need_base
		bld --root "$T/store3" build --timestamp 1234567890 -t one ctx
	)
	equal "$(BLD_ROOT=$T/store3 digest docker.io/library/one)" "$WANT"
	rm -rf store3
}

@test "cached, not cached, after another timestamp" {
	bld build --timestamp 1234567890 -t two ctx
	equal "$(digest docker.io/library/two)" "$WANT"
	bld build --timestamp 77 -t three ctx
	[ "$(digest docker.io/library/three)" != "$WANT" ]
	bld build --no-cache --timestamp 1234567890 -t four ctx
	equal "$(digest docker.io/library/four)" "$WANT"
	bld build -t plain ctx
	bld build --timestamp 1234567890 -t five ctx
	equal "$(digest docker.io/library/five)" "$WANT"
}

@test "a later day, another language, another name of the machine's user" {
	another_second
	LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 TZ=Asia/Tokyo USER=x HOME=/nonexistent \
		bld build --no-cache --timestamp 1234567890 -t two ctx
	equal "$(digest docker.io/library/two)" "$WANT"
}

@test "another clock" {
	# A time namespace does not move the wall clock; a preloaded clock would not reach static
	# programs. The times of all that a build makes are set instead: touch each file in a RUN.
	cp -a ctx ctx2
	sed -i 's/^RUN ls -R.*/&\nRUN true/' ctx2/Dockerfile ctx/Dockerfile
	bld build --timestamp 1234567890 -t a ctx
	another_second
	bld build --no-cache --timestamp 1234567890 -t b ctx2
	equal "$(digest docker.io/library/a)" "$(digest docker.io/library/b)"
}

@test "SOURCE_DATE_EPOCH gives the same digest on every run once all is later" {
	export SOURCE_DATE_EPOCH=1000000000
	bld build -t e1 ctx
	another_second
	bld build --no-cache -t e2 ctx
	equal "$(digest docker.io/library/e1)" "$(digest docker.io/library/e2)"
	tree docker.io/library/e1 --mtime >times
	# the base is older than nothing: it is left alone; all that is new is not later
	awk '/ type=f/ && /^\/(w|a|here|list)/ { for (i = 1; i <= NF; i++) if ($i ~ /^mtime=/) { sub(/mtime=/, "", $i); if ($i > 1000000000) { print; bad = 1 } } } END { exit bad }' times
}

@test "the layers are the same on every machine: no names of users, no odd pax records" {
	# treedump shows user names and superfluous records as attributes that start with !
	hasnt "$(tree docker.io/library/one)" 'xattr\.!'
	hasnt "$(tree docker.io/library/one)" '%21'
}

@test "layers are cached with their own times, the derived form is remembered" {
	bld build -t own ctx
	bld build --timestamp 1234567890 -t again ctx
	before=$(find "$BLD_ROOT/blobs" -type f | wc -l)
	bld build --timestamp 1234567890 -t again ctx
	equal "$(find "$BLD_ROOT/blobs" -type f | wc -l)" "$before"
}

# --- SOURCE_DATE_EPOCH from elsewhere -------------------------------------------------------

created() { config docker.io/library/x | jq -r .created; }

@test "ARG SOURCE_DATE_EPOCH in front of the first FROM counts, options are stronger" {
	printf 'ARG SOURCE_DATE_EPOCH=1000\nFROM scratch\nCOPY Dockerfile /\n' >ctx/Dockerfile
	build -t x ctx
	equal "$(created)" 1970-01-01T00:16:40Z
	check_tree docker.io/library/x <<<'/Dockerfile mtime=1000'
	bld build -q -o out ctx
	equal "$(stat -c %Y out/Dockerfile)" 1000
	build -t x --build-arg SOURCE_DATE_EPOCH=2000 ctx
	equal "$(created)" 1970-01-01T00:33:20Z
	SOURCE_DATE_EPOCH=3000 build -t x ctx
	equal "$(created)" 1970-01-01T00:50:00Z
	build -t x --timestamp 5 ctx
	equal "$(created)" 1970-01-01T00:00:05Z
	# of a stage it says nothing, and an empty one neither
	printf 'ARG SOURCE_DATE_EPOCH=\nFROM scratch\nARG SOURCE_DATE_EPOCH=1000\nCOPY Dockerfile /\n' >ctx/Dockerfile
	build -t x ctx
	hasnt "$(created)" '^1970'
}

@test "junk in SOURCE_DATE_EPOCH is an error, in the file with its place" {
	printf 'ARG SOURCE_DATE_EPOCH=soon\nFROM scratch\nCOPY Dockerfile /\n' >ctx/Dockerfile
	fails 3 'Dockerfile:1:23: error: SOURCE_DATE_EPOCH: "soon" is not a number' bld build ctx
	fails 3 'Dockerfile:1:23: error: SOURCE_DATE_EPOCH: "soon" is not a number' bld build --check ctx
	ok bld build -q --build-arg SOURCE_DATE_EPOCH=7 ctx
	for bad in -1 1.5 0x10 99999999999999999999 ' 1'; do
		printf 'ARG SOURCE_DATE_EPOCH="%s"\nFROM scratch\nCOPY Dockerfile /\n' "$bad" >ctx/Dockerfile
		fails 3 'Dockerfile:1:23: error: SOURCE_DATE_EPOCH' bld build ctx
	done
	fails 2 'SOURCE_DATE_EPOCH: "soon"' bld build --build-arg SOURCE_DATE_EPOCH=soon ctx
}

@test "SOURCE_DATE_EPOCH=context is the time of what the context came as" {
	start_web
	mkdir c2
	printf 'FROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL e=$SOURCE_DATE_EPOCH\nCOPY f /\n' >c2/Dockerfile
	echo f >c2/f
	touch -d @5000 c2/Dockerfile c2
	touch -d @6000 c2/f
	tar -C c2 -cf www/c.tar .
	touch -d @4000 www/c.tar
	# an archive: its newest entry
	build -t x --build-arg SOURCE_DATE_EPOCH=context - <www/c.tar
	holds docker.io/library/x '.config.Labels.e == "6000"' '.created == "1970-01-01T01:40:00Z"'
	# a URL: what the server says; without that the newest entry
	build -t x --build-arg SOURCE_DATE_EPOCH=context "http://$WEB/dated/c.tar"
	holds docker.io/library/x '.config.Labels.e == "4000"' '.created == "1970-01-01T01:06:40Z"'
	build -t x --build-arg SOURCE_DATE_EPOCH=context "http://$WEB/plain/c.tar"
	holds docker.io/library/x '.config.Labels.e == "6000"'
	# a directory has none
	build -t x --build-arg SOURCE_DATE_EPOCH=context c2
	holds docker.io/library/x '.config.Labels.e == ""'
	hasnt "$(created)" '^1970'
	# written in the file
	sed -i '1i ARG SOURCE_DATE_EPOCH=context' c2/Dockerfile
	touch -d @5000 c2/Dockerfile
	tar -C c2 -cf www/d.tar .
	build -t x - <www/d.tar
	holds docker.io/library/x '.config.Labels.e == "6000"' '.created == "1970-01-01T01:40:00Z"'
	build -t x c2
	hasnt "$(created)" '^1970'
}
