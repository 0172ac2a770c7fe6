# SPDX-License-Identifier: Apache-2.0
# Times of files: what a later step sees is whole, also from the cache and in both forms of layers;
# what leaves the store has whole seconds.
load helpers

# stamp FILE... prints seconds and nanoseconds; FILE=SECONDS.NANOSECONDS sets them.
stamp_program() {
	cat >"$T/stamp.c" <<-'EOF'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/stat.h>
		int main(int argc, char **argv)
		{
			for (int i = 1; i < argc; i++) {
				char *eq = strchr(argv[i], '=');
				struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}};
				struct stat st;
				if (eq) {
					*eq = 0;
					if (sscanf(eq + 1, "%ld.%9ld", &t[1].tv_sec, &t[1].tv_nsec) != 2 ||
						utimensat(AT_FDCWD, argv[i], t, AT_SYMLINK_NOFOLLOW))
						return 1;
					continue;
				}
				if (lstat(argv[i], &st))
					return 1;
				printf("%s %ld.%09ld\n", argv[i], (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
			}
			return 0;
		}
	EOF
	gcc -static -O1 -o "$T/ctx/stamp" "$T/stamp.c"
}

# What RUN printed of times, sorted out of the last build.
seen() { sed -nE 's/^#[0-9]+ [0-9.]+ (\/.*)/\1/p' <<<"$log"; }

setup() {
	common_setup
	need_base
	stamp_program
}

@test "files, links and directories of a RUN: the next step, a later build, both forms" {
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY stamp /bin/stamp
		RUN mkdir /d && echo a > /d/in && echo b > /d/out && ln -s in /d/l && ln /d/in /d/hard && mkfifo /d/p \
		    && stamp /d/in=1700000000.500000000 /d/out=1700000000.250000000 /d/l=1600000000.000000001 /d/p=-5.999999999
		RUN stamp /d/in /d/out /d/l /d/p /d/hard /d
		RUN echo more > /d/more && stamp /d/in=1700000000.700000000
	EOF
	build -t x ctx
	local first want
	first=$(seen)
	want=$'/d/in 1700000000.500000000\n/d/out 1700000000.250000000\n/d/l 1600000000.000000001\n/d/p -5.999999999\n/d/hard 1700000000.500000000'
	equal "$(head -5 <<<"$first")" "$want"
	# only the last steps again: over the cached layers, in each form of them
	local form n=0
	for form in auto directory index; do
		[ "$form" != index ] || "$BLD" info | grep -q 'layers: EROFS' || continue
		n=$((n + 1))
		sed -i "5s/.*/RUN stamp \/d\/in \/d\/out \/d\/l \/d\/p \/d\/hard \/d; : $n/" "$T/ctx/Dockerfile"
		BLD_LAYER_FORM=$form build -t x ctx
		equal "$(cached_steps)" 2
		equal "$(seen)" "$first"
	done
	ok bld verify
}

@test "make is not fooled: what was written after its target is newer, in the same second" {
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY stamp /bin/stamp
		RUN echo 1 > /in; echo 1 > /out; stamp /in=1700000000.100000000 /out=1700000000.200000000
		RUN stamp /in /out | sort -k2 | tail -1 > /newest1; stamp /in=1700000000.300000000
		RUN stamp /in /out | sort -k2 | tail -1 > /newest2
	EOF
	build -t x ctx
	local want=$'/out 1700000000.200000000\n/in 1700000000.300000000'
	ok bld run x cat /newest1 /newest2
	equal "$output" "$want"
	sed -i '5s/$/; : again/' "$T/ctx/Dockerfile"
	build -t x ctx
	equal "$(cached_steps)" 3
	ok bld run x cat /newest1 /newest2
	equal "$output" "$want"
}

@test "COPY, COPY --from, ADD of an archive, a bind mount" {
	mkdir "$T/ctx/dir"
	echo f >"$T/ctx/dir/f"
	ln -s f "$T/ctx/dir/l"
	"$T/ctx/stamp" "$T/ctx/dir/f=1500000000.123456789" "$T/ctx/dir/l=1500000001.000000009"
	tar --format=pax -C "$T/ctx/dir" -cf "$T/ctx/a.tar" f
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		COPY dir /d
		FROM localhost/base
		COPY stamp /bin/stamp
		COPY dir/f /one/
		COPY --from=one /d /two
		ADD a.tar /three
		RUN --mount=type=bind,source=dir,target=/m --mount=type=bind,from=one,source=/d,target=/n \
		    stamp /one/f /two/f /two/l /three/f /m/f /n/l
	EOF
	build -t x ctx
	local want=$'/one/f 1500000000.123456789\n/two/f 1500000000.123456789\n/two/l 1500000001.000000009\n/three/f 1500000000.123456789\n/m/f 1500000000.123456789\n/n/l 1500000001.000000009'
	equal "$(seen)" "$want"
	sed -i '$s/$/; : again/' "$T/ctx/Dockerfile"
	build -t x ctx
	equal "$(seen)" "$want"
}

@test "a RUN that changes only the time of a directory is kept, and is none of the layer" {
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY stamp /bin/stamp
		RUN stamp /home=1500000000.000000005 /var/lib=1400000000.0
		RUN stamp /home /var/lib
		COPY stamp /home/app/
		RUN stamp /home /var/lib
	EOF
	build -t x ctx
	local want=$'/home 1500000000.000000005\n/var/lib 1400000000.000000000'
	equal "$(seen)" "$want"$'\n'"$want"
	check_tree docker.io/library/x <<<'layer 2:'
	sed -i '4s/$/; : again/' "$T/ctx/Dockerfile"
	build -t x ctx
	equal "$(seen)" "$want"$'\n'"$want"
	# what leaves the store does not know of it
	ok bld run x stamp /home
	equal "$output" "/home 1700000000.000000000"
}

@test "no digest depends on fractions, and two steps with one layer keep theirs" {
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY stamp /bin/stamp
		RUN echo a > /a; stamp /a=1500000000.111111111
		RUN stamp /a
	EOF
	build -t one ctx
	equal "$(seen)" "/a 1500000000.111111111"
	sed -i 's/111111111/222222222/' "$T/ctx/Dockerfile"
	build -t two ctx
	equal "$(seen)" "/a 1500000000.222222222"
	equal "$(bld inspect one | jq -c .config.rootfs)" "$(bld inspect two | jq -c .config.rootfs)"
	ok bld save -o "$T/one.tar" one
	ok bld run one stamp /a
	equal "$output" "/a 1500000000.000000000"
	# each step's own, over forms that have the same layers
	for f in 111111111 222222222 111111111; do
		sed -i -E "3s/[12]{9}/$f/; 4s/.*/RUN stamp \/a; : $f $RANDOM/" "$T/ctx/Dockerfile"
		build ctx
		equal "$(seen)" "/a 1500000000.$f"
	done
	ok bld verify
	ok bld prune
	ok bld verify
	# without its record nothing keeps the times
	ok bld prune --all
	equal "$(grep -rlF 'bld-times' "$BLD_ROOT/blobs" | wc -l)" 0
}
