# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Base images of the tests, made once and kept below $BUILD/cache. Needs: BUILD, TOOLS.

CACHE=${BLD_TEST_CACHE:-${BUILD:?}/cache}

# What a change of the recipes makes stale.
RECIPES=$(cat "${BASH_SOURCE[0]}" "$TOOLS/mkimage.py" | cksum | cut -d' ' -f1)

# cached NAME COMMAND...: the path CACHE/NAME, made by COMMAND PATH.new when it is not there.
# Two that come at the same time make it once.
cached() {
	local path=$CACHE/$1
	shift
	mkdir -p "$CACHE"
	(
		flock 9
		if [ ! -e "$path" ]; then
			rm -rf "$path.new"
			# Without the descriptors of the lock and of bats: mmdebstrap passes its own on to
			# /bin/sh, which knows no number above 9.
			"$@" "$path.new" >"$path.log" 2>&1 3>&- 4>&- 9>&- || { cat "$path.log" >&2; exit 1; }
			mv "$path.new" "$path"
		fi
	) 9>"$path.lock" || return
	echo "$path"
}

# A root of nothing but the static busybox, with users and the usual directories.
make_busybox_tar() {
	local root applet
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,dev,etc,home/app,proc,root,run,sys,tmp,usr/bin,usr/local/bin,var/lib}
	chmod 755 "$root"
	chmod 1777 "$root/tmp"
	chmod 700 "$root/root"
	chown 1000:1000 "$root/home/app"
	cp "$(command -v busybox)" "$root/bin/busybox"
	chmod 755 "$root/bin/busybox"
	for applet in $("$root/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	cat >"$root/etc/passwd" <<-'EOF'
		root:x:0:0:root:/root:/bin/sh
		daemon:x:1:1:daemon:/:/bin/false
		app:x:1000:1000:app:/home/app:/bin/sh
		web:x:1001:50:web:/var/lib:/bin/sh
	EOF
	cat >"$root/etc/group" <<-'EOF'
		root:x:0:
		daemon:x:1:
		staff:x:50:app
		audio:x:63:app,web
		app:x:1000:
	EOF
	: >"$root/etc/hosts"
	: >"$root/etc/hostname"
	: >"$root/etc/resolv.conf"
	find "$root" -exec touch -h -d @1700000000 {} +
	tar --sort=name --numeric-owner --format=pax --pax-option=delete=atime,delete=ctime \
		-C "$root" -cf "$1" .
	rm -rf "$root"
}
busybox_tar() { cached "busybox-$RECIPES.tar" make_busybox_tar; }

# A small Debian, as its own tools make it. A mirror that does not answer once is asked again.
# mmdebstrap has sh write to a descriptor whose number it takes as it comes; dash knows one digit,
# so the descriptors of bats and of our lock must not fill 3 to 9.
make_debian_tar() (
	exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
	for i in 1 2 3; do
		if mmdebstrap --quiet --variant=minbase --format=tar --aptopt='Acquire::Retries "5"' \
			bookworm "$1"; then
			return 0
		fi
		echo "mmdebstrap failed ($i of 3)"
		sleep 5
	done
	return 1
)
debian_tar() { cached debian.tar make_debian_tar; }

# An OCI layout with: base (busybox), gz and zst (the same, compressed), multi (an index), onbuild
# (with triggers and settings to inherit).
make_base_layout() {
	local bb
	bb=$(busybox_tar) || return
	local conf='{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["sh"]}'
	mk() { python3 "$TOOLS/mkimage.py" "$@" "$bb"; }
	mk --config "$conf" "$1" base &&
		mk --gzip --config "$conf" "$1" gz &&
		mk --zstd --config "$conf" "$1" zst &&
		mk --gzip --also arm64 --config "$conf" "$1" multi &&
		mk --gzip --docker --config "$conf" "$1" docker &&
		mk --config '{"Env":["PATH=/usr/bin:/bin","FROMBASE=yes"],"Cmd":["base-cmd"],
			"Entrypoint":["/base-entry"],"WorkingDir":"/var/lib","User":"app",
			"Labels":{"base":"1"},"ExposedPorts":{"7/tcp":{}},"Volumes":{"/vol":{}},
			"OnBuild":["ENV TRIGGERED=1","RUN echo $TRIGGERED > /tmp/trigger","COPY f /tmp/onbuild-f"]}' \
			"$1" onbuild
}
base_layout() { cached "base-$RECIPES" make_base_layout; }

# An OCI layout with the image `debian`, its layer compressed as registries have it.
make_debian_layout() {
	local tar
	tar=$(debian_tar) &&
		python3 "$TOOLS/mkimage.py" --gzip --config \
			'{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["bash"]}' \
			"$1" debian "$tar"
}
debian_layout() { cached "debian-$RECIPES" make_debian_layout; }
