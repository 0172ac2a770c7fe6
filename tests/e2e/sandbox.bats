#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a RUN sees and what it cannot do.

load helpers

# facts COMMANDS [build options]: what the commands print inside RUN
facts() {
	local text=$1
	shift
	printf 'FROM localhost/base\nRUN <<"EOF"\nexec >/facts 2>&1\n%s\ntrue\nEOF\n' "$text" >ctx/Dockerfile
	build --no-cache -t facts "$@" ctx
	facts=$(bld run localhost/base true; python3 - "$BLD_ROOT" <<-'P'
		import os, sys
		sys.path.insert(0, os.environ["TOOLS"])
		import io, tarfile, ocidir
		layers = ocidir.load("oci:%s:docker.io/library/facts:latest" % sys.argv[1])[4]
		t = tarfile.open(fileobj=io.BytesIO(layers[-1]))
		name = [n for n in t.getnames() if n.strip("./") == "facts"][0]
		sys.stdout.write(t.extractfile(name).read().decode())
	P
	)
}

setup() {
	common_setup
	need_base
}

@test "capabilities: docker's fourteen, none inheritable or ambient" {
	facts 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status'
	# CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP
	has "$facts" 'CapBnd:.00000000a80425fb'
	has "$facts" 'CapEff:.00000000a80425fb'
	has "$facts" 'CapPrm:.00000000a80425fb'
	has "$facts" 'CapInh:.0000000000000000'
	has "$facts" 'CapAmb:.0000000000000000'
	has "$facts" 'NoNewPrivs:.0'
	has "$facts" 'Seccomp:.2'
}

@test "a user other than root has no capabilities" {
	printf 'FROM localhost/base\nUSER app\nRUN grep -E "^Cap(Eff|Prm|Inh|Amb)" /proc/self/status | grep -v 0000000000000000; umask; id\n' >ctx/Dockerfile
	build --no-cache ctx
	hasnt "$log" 'Cap(Eff|Prm|Inh|Amb):'
	has "$log" '0022'
}

@test "no descriptor of bld leaks, standard input is empty" {
	facts 'ls -l /proc/self/fd; cat; echo read-$?'
	# 0, 1, 2, and the one ls opens
	equal "$(grep -cE '^l.* [0-9]+( ->|$)' <<<"$facts")" 4 "$facts"
	has "$facts" ' 0 -> /dev/null'
	has "$facts" 'read-0'
}

@test "process, host name and other namespaces are its own" {
	facts 'echo pid $$; ps | wc -l; hostname; for n in pid ipc uts mnt cgroup net; do readlink /proc/self/ns/$n; done'
	for n in pid ipc uts mnt cgroup; do
		hasnt "$facts" "$n:\[$(readlink /proc/self/ns/$n | tr -dc 0-9)\]"
	done
	has "$facts" "net:\[$(readlink /proc/self/ns/net | tr -dc 0-9)\]"
	hasnt "$facts" "$(hostname)\$"
	first=$facts
	facts 'hostname'
	has "$first" "^$facts\$"
}

@test "masked and read-only paths" {
	facts '
		for f in /proc/kcore /proc/keys /proc/timer_list; do [ ! -e $f ] || head -c 1 $f | wc -c; done
		ls /sys/firmware /proc/acpi /proc/scsi 2>/dev/null | grep -v : | wc -w
		for d in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/power/state; do [ ! -e $d ] || { echo x > $d && echo WRITABLE $d; }; done
		mkdir /sys/fs/cgroup/new /sys/fs/cgroup/*/new && echo WRITABLE cgroup
		touch /proc/sys/x /sys/x && echo WRITABLE dirs'
	hasnt "$facts" WRITABLE
	hasnt "$facts" '^[1-9]'
}

@test "devices: the usual few and no others" {
	facts 'ls /dev; ls /dev/pts; echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; : > /dev/full || echo full; stat -f -c %T /dev/shm; echo y > /dev/shm/f && echo shm; mknod /disk b 254 0 && echo made; head -c 1 /disk && echo OPENED; mknod /dev/disk b 254 0; head -c 1 /dev/disk && echo OPENED'
	for d in null zero full random urandom tty ptmx pts shm fd stdin stdout stderr; do has "$facts" "^$d\$"; done
	hasnt "$facts" '^(sd|vd|nvme|loop|mem|kmsg|kvm|fuse)'
	has "$facts" shm
	has "$facts" made
	hasnt "$facts" OPENED
	[ ! -e /dev/shm/f ]
}

@test "system calls that are refused" {
	cc -std=gnu11 -D_GNU_SOURCE -static -o ctx/try "$TOOLS/trysyscall.c"
	printf 'FROM localhost/base\nCOPY try /try\nRUN ["/try"]\n' >ctx/Dockerfile
	build --no-cache --progress=plain ctx
	for c in mount umount2 unshare-user setns keyctl add_key io_uring_setup userfaultfd bpf perf_event_open \
		kexec_load init_module reboot swapon open_by_handle_at socket-alg socket-vsock ioctl-tiocsti clone-newuser; do
		has "$log" "$c (refused|absent)"
	done
	for c in getpid clone openat2 fchmodat2 statx futex; do has "$log" "$c (allowed|absent)"; done
	has "$log" "unknown-call absent"
}

@test "network: the host's by default, none on request, never more than the command line gives" {
	facts 'ls /sys/class/net; cat /proc/net/dev | wc -l'
	printf 'FROM localhost/base\nRUN ls /proc/sys/net/ipv4 >/dev/null; ifconfig -a | grep -c Link > /n\n' >ctx/Dockerfile
	build --no-cache --network=none -t none ctx
	check_tree docker.io/library/none <<<'/n content=1%0a'
	printf 'FROM localhost/base\nRUN --network=host ifconfig -a | grep -c Link > /n\n' >ctx/Dockerfile
	run --separate-stderr bld build --network=none -t none2 ctx
	if [ "$status" = 0 ]; then
		check_tree docker.io/library/none2 <<<'/n content=1%0a'
	else
		has "$stderr" 'Dockerfile:2|network'
	fi
}

# served NAME: an abstract socket of this machine, until stop_all
serve_abstract() {
	cc -std=gnu11 -D_GNU_SOURCE -static -o ctx/abstract "$TOOLS/abstract.c"
	mkfifo "$T/bound"
	ctx/abstract wait "$1" >"$T/bound" &
	serving=$!
	read -r _ <"$T/bound"
}

@test "abstract sockets of the machine are out of reach of RUN and bld run, on its network too" {
	[ "$(bld info | grep '^landlock scope')" = "landlock scope: yes" ] || skip "kernel: no Landlock scopes: $(bld info | grep '^landlock scope')"
	serve_abstract "bld-$$-out"
	printf 'FROM localhost/base\nCOPY abstract /abstract\nRUN ["/abstract", "connect", "bld-%s-out"]\n' $$ >ctx/Dockerfile
	build --no-cache --progress=plain -t x ctx
	has "$log" 'refused: EPERM'
	ok bld run x /abstract connect "bld-$$-out"
	equal "$output" 'refused: EPERM'
	ok ctx/abstract connect "bld-$$-out" # which it was not for others; the server ends
	equal "$output" connected
	wait $serving
}

@test "abstract sockets of RUN are open to local users on the machine's network, and only there" {
	has "$(bld info)" '^abstract unix sockets of RUN: open to local users .*--network=none'
	cc -std=gnu11 -D_GNU_SOURCE -static -o ctx/abstract "$TOOLS/abstract.c"
	printf 'FROM localhost/base\nCOPY abstract /abstract\n' >ctx/Dockerfile
	build -t x ctx
	mkfifo "$T/bound"
	"$BLD" run x /abstract wait "bld-$$-in" >"$T/bound" 3>&- &
	read -r _ <"$T/bound"
	ok ctx/abstract connect "bld-$$-in"
	equal "$output" connected
	wait $!
	# By its own name: of a function in the background the shell is what kill reaches.
	"$BLD" run --network=none x /abstract wait "bld-$$-in" >"$T/bound" 3>&- &
	read -r _ <"$T/bound"
	ok ctx/abstract connect "bld-$$-in"
	equal "$output" 'refused: ECONNREFUSED'
	kill $!
	wait $! || true
}

@test "a USER that is not root opens /dev/stdout and /dev/stderr" {
	dockerfile <<-'EOF'
		FROM localhost/base
		USER app
		RUN echo to-stderr | tee /dev/stderr >/dev/null; echo to-stdout > /dev/stdout; echo by-number > /proc/self/fd/2
		RUN ["sh", "-c", "echo appended >> /dev/stdout && echo status-$?"]
	EOF
	build --no-cache --progress=plain -t x ctx
	for word in to-stderr to-stdout by-number appended status-0; do has "$log" "$word\$"; done
	hasnt "$log" 'ermission denied'
	ok bld run --user app x sh -c 'echo x | tee /dev/stderr'
	equal "$output/$stderr" x/x
}

@test "the host is out of reach" {
	echo secret >"$T/host-file"
	facts "cat $T/host-file /proc/1/root$T/host-file; ls /proc/1/root/work /proc/self/cwd/../../../../tmp; kill -0 $$ && echo REACHED; cat /proc/mounts"
	hasnt "$facts" secret
	hasnt "$facts" REACHED
	hasnt "$facts" 'host-file$'
}

@test "find, tar and du over / look at PID 1 as at any process" {
	printf 'FROM localhost/base\nRUN find / -name nothing-of-that-name && ls /proc/1/fdinfo /proc/1/task/1/fd && du -s /proc/1 && grep -r nothing /proc/1/fdinfo /proc/1/environ /proc/1/maps; echo status-$?\nUSER app\nRUN find / -xdev -name nothing-of-that-name; find /proc/1 >/dev/null && echo found-all\n' >ctx/Dockerfile
	build --no-cache --progress=plain ctx
	has "$log" 'status-1$' # grep found nothing, which is no error (2)
	has "$log" 'found-all$'
	hasnt "$log" 'proc/1.*(ermission denied|No such)'
}

# passing KIND: two stages at a time, a socket in a cache that they share, a network of their own
passing() {
	cc -std=gnu11 -D_GNU_SOURCE -static -o ctx/passfd "$TOOLS/passfd.c"
	printf '%s\n' 'FROM localhost/base AS giver' 'COPY passfd /passfd' \
		"RUN --network=none --mount=type=cache,target=/c,id=$1 /passfd give $1 /c/s && echo given" \
		'FROM localhost/base AS taker' 'COPY passfd /passfd' \
		"RUN --network=none --mount=type=cache,target=/c,id=$1 /passfd take $1 /c/s >/said; cat /said" \
		'FROM scratch' 'COPY --from=giver /passfd /p1' 'COPY --from=taker /said /said' >ctx/Dockerfile
}

@test "a finished layer cannot be changed through a descriptor of / that another stage got" {
	passing root
	build --no-cache --jobs 2 --progress=plain -t x ctx
	has "$log" 'late: EROFS'
}

@test "a file open for writing in another stage fails the step that passed it on, with its name" {
	passing write
	fails 1 'Dockerfile:3:1: error: .*/given is open in process [0-9]+ \(passfd\)' bld build --no-cache --jobs 2 --progress=plain ctx
}

@test "a standard output that was passed on does not keep the step open" {
	passing stdout
	# What takes it stays; the next step of the giver runs all the same.
	sed -i '/^FROM scratch/,$d' ctx/Dockerfile
	printf '%s\n' 'FROM giver AS next' "RUN echo next-\$((40 + 2))" 'FROM scratch' 'COPY --from=next /passfd /p1' \
		'COPY --from=taker /said /said' >>ctx/Dockerfile
	"$BLD" build --no-cache --jobs 2 --progress=plain ctx >out.log 2>&1 &
	pid=$!
	eventually -t 40 grep -q 'next-42' out.log
	kill "$pid"
	wait "$pid" || true
}

@test "what RUN leaves behind ends, zombies are reaped" {
	facts '(setsid sleep '$NAP' >/dev/null 2>&1 &)
		for i in 1 2 3 4 5; do (sh -c "sleep 0 & exec sleep 0" &) ; done
		i=0; while ps -o stat,args | grep -qE "^Z|[s]leep 0( |\$)" && [ $i -lt 200 ]; do i=$((i+1)); sleep 0.05; done
		ps -o stat,comm | grep -c ^Z'
	has "$facts" '^0$'
	run ! pgrep -f "sleep $NAP"
}

@test "signals and exit codes of a RUN are reported" {
	printf 'FROM localhost/base\nRUN kill -11 $$\n' >ctx/Dockerfile
	fails 1 'signal 11' bld build ctx
	printf 'FROM localhost/base\nRUN exit 77\n' >ctx/Dockerfile
	fails 1 '77' bld build ctx
}

@test "set-user-id programs work, umask is 022, limits are sane" {
	facts 'umask; ulimit -c; ulimit -n; touch /um; stat -c %a /um; cp /bin/busybox /su; chmod 4755 /su; echo "echo uid \$(id -u)" > /s; stat -c %a /su'
	has "$facts" '^0022$'
	has "$facts" '^644$'
	has "$facts" '^4755$'
}

@test "resolv.conf, hosts and hostname: given, not kept" {
	facts 'cat /etc/resolv.conf; echo ---; cat /etc/hosts; echo ---; cat /etc/hostname; hostname'
	has "$facts" 'localhost'
	check_tree docker.io/library/facts <<-'EOF'
		/etc/hosts size=0
		/etc/resolv.conf size=0
		/etc/hostname size=0
		layer -1: /facts
	EOF
}

@test "the name of the host is 127.0.1.1 and not ::1; /dev/shm has 64 MB; in every kind of RUN" {
	command -v getent >/dev/null || skip "no getent"
	mkdir -p ctx/tools
	for f in $(ldd "$(command -v getent)" | grep -o '/[^ )]*') $(find /lib /usr/lib -name 'libnss_files.so*' | head -1); do
		[ -e "ctx/tools$f" ] || install -D "$f" "ctx/tools$f"
	done
	install -D "$(command -v getent)" ctx/tools/bin/getent
	echo 'hosts: files' >ctx/nsswitch.conf
	cat >ctx/Dockerfile <<-'EOF'
		FROM localhost/base
		COPY tools /
		COPY nsswitch.conf /etc/
		RUN { getent hosts bld; getent ahosts bld; hostname -i; df -k /dev/shm | tail -1; } >/host
		RUN --network=none { getent hosts bld; getent ahosts bld; hostname -i; df -k /dev/shm | tail -1; } >/none
		RUN --security=insecure { getent hosts bld; getent ahosts bld; hostname -i; df -k /dev/shm | tail -1; } >/insecure
	EOF
	build --no-cache --allow security.insecure -t facts ctx
	for f in host none insecure; do
		ok bld run facts cat /$f
		has "$output" '^127\.0\.1\.1 +bld$'
		has "$output" '^none +65536 '
		hasnt "$output" '::1'
	done
	ok bld run facts sh -c 'getent hosts bld; df -k /dev/shm | tail -1'
	has "$output" '^127\.0\.1\.1 +bld$'
	has "$output" '^none +65536 '
}

@test "what an image lacks to mount on is none of a layer, whatever a command does to it" {
	printf 'FROM scratch\nCOPY --from=localhost/base /bin /bin\nENV PATH=/bin\nRUN chmod 700 /etc; touch /etc/x; rm /etc/x\n' >ctx/Dockerfile
	build --no-cache -t bare ctx
	run tree docker.io/library/bare
	hasnt "$output" '/etc'
	printf 'RUN echo x >/etc/own\n' >>ctx/Dockerfile
	build --no-cache -t bare ctx
	check_tree docker.io/library/bare <<-'EOF'
		/etc mode=0755
		/etc/own size=2
		layer -1: /etc /etc/own
	EOF
}

@test "locked cache mounts wait, shared ones do not, private ones are apart" {
	printf 'FROM localhost/base\nARG N\nRUN --mount=type=cache,target=/c,sharing=locked [ ! -e /c/busy ] && touch /c/busy && sleep 0.3 && rm /c/busy && echo $N\n' >ctx/Dockerfile
	pids=()
	for i in 1 2 3; do
		"$BLD" build --build-arg N=$i --progress=plain ctx >out.$i 2>&1 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || { cat out.*; false; }; done
}

# without WHAT... : a build as on a kernel that has not WHAT. (Refusals cannot be stacked: in a run
# under refuse this is the plain program.)
without() {
	BLD_LAYER_FORM='' "$BUILD/tools/refuse" "$@" -- "${BLD_PLAIN:-$BLD}" --root "$BLD_ROOT" build --no-cache -t without ctx
}

@test "without fsopen, lowerdir+, volatile or EROFS the same comes out" {
	[ -x "$BUILD/tools/refuse" ] || skip "tests/tools are not built"
	mkdir ctx/d
	echo text >ctx/d/f
	printf 'FROM localhost/base\nCOPY d /d\nRUN cat /d/f; echo more >>/d/f; rm /etc/passwd; mkdir /new\nRUN --mount=type=bind,source=d,target=/b,rw echo gone >/b/f; cat /d/f >/out\n' >ctx/Dockerfile
	export SOURCE_DATE_EPOCH=1700000000
	build --no-cache -t with ctx
	tree docker.io/library/with >"$T/with"
	for what in fsconfig:lowerdir+ fsconfig:volatile fsopen:erofs=ENODEV fsopen:erofs=EPERM \
		create:erofs=EINVAL create:erofs=ENOTBLK fsopen fsopen=EPERM 'fsconfig:lowerdir+ fsconfig:volatile fsopen:erofs'; do
		run without $what
		[ "$status" = 0 ] || { echo "$what: $output"; false; }
		tree docker.io/library/without >"$T/without"
		diff "$T/with" "$T/without" || { echo "$what"; false; }
	done
}

@test "what RUN cannot do without is named" {
	[ -x "$BUILD/tools/refuse" ] || skip "tests/tools are not built"
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	for what in open_tree mount_setattr openat2 close_range; do
		run without "$what"
		[ "$status" != 0 ]
		has "$output" "RUN needs $what: Function not implemented"
		run without "$what=EPERM"
		[ "$status" != 0 ]
		has "$output" "RUN needs $what: Operation not permitted"
		has "$output" privileged
	done
	run without fsopen:overlay
	[ "$status" != 0 ]
	has "$output" 'modprobe overlay'
	# Counted where nobody else mounts.
	export -f without
	run unshare -m --propagation shared bash -c '
		grep -c . /proc/self/mountinfo >mounts
		without create:overlay && exit
		[ "$(grep -c . /proc/self/mountinfo)" -le "$(cat mounts)" ] || echo "left mounted"
		exit 1'
	[ "$status" != 0 ]
	has "$output" 'sandbox: mount the overlay of'
	hasnt "$output" 'left mounted'
}
