#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a RUN that fails says: where, how it ended, and the likely cause.

load helpers

setup() {
	common_setup
	need_base
}

# says STATUS... : the build of ctx fails, and each further argument is found in the message
says() {
	local re
	fails 1 "$1" bld build --progress=plain ${NET:-} ctx
	shift
	for re in "$@"; do has "$stderr" "$re"; done
}

@test "no shell, no program" {
	printf 'FROM scratch\nCOPY Dockerfile /\nRUN echo hello\n' >ctx/Dockerfile
	says 'Dockerfile:3:1: error: RUN could not start "/bin/sh": No such file' 'help: /bin/sh is not in the image: use the exec form'
	printf 'FROM localhost/base\nRUN ["nosuch", "x"]\n' >ctx/Dockerfile
	says 'Dockerfile:2:1.*could not start "nosuch"' 'help: the image has no such program, or it is not in PATH'
	printf 'FROM localhost/base\nSHELL ["/bin/bash", "-c"]\nRUN echo hello\n' >ctx/Dockerfile
	says 'Dockerfile:3:1' '/bin/bash is not in the image'
}

@test "a missing interpreter or loader, line ends of Windows, a text" {
	printf '#!/usr/bin/python9\n' >ctx/script
	printf '#!/bin/sh\r\necho\r\n' >ctx/windows
	printf 'hello\n' >ctx/text
	cp /bin/true ctx/true # Debian's, for a loader that is not in the image
	printf 'FROM localhost/base\nCOPY --chmod=755 script windows text true /x/\nRUN ["/x/script"]\n' >ctx/Dockerfile
	says 'Dockerfile:3' 'help: /x/script needs /usr/bin/python9, which the image does not have'
	sed -i '3s/.*/RUN \/x\/script/' ctx/Dockerfile
	says 'Dockerfile:3.*exit status 12[67]' 'help: /x/script needs /usr/bin/python9'
	sed -i '3s/.*/RUN ["\/x\/windows"]/' ctx/Dockerfile
	says 'Dockerfile:3' 'line ends of Windows'
	sed -i '3s/.*/RUN ["\/x\/text"]/' ctx/Dockerfile
	says 'Dockerfile:3.*Exec format error' 'help: /x/text is neither a program nor a script with a #! line'
	sed -i '3s/.*/RUN ["\/x\/true"]/' ctx/Dockerfile
	says 'Dockerfile:3' 'help: /x/true needs /lib64/ld-linux-x86-64.so.2, which the image does not have \(it is built for glibc\)'
	printf 'FROM localhost/base\nRUN <<EOF\n#!/usr/bin/python9\nEOF\n' >ctx/Dockerfile
	says 'Dockerfile:2' 'help: /usr/bin/python9 of its #! line is not in the image'
}

@test "another architecture" {
	python3 - <<-'P'
		b = bytearray(open("/bin/true", "rb").read())
		b[18:20] = (183 if b[18] != 183 else 62).to_bytes(2, "little")
		open("ctx/foreign", "wb").write(b)
	P
	printf 'FROM localhost/base\nCOPY --chmod=755 foreign /bin/foreign\nRUN ["foreign"]\n' >ctx/Dockerfile
	says 'Dockerfile:3.*could not start "foreign"' 'help: .*/foreign is built for arm64, this machine is amd64'
	sed -i '3s/.*/RUN set -e; foreign/' ctx/Dockerfile
	fails 1 'Dockerfile:3' bld build ctx
	printf 'FROM localhost/base\nCOPY --chmod=755 foreign /bin/sh2\nSHELL ["/bin/sh2", "-c"]\nRUN true\n' >ctx/Dockerfile
	says 'Dockerfile:4' '/bin/sh2 is built for arm64'
}

@test "not found and not executable, by a shell: the line of a heredoc" {
	cat >ctx/Dockerfile <<-'EOF'
		FROM localhost/base
		RUN <<END
		echo one
		  nosuch --flag
		END
	EOF
	says 'Dockerfile:4:3: error: RUN failed with exit status 127; the shell says of this line: nosuch: not found' \
		'\^~+' 'help: "nosuch" is in no directory of PATH'
	# twice: nobody knows which
	cat >ctx/Dockerfile <<-'EOF'
		FROM localhost/base
		RUN <<END
		nosuch && true
		nosuch
		END
	EOF
	says 'Dockerfile:2:1: error: RUN failed with exit status 127$'
	# another status: the message of the shell is not the reason
	cat >ctx/Dockerfile <<-'EOF'
		FROM localhost/base
		RUN <<END
		nosuch
		exit 3
		END
	EOF
	says 'Dockerfile:2:1: error: RUN failed with exit status 3$'
	cat >ctx/Dockerfile <<-'EOF'
		FROM localhost/base
		RUN <<-END
			#!/bin/sh -e
			true
			/etc/passwd
		END
	EOF
	says 'Dockerfile:5:1: error: RUN failed with exit status 126; .*Permission denied' 'help: '
	cat >ctx/Dockerfile <<-'EOF'
		FROM localhost/base
		RUN <<END
		set -e
		true
		false
		END
	EOF
	says 'Dockerfile:2:1: error: RUN failed with exit status 1$'
}

@test "signals and statuses" {
	printf 'FROM localhost/base\nRUN kill -SEGV $$\n' >ctx/Dockerfile
	says 'Dockerfile:2:1: error: RUN was killed by signal 11'
	printf 'FROM localhost/base\nRUN sh -c '"'kill -SEGV \$\$'"'; exit $?\n' >ctx/Dockerfile
	says 'exit status 139' 'help: 139 is 128 \+ 11: .* killed by SIGSEGV'
	printf 'FROM localhost/base\nRUN sh -c '"'kill -9 \$\$'"'; exit $?\n' >ctx/Dockerfile
	says 'exit status 137' 'help: 137 is 128 \+ 9'
	printf 'FROM localhost/base\nRUN exit 42\n' >ctx/Dockerfile
	says 'Dockerfile:2:1: error: RUN failed with exit status 42$'
	hasnt "$stderr" 'help:'
}

@test "no network, given files, a full file system" {
	printf 'FROM localhost/base\nRUN --network=none echo "curl: (6) Could not resolve host: x" >&2; exit 6\n' >ctx/Dockerfile
	says 'exit status 6' 'help: this RUN has no network: it has --network=none'
	printf 'FROM localhost/base\nRUN wget http://x.invalid/ 2>&1 || { echo bad address; exit 1; }\n' >ctx/Dockerfile
	NET=--network=none says 'exit status 1' 'help: this RUN has no network: bld was called with --network=none'
	printf 'FROM localhost/base\nRUN echo "Could not resolve host"; exit 6\n' >ctx/Dockerfile
	says 'exit status 6'
	hasnt "$stderr" 'no network'
	printf 'FROM localhost/base\nRUN echo nameserver 1.2.3.4 > /etc/resolv.conf\n' >ctx/Dockerfile
	says 'exit status' 'help: /etc/resolv.conf, hosts and hostname are given by bld'
	printf 'FROM localhost/base\nRUN --mount=type=tmpfs,target=/t,size=64k dd if=/dev/zero of=/t/f bs=64k count=9\n' >ctx/Dockerfile
	says 'exit status 1' 'help: a file system is full'
}

@test "an unknown user, a base without any" {
	printf 'FROM localhost/base\nUSER nosuch\nRUN true\n' >ctx/Dockerfile
	fails 1 'Dockerfile:3.*|nosuch' bld build ctx
	has "$stderr" 'Dockerfile:3:1.*nosuch'
}

@test "what fails before the command starts has the line, too" {
	printf 'FROM localhost/base\nRUN --mount=type=cache,target=/etc/passwd true\n' >ctx/Dockerfile
	says 'Dockerfile:2:5: error: /etc/passwd is not a directory'

}
