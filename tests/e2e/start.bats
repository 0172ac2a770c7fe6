#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a start costs: the libraries bound to bld, what a cached build opens, and that no build waits
# for the disk. (How many calls: make bench-check. No time is measured here.)

load helpers

needed() { readelf -d "$BLD" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'; }

# traced FILE CALLS COMMAND...: the system calls of it and of its children; descriptors with paths
traced() {
	local file=$1 calls=$2
	shift 2
	ASAN_OPTIONS=detect_leaks=0 strace -f -y -qq -o "$file" -e trace="$calls" "$@"
}

# What was opened: the paths behind the descriptors that the calls of the trace returned.
opened() { sed -nE 's/.* = [0-9]+<([^>]*)>$/\1/p' "$1" | sort -u; }

@test "libcurl, libarchive and OpenSSL are not bound to the program" {
	ok needed
	has "$output" '^libc\.so'
	hasnt "$output" 'curl|archive|crypto|ssl'
}

@test "a cached build opens the store, the Dockerfile, the context, and nothing else" {
	need_base
	mkdir -p ctx/src/deep
	echo 1 >ctx/src/one
	echo 2 >ctx/src/deep/two
	echo '*.o' >ctx/.dockerignore
	{
		echo 'FROM localhost/base'
		for i in $(seq 8); do echo "COPY src /src$i"; done
		for i in $(seq 8); do echo "RUN echo $i > /out$i"; done
	} | dockerfile
	build -t x ctx
	build -t x ctx
	equal "$(cached_steps)" 16
	traced trace openat,openat2,open,creat,connect "$BLD" build -q -t x ctx
	hex='[0-9a-f]{64}'
	own="(/usr)?/lib(64)?(/[a-z0-9_-]+)?/(lib(c|m|jansson)|ld-linux[a-z0-9_-]*)[.-][^/]*"
	store="$T/store(/index\.json|/blobs/sha256(/$hex)?)?"
	bld="$T/store/bld(/version|/cache(/$hex)?|/locks(/(store|index|objects|context))?|/tmp|/forms|/dirs|/context(/[^/]*)?)?"
	context="$T/ctx(/Dockerfile|/\.dockerignore|/src(/.*)?)?"
	# Sanitizers bring libraries and look at the process.
	if needed | grep -qE 'lib(asan|ubsan|tsan)'; then
		own="$own|.*/lib(asan|ubsan|tsan|gcc_s|stdc\+\+|pthread|dl|rt)[.-][^/]*|/proc/[0-9]+/.*"
	fi
	opened trace | grep -vxE "/etc/ld\.so\.cache|/proc/sys/kernel/random/boot_id|$own|$store|$bld|$context" >other || true
	[ ! -s other ] || { echo "opened:"; cat other; false; }
	hasnt "$(cat trace)" 'connect\('
	has "$(opened trace)" "^$T/store/bld/version$"
}

@test "a cached build writes nothing" {
	need_base
	echo 1 >ctx/one
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY one /
		RUN echo hello > /hello
		ENV a=b
	EOF
	build -t x ctx
	touch -d '2020-01-01' ctx/one
	build -t x ctx
	build -t x ctx
	# A file without a name is none; the mode of the lock files is in every call that opens one.
	traced trace mkdir,mkdirat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,symlinkat,mknodat,truncate,ftruncate,fsetxattr,utimensat "$BLD" build -q -t x ctx
	[ ! -s trace ] || { cat trace; false; }
}

@test "no build waits for the disk, a new store and a new name included; --sync does, once" {
	need_base
	echo 1 >ctx/one
	dockerfile <<-'EOF'
		FROM scratch
		COPY one /one
	EOF
	calls=fsync,fdatasync,sync,syncfs,msync,sync_file_range
	for i in 1 2 3; do
		traced trace $calls "$BLD" --root "$T/store/new" build -q -t "x:$i" --no-cache ctx
		hasnt "$(cat trace)" '(fsync|fdatasync|sync|syncfs|msync)\('
	done
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY one /one
		RUN echo hello > /hello && rm /one
	EOF
	traced trace $calls "$BLD" build -q -t x ctx
	hasnt "$(cat trace)" '(fsync|fdatasync|sync|syncfs|msync)\('
	echo 2 >ctx/one
	traced trace $calls "$BLD" build -q -t x --sync ctx
	equal "$(grep -c 'syncfs(' trace)" 1
}

@test "a library that is missing is named with its package, and nothing else needs it" {
	mkdir broken
	: >broken/libcurl.so.4
	: >broken/libarchive.so.13
	: >broken/libcrypto.so.3
	: >broken/libseccomp.so.2
	need_base
	echo 1 >ctx/one
	tar -C ctx -cf ctx/a.tar one
	dockerfile <<-'EOF'
		FROM scratch
		COPY one /one
	EOF
	export LD_LIBRARY_PATH=$T/broken
	ok bld build -t x ctx
	ok bld images
	fails 1 'libcurl\.so\.4 cannot be loaded.*talking to servers' bld pull 127.0.0.1:1/x
	has "$stderr" 'help: install the Debian package libcurl4'
	echo 'ADD a.tar /' >>ctx/Dockerfile
	fails 1 'libarchive\.so\.13 cannot be loaded.*unpacking archives' bld build ctx
	has "$stderr" 'help: install the Debian package libarchive13'
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN true
	EOF
	fails 1 'libseccomp\.so\.2 cannot be loaded' bld build ctx
	unset LD_LIBRARY_PATH
	# where it is there, and a limit is in the way, the limit is named
	if grep -q __asan_init "$BLD"; then return; fi # that needs terabytes of addresses
	ulimit -v 20000
	fails 1 'libcurl\.so\.4 cannot be loaded.*: failed to map segment' bld pull 127.0.0.1:1/x
	has "$stderr" 'help: the library is there: look at ulimit'
}
