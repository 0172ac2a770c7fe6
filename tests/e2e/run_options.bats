#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# RUN --security, --timeout, --no-cache and --network beside the options of the command line.

load helpers

setup() {
	common_setup
	need_base
}

@test "security=insecure: all capabilities, no filter, a writable sys, and still namespaces of its own" {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --security=insecure grep -E '^(Cap|Seccomp:)' /proc/self/status > /f; grep -E ' /(sys|proc) ' /proc/mounts >> /f; \
			echo pid $$ >> /f; mkdir /m && mount -t tmpfs none /m && umount /m && echo mounted >> /f; readlink /proc/self/ns/pid >> /f
		RUN grep -E '^(CapEff|Seccomp:)' /proc/self/status > /after
	EOF
	fails 1 "Dockerfile:2:16.*insecure" bld build ctx
	has "$stderr" 'help: .*--allow security.insecure'
	build --allow security.insecure -t x ctx
	bld build --allow security.insecure -o out ctx 2>/dev/null
	f=$(cat out/f)
	own=$(awk '/CapEff/ {print $2}' /proc/self/status)
	has "$f" "CapEff:.*$own"
	has "$f" 'Seccomp:.0'
	has "$f" ' /sys sysfs rw,'
	has "$f" '^pid 1$|^pid [0-9]$'
	has "$f" '^mounted$'
	hasnt "$f" "pid:\[$(readlink /proc/self/ns/pid | tr -dc 0-9)\]"
	has "$(cat out/after)" 'CapEff:.00000000a80425fb'
	has "$(cat out/after)" 'Seccomp:.2'
}

@test "security=insecure does not come from the cache of a sandboxed step" {
	printf 'FROM localhost/base\nRUN grep CapEff /proc/self/status > /f\n' >ctx/Dockerfile
	build ctx
	printf 'FROM localhost/base\nRUN --security=insecure grep CapEff /proc/self/status > /f\n' >ctx/Dockerfile
	build --allow=security.insecure,network.host ctx
	equal "$(cached_steps)" 0
	build --allow security.insecure ctx
	equal "$(cached_steps)" 1
}

@test "allow takes names it knows" {
	dockerfile <<<'FROM scratch'
	fails 2 'allow: "root" is not known' bld build --allow root ctx
}

@test "timeout: the whole tree is killed, the message names time, step and line" {
	# It begins to run out when the command is started: long enough for "begun" on a busy machine.
	dockerfile <<-EOF
		FROM localhost/base
		RUN true
		RUN --timeout=2s (trap '' TERM; setsid sleep $NAP & sleep $NAP) & \\
			trap '' TERM; echo begun; while :; do sleep 1; done
	EOF
	start=$SECONDS
	fails 1 'longer than 2s' bld build --progress=plain ctx
	[ $((SECONDS - start)) -lt 60 ]
	has "$stderr" 'Dockerfile:3:15'
	has "$stderr" '#2 ERROR'
	has "$stderr" '#2 [0-9.]+ begun'
	run ! pgrep -f "sleep $NAP"
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --timeout=1m echo in time
	EOF
	build ctx
	# the time is none of the key
	sed -i s/1m/2m/ ctx/Dockerfile
	build ctx
	equal "$(cached_steps)" 1
}

@test "no-cache: the step and those after it run again, those before do not" {
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN echo a > /a
		RUN --no-cache echo b > /b
		RUN echo c > /c
	EOF
	build ctx
	build ctx
	equal "$(cached_steps)" 1
	sed -i 's/--no-cache/--no-cache=false/' ctx/Dockerfile
	build ctx
	build ctx
	equal "$(cached_steps)" 3
}

@test "--build-arg http_proxy=X sets both spellings, the caller's environment only its own" {
	need_base
	printf 'FROM localhost/base\nENV ftp_proxy=image\nRUN env | grep -i _proxy | sort >/p\n' >ctx/Dockerfile
	build -t x --build-arg http_proxy=a --build-arg HTTPS_PROXY=b --build-arg NO_PROXY=c --build-arg no_proxy=d --build-arg FTP_PROXY=e ctx
	bld build -q -o out ctx --build-arg http_proxy=a --build-arg HTTPS_PROXY=b --build-arg NO_PROXY=c --build-arg no_proxy=d --build-arg FTP_PROXY=e
	equal "$(tr '\n' ' ' <out/p)" 'FTP_PROXY=e HTTPS_PROXY=b HTTP_PROXY=a NO_PROXY=c ftp_proxy=image http_proxy=a https_proxy=b no_proxy=d '
	hasnt "$(config docker.io/library/x)" 'HTTPS?_PROXY'
	# the key knows nothing of them
	build -t x --build-arg http_proxy=other ctx
	equal "$(cached_steps)" 1
	https_proxy=mine bld build -q --no-cache -o out2 ctx
	equal "$(tr '\n' ' ' <out2/p)" 'ftp_proxy=image https_proxy=mine '
}
