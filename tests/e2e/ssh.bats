#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# RUN --mount=type=ssh and --ssh.

load helpers

setup() {
	common_setup
	need_base
	command -v ssh-agent >/dev/null || skip "no ssh-agent"
	ssh-keygen -q -t ed25519 -N '' -C one@test -f "$T/one"
	ssh-keygen -q -t ed25519 -N '' -C two@test -f "$T/two"
	ssh-keygen -q -t ed25519 -N 'a passphrase' -C three@test -f "$T/locked"
	unset SSH_AUTH_SOCK
	printf 'FROM localhost/base\nRUN --mount=type=ssh true\n' >ctx/Dockerfile
}
teardown() {
	[ -z "${AGENT:-}" ] || kill "$AGENT"
	common_teardown
}

# agent: one of the caller's, with key one
agent() {
	ssh-agent -D -a "$T/agent.sock" >/dev/null 3>&- 4>&- &
	AGENT=$!
	eventually test -S "$T/agent.sock"
	SSH_AUTH_SOCK=$T/agent.sock ssh-add -q "$T/one"
}

# client: ctx/ask sends the bytes given in hexadecimal to $SSH_AUTH_SOCK and prints the answer likewise
client() {
	cat >ask.c <<-'C'
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/socket.h>
		#include <sys/time.h>
		#include <sys/un.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			struct sockaddr_un to = {.sun_family = AF_UNIX};
			struct timeval second = {.tv_sec = 1};
			unsigned char b[65536];
			int fd = socket(AF_UNIX, SOCK_STREAM, 0);
			size_t n = 0;
			strcpy(to.sun_path, getenv("SSH_AUTH_SOCK"));
			if (argc < 2 || connect(fd, (void *)&to, sizeof to) < 0) {
				perror("connect");
				return 1;
			}
			for (char *p = argv[1]; *p; p += 2)
				sscanf(p, "%2hhx", &b[n++]);
			send(fd, b, n, MSG_NOSIGNAL);
			memset(b, 0, sizeof b);
			for (int zeros = argc > 2 ? atoi(argv[2]) : 0; zeros > 0; zeros -= (int)n) {
				n = (size_t)zeros < sizeof b ? (size_t)zeros : sizeof b;
				send(fd, b, n, MSG_NOSIGNAL);
			}
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
			printf("answer=");
			for (ssize_t r = read(fd, b, sizeof b); r > 0; r = 0)
				for (ssize_t i = 0; i < r; i++)
					printf("%02x", b[i]);
			printf("\n");
			return 0;
		}
	C
	cc -static -o ctx/ask ask.c 2>/dev/null
}

# ask REQUEST-IN-HEXADECIMAL [ZEROS-BEHIND-IT]: a RUN that prints the answer
ask() {
	[ -e ctx/ask ] || client
	printf 'FROM localhost/base\nRUN --no-cache --mount=target=/ctx --mount=type=ssh /ctx/ask %s\n' "$*" >ctx/Dockerfile
}

@test "the socket: mode, owner, place, gone from the layer" {
	agent
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=ssh stat -c '%F %a %u:%g' $SSH_AUTH_SOCK > /1; echo $SSH_AUTH_SOCK >> /1
		RUN --mount=type=ssh,id=other,target=/tmp/x,mode=0640,uid=1000,gid=50 stat -c '%F %a %u:%g' /tmp/x > /2; echo $SSH_AUTH_SOCK >> /2
		RUN --mount=type=ssh,id=none echo "[$SSH_AUTH_SOCK]" > /3; test ! -e $SSH_AUTH_SOCK
		RUN --mount=type=ssh,id=other --mount=type=ssh ls /run/buildkit > /4
		ENV SSH_AUTH_SOCK=/mine
		RUN --mount=type=ssh echo $SSH_AUTH_SOCK > /5
	EOF
	SSH_AUTH_SOCK=$T/agent.sock build --ssh default --ssh "other=$T/agent.sock" -t x -o out ctx
	equal "$(cat out/1)" $'socket 600 0:0\n/run/buildkit/ssh_agent.0'
	equal "$(cat out/2)" $'socket 640 1000:50\n/tmp/x'
	equal "$(cat out/3)" '[/run/buildkit/ssh_agent.0]'
	equal "$(cat out/4)" $'ssh_agent.0\nssh_agent.1'
	equal "$(cat out/5)" /mine
	[ ! -e out/run/buildkit ] && [ ! -e out/tmp/x ]
}

@test "requests: keys are listed, everything else but signing is refused" {
	agent
	ask 000000010b
	build --ssh "default=$T/agent.sock" ctx
	has "$log" "answer=[0-9a-f]{8}0c00000001.*$(printf one@test | od -An -tx1 | tr -d ' \n')"
	# remove all keys, lock, add: failure, and the key is still there
	for request in 0000000113 000000051600000000 000000051100000000 000000011b 00000000; do
		ask "$request"
		build --ssh "default=$T/agent.sock" ctx
		has "$log" 'answer=0000000105$'
	done
	has "$(SSH_AUTH_SOCK=$T/agent.sock ssh-add -l)" one@test
	# a message that is too long ends the connection
	ask 7f0000000b
	build --ssh "default=$T/agent.sock" ctx
	has "$log" 'answer=$'
}

@test "key files: an agent of bld's own, with these keys, for the build alone" {
	chmod 644 one
	ask 000000010b
	build --ssh "default=$T/one,$T/two" ctx
	has "$log" "answer=[0-9a-f]{8}0c00000002.*$(printf one@test | od -An -tx1 | tr -d ' \n').*$(printf two@test | od -An -tx1 | tr -d ' \n')"
	run ! pgrep -f "ssh-agent -D -s -a agent"
	run ! grep -rlF 'PRIVATE KEY' "$BLD_ROOT"
}

@test "an agent of bld's own dies with it" {
	dockerfile <<-EOF
		FROM localhost/base
		RUN --mount=type=ssh touch /c; echo begun; sleep $NAP
	EOF
	"$BLD" build --progress=plain --ssh "default=$T/one" ctx >log 2>&1 3>&- 4>&- &
	pid=$!
	wait_text log begun
	pgrep -P $pid ssh-agent >agents
	kill -9 $pid
	wait $pid || true
	ended() { ! kill -0 "$(cat agents)" 2>/dev/null; }
	eventually ended
	bld images >/dev/null
	dockerfile <<<'FROM scratch'
	bld build ctx 2>/dev/null
}

@test "an agent that neither answers nor reads does not hold the build" {
	python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(5)
time.sleep(60)' "$T/agent.sock" 3>&- 4>&- &
	AGENT=$!
	eventually test -S "$T/agent.sock"
	# 256 KiB to sign: more than the socket takes
	ask 000400000d 262143
	run timeout -k 1 20 "$BLD" build --progress=plain --ssh "default=$T/agent.sock" ctx
	[ "$status" = 0 ]
	has "$output" 'answer=$'
}

@test "mistakes" {
	fails 2 'SSH_AUTH_SOCK is not set' bld build --ssh default ctx
	fails 2 'not ID or ID=SOCKET' bld build --ssh =x ctx
	fails 4 'default.*missing: No such file' bld build --ssh default=missing ctx
	fails 4 'ssh-add does not take the key .*locked' bld build --ssh "default=$T/locked" ctx
	has "$stderr" 'passphrase'
	echo 'no key' >bad
	fails 4 'ssh-add does not take the key bad' bld build --ssh default=bad ctx
	mkdir bin
	fails 1 'needs ssh-agent, which is not here' env PATH="$T/bin" "$BLD" build --ssh default=one ctx
	printf 'FROM localhost/base\nRUN true\nRUN --mount=type=ssh,required=true,id=k true\n' >ctx/Dockerfile
	fails 1 'Dockerfile:3:5.*no ssh agent "k" was given' bld build ctx
	has "$stderr" 'help: .*--ssh'
	# who listens there went away: the client sees the end of its connection
	ask 000000010b
	agent
	kill "$AGENT"
	wait "$AGENT" || true
	AGENT=
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/dead.sock"
	build --ssh "default=$T/dead.sock" ctx
	has "$log" 'answer=$'
}

@test "the id is of the key, the agent is not" {
	agent
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN --mount=type=ssh true
	EOF
	build --ssh "default=$T/agent.sock" ctx
	build ctx
	equal "$(cached_steps)" 1
	sed -i 's/type=ssh/type=ssh,id=b/' ctx/Dockerfile
	build ctx
	equal "$(cached_steps)" 0
}
