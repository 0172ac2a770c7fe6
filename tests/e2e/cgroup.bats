#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The control group of a build: device nodes and the number of processes. Kernels and containers
# differ in what can be had; each test asks `bld info` first and skips with what it says.

load helpers

setup() {
	common_setup
	need_base
	info=$(bld info)
}

need_devices() {
	local line
	line=$(grep '^device nodes in RUN:' <<<"$info")
	case $line in *': yes'*) ;; *) skip "$line" ;; esac
}

nodes() {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN mkdir -p /rootfs/dev && mknod /rootfs/dev/null c 1 3 && mknod /rootfs/dev/disk b 254 0 && \
			mknod -m 666 /rootfs/dev/kmsg c 1 11 && echo x >/rootfs/dev/null && echo written >/what
		RUN for n in null disk kmsg; do (exec 3</rootfs/dev/$n) 2>/dev/null && echo $n opens; done >/after; mknod /tmp/mem c 1 1; \
			(exec 3</tmp/mem) 2>/dev/null && echo mem opens >>/after; true
	EOF
}

@test "a device node of a root file system that RUN makes can be used; no dangerous one opens" {
	need_devices
	nodes
	build --no-cache -t nodes ctx
	ok bld run nodes cat /what /after
	equal "$output" "$(printf 'written\nnull opens')"
	# and in bld run
	ok bld run nodes sh -c 'echo x >/rootfs/dev/null && mknod /n c 1 5 && head -c 1 /n | wc -c; (exec 3</rootfs/dev/disk) || echo refused'
	equal "$output" "$(printf '1\nrefused')"
}

@test "device nodes also in mounts, and an insecure RUN opens any" {
	need_devices
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=tmpfs,target=/t --mount=type=cache,target=/c --mount=type=bind,rw,target=/b \
			for d in /t /c /b; do mknod $d/null c 1 3 && echo x >$d/null && mknod $d/mem c 1 1 && \
			! (exec 3<$d/mem) 2>/dev/null && rm $d/null $d/mem && echo $d; done >/what
		RUN --security=insecure mknod /kmsg c 1 11 && (exec 3</kmsg) && echo kmsg >>/what
	EOF
	build --no-cache --allow security.insecure -t nodes ctx
	ok bld run nodes cat /what
	equal "$output" "$(printf '/t\n/c\n/b\nkmsg')"
}

@test "with a BPF program of version 2 as with the lists of version 1" {
	command -v "$BUILD/tools/refuse" >/dev/null || skip "tools are not built"
	info=$("$BUILD/tools/refuse" fsopen:cgroup -- "$BLD" info)
	need_devices
	has "$info" '^device nodes in RUN: yes \(control group, version 2\)'
	nodes
	ok "$BUILD/tools/refuse" fsopen:cgroup -- "$BLD" build --no-cache -t nodes ctx
	ok bld run nodes cat /what /after
	equal "$output" "$(printf 'written\nnull opens')"
}

@test "without a device control group nodes can be made and not opened, and bld info says so" {
	ok "$BUILD/tools/refuse" fsopen:cgroup fsopen:cgroup2 -- "$BLD" info
	has "$output" '^device nodes in RUN: no \(.*\): they can be made, not opened'
	has "$output" '^limit of [0-9]+ processes: no \('
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=tmpfs,target=/t --mount=type=cache,target=/c for d in / /tmp/ /dev/ /dev/shm/ /t/ /c/; do \
			for n in 'c 1 3' 'b 254 0' 'c 1 1'; do mknod ${d}n $n && { (exec 3<${d}n) 2>/dev/null && echo $d $n opens; }; rm ${d}n; done; done >/what; \
			echo x >/dev/null && head -c 1 /dev/zero | wc -c >>/what
	EOF
	ok "$BUILD/tools/refuse" fsopen:cgroup fsopen:cgroup2 -- "$BLD" build --no-cache -t nodes ctx
	ok bld run nodes cat /what
	equal "$output" 1
}

# hold [BUILD ARGUMENT...]: a build whose RUN prints READY and waits for a line in $go
hold() {
	background build "$BLD" build --no-cache --progress=plain "$@" ctx
	pid=${STARTED[-1]}
	wait_text "$T/build.log" '[0-9] READY' || return
	go=$(echo "$BLD_ROOT"/bld/mounts/*/go)
	# the groups' names, one of each hierarchy, from the process that sandboxes are cloned from
	groups=$(cat /proc/"$pid"/task/*/children | tr ' ' '\n' | while read -r p; do
		grep -hE '/bld\.[0-9a-f]{16}' "/proc/$p/cgroup" 2>/dev/null; done | sort -u)
}
holding() { # holding COMMAND
	dockerfile <<-EOF
		FROM localhost/base
		RUN --mount=type=cache,target=/talk rm -f /talk/go; mkfifo /talk/go; echo READY; read x </talk/go; $1
	EOF
}

@test "the group of a killed build is gone when the next one has run" {
	need_devices
	holding true
	hold
	has "$groups" '/bld\.'
	kill -KILL "$pid"
	wait "$pid" || true
	STARTED=()
	[ -n "$(find /sys/fs/cgroup -maxdepth 12 -type d -name "$(grep -oE 'bld\.[0-9a-f]+' <<<"$groups" | head -1)")" ] ||
		skip "the control groups are not mounted below /sys/fs/cgroup"
	printf 'FROM localhost/base\nRUN true\n' >ctx/Dockerfile
	build --no-cache ctx
	for g in $(grep -oE 'bld\.[0-9a-f]+' <<<"$groups" | sort -u); do
		equal "$(find /sys/fs/cgroup -maxdepth 12 -type d -name "$g")" ''
	done
}

@test "a RUN cannot reach its control group" {
	need_devices
	holding 'find /sys/fs/cgroup -type f | while read -r f; do (echo 0 >"$f") 2>/dev/null && echo "writes $f"; done; \
		mkdir -p /m; mount -t cgroup -o devices none /m && echo MOUNTED; mount -t cgroup2 none /m && echo MOUNTED; \
		mkdir /sys/fs/cgroup/x && echo MADE; mknod /mem c 1 1; (exec 3</mem) && echo OPENED; \
		grep -E "devices|pids|^0:" /proc/self/cgroup'
	hold
	# all of its processes are in it
	kids=$(cat /proc/"$pid"/task/*/children)
	for p in $kids; do equal "$(grep -E '/bld\.' "/proc/$p/cgroup" | sort -u)" "$groups"; done
	echo x >"$go"
	wait_text "$T/build.log" '^image|ERROR'
	hasnt "$(grep '^#' "$T/build.log" | grep -v 'RUN --mount')" 'writes|MOUNTED|MADE|OPENED|ERROR|bld\.'
}

@test "a fork bomb: the step fails and says why" {
	line=$(grep '^limit of ' <<<"$info")
	case $line in *': yes'*) ;; *) skip "$line" ;; esac
	holding 'while :; do sleep 1000 \& done'
	sed -i 's/\\&/\&/' ctx/Dockerfile
	hold
	group=$(grep -E ':([^:]*,)?pids(,[^:]*)?:|^0::' <<<"$groups" | grep -oE 'bld\.[0-9a-f]+' | tail -1)
	max=$(find /sys/fs/cgroup -maxdepth 12 -path "*/$group/pids.max")
	[ -n "$max" ] || skip "the control groups are not mounted below /sys/fs/cgroup"
	equal "$(cat "$max")" 4096
	echo 40 >"$max" # so many are enough for a test
	echo x >"$go"
	wait_text "$T/build.log" 'error: RUN failed'
	has "$(cat "$T/build.log")" 'error: RUN failed with exit status 2: the steps of this build had 4096 processes, which is the limit'
	has "$(cat "$T/build.log")" 'help: .*copies of itself'
	# a failure after it that has another reason says nothing of it
	printf 'FROM localhost/base\nRUN exit 3\n' >ctx/Dockerfile
	fails 1 'exit status 3$' bld build --no-cache ctx
	hasnt "$stderr" 'processes'
}

# joining ERROR COMMAND...: the call by which the process that makes sandboxes goes into its groups fails
joining() {
	local error=$1 n
	shift
	for ((n = 1; n < 60; n++)); do
		run --separate-stderr "${only[@]}" "$BUILD/tools/inject" -c "$call" -n "$n" -e "$error" -o told -- "$@"
		if grep -q "$joins" told; then return 0; fi
		[ -s told ] || break
	done
	echo "no control group is joined by $call"
	return 1
}

# as_version V: version 1 writes "0" to tasks; version 2 has clone3() with CLONE_INTO_CGROUP.
as_version() {
	[ -x "$BUILD/tools/inject" ] && [ -x "$BUILD/tools/refuse" ] || skip "tools are not built"
	only=() call=write joins=/tasks
	if [ "$1" = 2 ]; then
		only=("$BUILD/tools/refuse" fsopen:cgroup --) call=clone3 joins='flags 0x2........$'
		info=$("${only[@]}" "$BLD" info)
	fi
	need_devices
	has "$info" "^device nodes in RUN: yes .*version $1" || skip "no version $1 here"
}

fails_unjoined() {
	as_version "$1"
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN true
	EOF
	for error in ENOMEM EIO EINTR; do
		joining "$error" "$BLD" build -q --no-cache -t joined ctx
		[ "$status" -ne 0 ]
		has "$stderr" 'error: .*(into its control group|the process that makes sandboxes): '
	done
}

says_refused() {
	as_version "$1"
	joining EACCES "$BLD" info
	[ "$status" = 0 ]
	has "$output" '^device nodes in RUN: no \(a process could not be moved into it\)'
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN mknod /tmp/null c 1 3; (exec 3</tmp/null) 2>/dev/null && echo opens >/what; echo end >>/what
	EOF
	joining EACCES "$BLD" build -q --no-cache -t refused ctx
	[ "$status" = 0 ]
	ok bld run refused cat /what
	equal "$output" end
}

@test "a control group (version 1) that cannot be joined now: no command runs without its limits" {
	fails_unjoined 1
}

@test "a control group (version 2) that cannot be joined now: no command runs without its limits" {
	fails_unjoined 2
}

@test "a control group (version 1) that refuses every process is none, and bld info says so" {
	says_refused 1
}

@test "a control group (version 2) that refuses every process is none, and bld info says so" {
	says_refused 2
}
