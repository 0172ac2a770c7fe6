#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Forms of layers: what is mounted under RUN is the same whichever form it has, an index that is
# not what bld wrote never reaches the kernel, and a build deletes nothing.

load helpers

setup() {
	common_setup
	unset BLD_LAYER_FORM
	need_base
	# The kernel and this user take indexes; else there is nothing to compare.
	form=index
	printf 'FROM localhost/base\nRUN true\n' >ctx/probe
	BLD_LAYER_FORM=index bld build -q -f ctx/probe ctx >/dev/null 2>probe.err || form=
	rm -rf "$BLD_ROOT"
	need_base
}

need_indexes() { [ -n "$form" ] || skip "kernel: no EROFS images here: $(cat probe.err)"; }

# in_form FORM COMMAND...: in a store of its own with the base image
in_form() {
	local f=$1
	shift
	BLD_LAYER_FORM=$f BLD_ROOT=$T/store.$f "$@"
}

indexes() { find "$BLD_ROOT/bld/erofs" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }
dirs() { find "$BLD_ROOT/bld/dirs" -mindepth 1 -maxdepth 1 | wc -l; }
trash() { find "$BLD_ROOT/bld/trash" -mindepth 1 | wc -l; }

# tar_layer FILE PYTHON: a plain tar; the code gets t and the functions f, d, s, h, w
tar_layer() {
	python3 - "$1" "$2" <<-'P'
		import io, sys, tarfile
		t = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
		def add(name, **kw):
		    data = kw.pop("data", None)
		    i = tarfile.TarInfo(name)
		    i.mtime = 1600000000
		    for k, v in kw.items():
		        setattr(i, k, v)
		    if data is not None:
		        i.size = len(data)
		    t.addfile(i, io.BytesIO(data) if data is not None else None)
		def f(name, data, **kw): add(name, data=data.encode(), **kw)
		def d(name, mode=0o755, **kw): add(name, type=tarfile.DIRTYPE, mode=mode, **kw)
		def s(name, to, **kw): add(name, type=tarfile.SYMTYPE, linkname=to, **kw)
		def h(name, to, **kw): add(name, type=tarfile.LNKTYPE, linkname=to, **kw)
		def w(name):
		    p = name.rsplit("/", 1)
		    f("/".join(p[:-1] + [".wh." + p[-1]]), "")
		exec(sys.argv[2])
		t.close()
	P
}

# Sizes and link counts of directories are the file system's own affair.
# An image "stack": three layers over busybox with everything that can go wrong between layers.
make_stack() {
	tar_layer l1.tar '
d("a"); f("a/x", "one"); f("a/y", "keep", mode=0o4755, uid=7, gid=8); h("a/hard", "a/y")
d("op"); f("op/old", "old"); d("op/sub"); f("op/sub/deep", "deep")
d("gone"); f("gone/f", "f"); f("file", "was a file"); d("dir"); f("dir/in", "in")
s("lnk", "a"); f("big", "B" * 70000); f("empty", "")
f("meta", "m", pax_headers={"SCHILY.xattr.user.k": "v", "mtime": "1600000000.5"})
d("sticky", mode=0o1777); add("fifo", type=tarfile.FIFOTYPE, mode=0o600)
add("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666)'
	tar_layer l2.tar '
f("a/x", "two"); w("gone"); f("op/.wh..wh..opq", ""); f("op/new", "new")
h("a/link-below", "a/y"); w("file"); d("file"); f("file/now-dir", "d"); w("dir"); f("dir", "now a file")
w("never-there"); f("lnk/through", "t"); f("b/without/parents", "p")'
	tar_layer l3.tar '
d("gone"); f("gone/back", "back"); w("op/new"); f("op/sub", "a file now"); f("big", "small")
h("b/h1", "b/without/parents"); h("b/h2", "b/h1"); w("empty")'
	python3 "$TOOLS/mkimage.py" --gzip layout stack "$(busybox_tar)" l1.tar l2.tar l3.tar >/dev/null
}

# What a RUN does with it: everything listed, and changed in every way.
stack_dockerfile() {
	cat >ctx/Dockerfile <<-'EOF'
		FROM stack
		RUN cd / && { find a b op gone file dir lnk big empty meta sticky fifo null never-there 2>/dev/null | sort | \
			while read -r p; do a='%s %h'; [ ! -d "$p" ] || a=; stat -c "%n %F %a %u %g %t:%T %Y $a" "$p"; readlink "$p"; [ ! -f "$p" ] || { cat "$p"; echo; }; done; } >/list
		COPY f lnk/copied
		RUN rm -r /op /a/x && mkdir /op /a/x && echo n >/op/old && mv /gone /moved && ln /a/y /a/more && \
			chmod 700 /sticky && echo more >>/big && rm /null && touch /b/without/parents && cp -a /b /c
		COPY f /op/sub
		RUN all=$(find / -xdev -type f | sort); dev=$(stat -c %d /) && \
			{ echo "$all"; cat /op/sub; find /a /b /c /op /bin /big -type d | while read -r p; do \
			[ "$(stat -c %d "$p")" = $dev ] || echo "$p is elsewhere"; done; } >/all
	EOF
	echo content >ctx/f
}

@test "the same build in both forms: the same image, and the same tree seen by RUN" {
	need_indexes
	make_stack
	stack_dockerfile
	for f in directory index auto; do
		in_form $f bld pull -q oci:layout:stack >/dev/null 2>&1 || in_form $f bld pull oci:layout:stack
		name=$(in_form $f bld images | awk 'NR == 2 { print $1 }')
		sed -i "1s#.*#FROM $name#" ctx/Dockerfile
		ok in_form $f bld build --timestamp 1700000000 -t out ctx
		in_form $f digest docker.io/library/out >"$f.digest"
		ok in_form $f bld run out cat /list /all
		echo "$output" >"$f.list"
		ok in_form $f bld verify
	done
	cmp directory.digest index.digest
	cmp directory.digest auto.digest
	cmp directory.list index.list
	cmp directory.list auto.list
	hasnt "$(cat auto.list)" 'is elsewhere'
	has "$(cat auto.list)" '^/bin/busybox$'
	has "$(cat auto.list)" 'a/y regular file 4755 7 8 '
	has "$(cat auto.list)" 'a/link-below regular file 4755 7 8 '
	hasnt "$(cat auto.list)" 'op/sub/deep|gone/f |never-there|dir/in'
	[ -n "$(ls "$T/store.index/bld/erofs")" ]
	[ -z "$(ls "$T/store.directory/bld/erofs" 2>/dev/null)" ]
}

@test "layers that are pulled or copied are not unpacked" {
	need_indexes
	make_stack
	ok bld pull oci:layout:stack
	name=$(bld images | awk '/stack/ { print $1 }')
	printf 'FROM %s\nCOPY f /f\nRUN cat /f big >/g\nCOPY f /h\nRUN cat /h >/i\n' "$name" >ctx/Dockerfile
	echo f >ctx/f
	build -t x ctx
	equal "$(dirs)" 2 "directories, one of each RUN"
	# the base in one, two COPY
	equal "$(indexes)" 3 indexes
	ok bld run x cat /g
	has "$output" '^f$'
	equal "$(dirs)" 2 "directories"
	for image in "$BLD_ROOT"/bld/erofs/*/image; do
		equal "$(stat -c %a "$image")" 400
	done
}

# created TRACE: how many EROFS file systems were asked for
created() { grep -cE 'fsopen\("erofs"' "$1" || true; }
traced_build() {
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=fsopen,fsconfig,mount \
		"$BLD" build --no-cache --timestamp 5 -t again ctx >out 2>&1 || { tail -20 out; false; }
}

@test "an index that is not as bld wrote it is made again, and never given to the kernel" {
	need_indexes
	printf 'FROM localhost/base\nRUN cat /etc/passwd >/p\n' >ctx/Dockerfile
	build -t good --timestamp 5 ctx
	want=$(digest docker.io/library/good)
	dir=$(echo "$BLD_ROOT"/bld/erofs/*)
	image=$dir/image record=$dir/record
	cp -a "$dir" keep
	traced_build
	mounts=$(created trace)
	for how in bit super short empty other record swap missing; do
		case $how in
		bit) damage "$image" 5000 ;;
		super) damage "$image" 1060 ;;
		short) truncate -s -512 "$image" ;;
		empty) truncate -s 0 "$image" ;;
		other) # whole, and of bld's own making
			BLD_ROOT=$T/second need_base gz
			printf 'FROM localhost/gz\nCOPY f /f\nRUN true\n' >ctx/other
			echo x >ctx/f
			BLD_ROOT=$T/second bld build -q -f ctx/other ctx >/dev/null
			cat "$(find "$T/second/bld/erofs" -name image -size -8)" >"$image"
			;;
		record) sed -i 's/^kind merged/kind layer/' "$record" ;;
		swap) sed -i 's/^\(tar .* 2\)/\11/' "$record" ;;
		missing) rm "$image" ;;
		esac
		if cmp -s "$image" keep/image && cmp -s "$record" keep/record; then echo "$how: nothing is damaged"; false; fi
		was=$(stat -c %i "$image" 2>/dev/null || echo none)
		traced_build
		equal "$(digest docker.io/library/again)" "$want" "$how"
		# it was replaced by a new one of the same bytes
		cmp "$image" keep/image
		cmp "$record" keep/record
		[ "$(stat -c %i "$image")" != "$was" ] || { echo "$how: the same file"; false; }
		# the kernel got no more than in a good build
		equal "$(created trace)" "$mounts" "$how: mounted"
	done
	ok bld verify
	equal "$(find "$BLD_ROOT/bld/trash" -maxdepth 1 -name 'index.*' | wc -l)" 8 "dropped"
	rm -rf second
}

@test "verify finds a wrong index, with --repair drops it" {
	need_indexes
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	build ctx
	image=$(echo "$BLD_ROOT"/bld/erofs/*/image)
	damage "$image" 3000
	fails 10 "EROFS image $(basename "$(dirname "$image")")" bld verify
	fails 10 . bld verify --repair
	equal "$(indexes)" 0
	ok bld verify
	build --no-cache ctx
	equal "$(indexes)" 1
	ok bld verify
}

@test "a tar that was cut below its index: an error that names it, never wrong data" {
	need_indexes
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	build ctx
	tar=$BLD_ROOT/blobs/sha256/$(awk '/^tar / { sub("sha256:", "", $2); print $2 }' "$BLD_ROOT"/bld/erofs/*/record)
	truncate -s -4096 "$tar"
	run bld build --no-cache --progress=plain ctx
	[ "$status" != 0 ] && [ "$status" -lt 128 ]
	has "$output" "$(basename "$tar")"
	need_base
	build --no-cache ctx
	ok bld verify
}

@test "a store where the kernel takes no index: directories" {
	need_indexes
	mkdir -p mnt/tmpfs
	cat >inside <<-'EOF'
		set -e
		mount -t tmpfs none mnt/tmpfs
		export BLD_ROOT=$PWD/mnt/tmpfs/store
		"$BLD" load -i "$1"
		"$BLD" build -q --timestamp 7 -t x ctx >tmpfs.out
		ls "$BLD_ROOT/bld/dirs" | wc -l >tmpfs.dirs
		"$BLD" build -q --no-cache --timestamp 7 -t x ctx
		"$BLD" run x cat /b
		"$BLD" verify
		if BLD_LAYER_FORM=index "$BLD" build --no-cache -q ctx 2>tmpfs.err; then exit 9; fi
	EOF
	printf 'FROM localhost/base\nRUN echo a >/a\nCOPY f /f\nRUN cat /a /f >/b\n' >ctx/Dockerfile
	echo f >ctx/f
	unshare -m sh inside "$(cached "base-$RECIPES.archive" archive_of "$(base_layout)" base)" >log 2>&1 || { cat log; false; }
	ok bld build -q --timestamp 7 -t x ctx
	equal "$(cat tmpfs.out)" "$output"
	equal "$(cat tmpfs.dirs)" 4
	has "$(cat tmpfs.err)" 'EROFS images'
	has "$(cat tmpfs.err)" 'tmpfs or overlayfs'
}

@test "a store on overlayfs: what the kernel says about it, in every form" {
	mkdir -p mnt/o mnt/lower mnt/merged
	cat >inside <<-'EOF'
		mount -t tmpfs none mnt/o
		mkdir mnt/o/up mnt/o/work
		mount -t overlay -o lowerdir=mnt/lower,upperdir=mnt/o/up,workdir=mnt/o/work none mnt/merged
		export BLD_ROOT=$PWD/mnt/merged/store
		"$BLD" load -i "$1"
		for form in auto directory index; do
			BLD_LAYER_FORM=$form "$BLD" build -q ctx >$form.out 2>&1
			echo "status $?" >>$form.out
		done
		"$BLD" verify
	EOF
	printf 'FROM localhost/base\nRUN echo a >/a\n' >ctx/Dockerfile
	unshare -m sh inside "$(cached "base-$RECIPES.archive" archive_of "$(base_layout)" base)" >log 2>&1 || { cat log; false; }
	# an overlay takes no upper directory on an overlay: there is no RUN there at all
	for f in auto directory; do
		has "$(cat $f.out)" 'upperdir'
		has "$(cat $f.out)" 'status 9'
	done
	has "$(cat index.out)" 'status 1'
	has "$(cat index.out)" 'tmpfs or overlayfs'
}

@test "more layers than one overlay takes of single mounts" {
	need_indexes
	for ((i = 0; i < 140; i++)); do
		tar_layer "m$i.tar" "f('m/f$i', '$i'); f('m/same', '$i\\n')$( ((i == 0)) || echo "; w('m/f$((i - 1))')")"
	done
	python3 "$TOOLS/mkimage.py" layout many "$(busybox_tar)" m?.tar m??.tar m1[0-3]?.tar >/dev/null
	ok bld pull oci:layout:many
	name=$(bld images | awk '/many/ { print $1 }')
	{
		printf 'FROM %s\n' "$name"
		for i in 1 2 3 4 5 6 7 8; do printf 'COPY f /c%s\nRUN cat /c%s /m/same >>/log; ls /m >>/log\n' $i $i; done
	} >ctx/Dockerfile
	echo f >ctx/f
	build -t x ctx
	ok bld run x cat /log
	equal "$(grep -c ^139 <<<"$output")" 8
	equal "$(grep -c ^f139 <<<"$output")" 8
	equal "$(grep -cE '^f[0-9]' <<<"$output")" 8
	equal "$(dirs)" 8
	BLD_LAYER_FORM=index ok bld run x cat /log
}

@test "BLD_LAYER_FORM: a value that is none is wrong usage; directory makes no index" {
	printf 'FROM localhost/base\nRUN echo >/a\n' >ctx/Dockerfile
	BLD_LAYER_FORM=blob fails 2 'BLD_LAYER_FORM.*blob' bld build ctx
	BLD_LAYER_FORM=blob fails 2 'directory or index' bld run localhost/base true
	BLD_LAYER_FORM=directory build ctx
	equal "$(indexes)" 0
	equal "$(dirs)" 2
	BLD_LAYER_FORM='' build --no-cache ctx
}

@test "index, where it cannot be had: the reason, and nothing else is tried" {
	printf 'FROM localhost/base\nRUN echo >/a\n' >ctx/Dockerfile
	BLD_LAYER_FORM=index fails 1 'EROFS images' "$BUILD/tools/refuse" fsopen:erofs -- "$BLD" build ctx
	equal "$(dirs)" 0
	ok "$BUILD/tools/refuse" fsopen:erofs -- "$BLD" build ctx
	equal "$(dirs)" 2
	ok "$BUILD/tools/refuse" fsopen:erofs -- "$BLD" info
	has "$output" '^layers: directories \(EROFS images are not taken here'
	ok "$BUILD/tools/refuse" create:erofs=ENOTBLK -- "$BLD" info
	has "$output" '^layers: directories \(.*file system of this store'
	[ -z "$form" ] || has "$(bld info)" '^layers: EROFS images'
}

@test "builds delete no tree and sync nothing, also when a step fails" {
	printf 'FROM localhost/base\nRUN mkdir /d && seq 1 200 | while read i; do echo $i >/d/$i; done\nRUN --mount=type=bind,from=localhost/base,target=/b,rw seq 1 50 | while read i; do echo $i >/b/$i; done\nCOPY f /f\nRUN rm -r /d; mkdir /e; touch /e/1 /e/2; false\n' >ctx/Dockerfile
	echo f >ctx/f
	ASAN_OPTIONS=detect_leaks=0 strace -f -o trace -e trace=unlink,unlinkat,rmdir,fsync,fdatasync,syncfs,sync,sync_file_range,msync \
		"$BLD" build --progress=plain ctx >out 2>&1 && { echo "it went well"; false; }
	has "$(cat out)" 'exit status 1'
	ok bld run localhost/base sh -c 'touch /a /b; exit 0'
	# RUN's own deletions are busybox's, in processes that execute it; a control group is no tree
	grep -vE 'AT_FDCWD|"/|SIG|\+\+\+|---|"run"|"bld\.[0-9a-f]+"' trace | grep -E 'unlink|rmdir' >deleted || true
	[ "$(wc -l <deleted)" -le 8 ] || { cat deleted; false; }
	hasnt "$(cat trace)" '^[0-9]+ (fsync|fdatasync|syncfs|sync)\('
	# all of it waits in the trash
	[ "$(trash)" -ge 54 ] || { find "$BLD_ROOT/bld/trash"; false; }
	[ -n "$(find "$BLD_ROOT/bld/trash" -name 2 -path '*/upper/e/*')" ]
	ok bld prune
	equal "$(trash)" 0
}

@test "trash goes in slices while a RUN is silent, and what is left with prune" {
	mkdir -p "$BLD_ROOT/bld/trash/left.1/a" "$BLD_ROOT/bld/trash/dir.1"
	seq 1 400 | sed "s#^#$BLD_ROOT/bld/trash/left.1/a/#" | xargs touch
	touch "$BLD_ROOT/bld/trash/dir.1/x"
	before=$(trash)
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	build ctx
	[ "$(trash)" -ge "$before" ] # a short one deletes nothing
	printf 'FROM localhost/base\nRUN echo begin-$((40+2)); while [ ! -e /go/go ]; do sleep 0.1; done\n' >ctx/Dockerfile
	sed -i 's#^RUN #RUN --mount=type=cache,target=/go #' ctx/Dockerfile
	"$BLD" build --progress=plain ctx >slow.log 2>&1 3>&- &
	p=$!
	wait_text slow.log 'begin-42'
	fewer() { now=$(trash); [ "$now" -le $((before - 60)) ]; }
	eventually fewer || true
	touch "$(echo "$BLD_ROOT"/bld/mounts/*)/go"
	wait $p || { cat slow.log; false; }
	[ "$now" -le $((before - 60)) ] || { echo "$before -> $now"; false; }
	[ "$now" -ge $((before - 256)) ]
	[ -e "$BLD_ROOT/bld/trash/dir.1/x" ] # may still be mounted elsewhere
	ok bld prune
	equal "$(trash)" 0
}

@test "prune that is killed while it empties the trash goes on the next time" {
	mkdir -p "$BLD_ROOT/bld/trash/left.1/a"
	seq 1 3000 | sed "s#^#$BLD_ROOT/bld/trash/left.1/a/#" | xargs touch
	ASAN_OPTIONS=detect_leaks=0 strace -f -o /dev/null -e trace=unlinkat -e inject=unlinkat:signal=KILL:when=500 "$BLD" prune >out 2>&1 || true
	left=$(trash)
	[ "$left" -gt 0 ] && [ "$left" -lt 3001 ] || { echo "$left left"; false; }
	ok bld prune
	equal "$(trash)" 0
	ok bld verify
}

@test "prune removes the indexes of layers that are gone, and only those" {
	need_indexes
	printf 'FROM localhost/base\nCOPY f /f\nRUN cat /f\n' >ctx/Dockerfile
	echo f >ctx/f
	touch -d @1600000000 ctx/f # with a fraction the index is the step's, and goes with its record
	build -t x ctx
	equal "$(indexes)" 2
	ok bld prune --all
	equal "$(indexes)" 2
	ok bld rmi x
	ok bld prune --all
	equal "$(indexes)" 1
	ok bld verify
	ok bld run localhost/base true
}
