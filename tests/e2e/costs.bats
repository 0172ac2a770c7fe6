#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Small inputs that ask for much: memory stays below 256 MiB, time below 10 s for a MB.

load helpers

# cost STATUS REGEX ARG...: build ctx; ends with STATUS, says REGEX, within the limits of memory and
# processor time (generous: what it was before these were counted took many times as much; CPU seconds). With
# DATA: within so many MiB of anonymous memory, room for stacks of threads included.
cost() {
	cat >"$T/cost.py" <<-'EOF'
		import os, resource, subprocess, sys
		data = int(os.environ.get("DATA", 0)) << 20
		def limits():
		    resource.setrlimit(resource.RLIMIT_CPU, (int(os.environ.get("CPU", 20)),) * 2)
		    if data: resource.setrlimit(resource.RLIMIT_DATA, (data, data))
		r = subprocess.run(sys.argv[2:], stdout=open("out", "w"), stderr=open("err", "w"), preexec_fn=limits)
		u = resource.getrusage(resource.RUSAGE_CHILDREN)
		print("status", r.returncode, "peak", u.ru_maxrss // 1024, "MiB, cpu", u.ru_utime + u.ru_stime)
		sys.exit(r.returncode != int(sys.argv[1]) or not data and u.ru_maxrss >= 256 * 1024)
	EOF
	local want=$1 re=$2
	shift 2
	run python3 "$T/cost.py" "$want" "$BLD" build -q "$@" ctx
	[ "$status" = 0 ] || { echo "$output"; tail -c 2000 err; return 1; }
	[ -z "$re" ] || grep -q -- "$re" err || { echo "no /$re/ in:"; tail -c 2000 err; return 1; }
}

setup() {
	common_setup
	if grep -q __asan_init "$BLD"; then skip "a sanitizer takes memory of its own"; fi
}

# lines FORMAT N: FORMAT with 1 to N
lines() { seq 1 "$2" | sed "s|.*|$(sed 's/%d/\&/g' <<<"$1")|"; }
# half a MiB in $A
half() { echo "FROM scratch"; echo "ARG A=xxxxxxxxxxxxxxxx"; yes 'ARG A=$A$A' | head -15; }

@test "all ports, many times, in many lines and in one" {
	{ echo FROM scratch; yes 'EXPOSE 1-65535' | head -2000; } >ctx/Dockerfile
	cost 0 ''
	{ echo FROM scratch; echo EXPOSE $(yes '1-65535' | head -100000); } >ctx/Dockerfile
	cost 0 ''
	{ echo FROM scratch; echo EXPOSE $(seq 65535 -1 1); } >ctx/Dockerfile
	cost 0 ''
}

@test "ARG and ENV that double: counted while they are expanded, in every instruction" {
	local too='become more than 64 MiB of text'
	for line in 'ENV B%d=$A' 'ARG B%d=$A' 'LABEL B%d=$A' 'ENV B=$A' 'VOLUME ${A}%d' 'EXPOSE $A'; do
		{ half; lines "$line" 1000; } >ctx/Dockerfile
		if [ "$line" = 'EXPOSE $A' ]; then
			cost 3 'a port is'
		else
			cost 10 "Dockerfile:[0-9]*:[0-9]*: error: variables of this build $too"
		fi
	done
	{ half; echo ENV $(lines 'B%d=$A' 1000); } >ctx/Dockerfile
	cost 10 "$too"
	{ half; echo COPY $(yes '$A' | head -1000) /x/; } >ctx/Dockerfile
	cost 10 "$too"
	{ half; yes $'COPY <<E /x\n$A\nE' | head -1200; } >ctx/Dockerfile
	cost 10 "$too"
	{ half | sed 1d; lines 'ARG B%d=$A' 1000; echo FROM scratch; } >ctx/Dockerfile
	cost 10 "$too"
	fails 10 "$too" bld build --check ctx
}

@test "stages that continue each other inherit no more than fits" {
	{ echo 'FROM scratch AS s0'; lines 'ARG k%d=v' 8000; seq 1 900 | awk '{ print "FROM s" $1-1 " AS s" $1 }'; } >ctx/Dockerfile
	cost 10 'Dockerfile:[0-9]*:6: error: the stages of this build inherit more than 64 MiB'
	sed -i '$a COPY --from=$k1 a b' ctx/Dockerfile
	cost 10 'inherit more than 64 MiB'
	# what is reasonable is far from it
	{ echo 'FROM scratch AS s0'; lines 'ARG k%d=v' 100; seq 1 400 | awk '{ print "FROM s" $1-1 " AS s" $1 }'; } >ctx/Dockerfile
	cost 0 ''
}

# The base image has a member that bld does not know, of 180,000 objects: 65 MB once it is parsed.
@test "what a base carries that nobody here knows is there once, not once a stage" {
	printf 'FROM scratch\nCMD ["x"]\n' >ctx/Dockerfile
	bld build -q -t plain ctx
	bld save -q --format oci-dir -o l plain
	m=l/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' l/index.json)
	c=l/blobs/sha256/$(jq -r '.config.digest[7:]' "$m")
	jq -c '.vendor = [range(180000) | {}]' "$c" >conf
	d=$(sha256sum <conf | cut -d' ' -f1) && cp conf "l/blobs/sha256/$d"
	jq -c --arg d "sha256:$d" --argjson s "$(stat -c %s conf)" '.config.digest = $d | .config.size = $s' "$m" >manifest
	d=$(sha256sum <manifest | cut -d' ' -f1) && cp manifest "l/blobs/sha256/$d"
	jq -c --arg d "sha256:$d" --argjson s "$(stat -c %s manifest)" '.manifests[0] |= (.digest = $d | .size = $s)' l/index.json >index && cp index l/index.json
	bld load -q -i l
	{ echo FROM plain AS s0; seq 60 | awk '{ printf "FROM s%d AS s%d\nENV A=%d\n", $1 - 1, $1, $1 }'; } >ctx/Dockerfile
	cost 0 '' -t many
	equal "$(config docker.io/library/many | jq '.vendor | length')" 180000
}

@test "many labels, variables and volumes take time in proportion" {
	{ echo FROM scratch; echo LABEL $(lines 'k%d=v' 90000); } >ctx/Dockerfile
	cost 0 ''
	{ echo FROM scratch; echo ENV $(lines 'k%d=v' 90000); } >ctx/Dockerfile
	cost 0 ''
	{ echo FROM scratch; echo ARG $(lines 'k%d=v' 90000); } >ctx/Dockerfile
	cost 0 ''
	{ echo FROM scratch; echo VOLUME $(lines '/v%d' 90000); } >ctx/Dockerfile
	cost 0 ''
	for line in 'LABEL k%d=v' 'ENV k%d=$k' 'ARG k%d=$k' 'VOLUME /v%d' 'HEALTHCHECK CMD a%d'; do
		{ echo FROM scratch; lines "$line" 9000; } >ctx/Dockerfile
		cost 0 '' -t localhost/many
		[ "$(bld inspect localhost/many | jq '.config.history | length')" = 9000 ]
	done
}

@test "what an image cannot have is refused at its line, not written" {
	{ echo FROM scratch; lines 'ONBUILD RUN a%d' 200000 | head -c 1040000 | sed '$d'; } >ctx/Dockerfile
	cost 3 'Dockerfile:10001:1: error: more than 10000 instructions'
	sed -i 9000q ctx/Dockerfile
	cost 10 'Dockerfile:4098:1: error: the image configuration: config.OnBuild: 4097 entries, the limit is 4096'
	{ echo FROM scratch; lines 'LABEL a=%d' 9000; } >ctx/Dockerfile
	cost 0 '' -t localhost/half
	sed -i '1s/.*/FROM localhost\/half/' ctx/Dockerfile
	cost 10 'Dockerfile:7386:1: error: the image configuration: history: 16385 entries, the limit is 16384'
	# as many as one that is built can be built on
	{ echo FROM scratch; lines 'ONBUILD LABEL a=%d' 4096; } >ctx/Dockerfile
	cost 0 '' -t localhost/triggers
	printf 'FROM localhost/triggers\n' >ctx/Dockerfile
	cost 0 ''
}

@test "many --build-arg, deep defaults, many sources, heredocs and long lines" {
	{ echo FROM scratch; lines 'ARG k%d' 3000; } >ctx/Dockerfile
	cost 0 '' $(lines '--build-arg=k%d=v' 3000)
	printf 'FROM scratch\nLABEL a=%s\n' "$(yes '${a:-' | head -50000 | tr -d '\n')x$(yes '}' | head -50000 | tr -d '\n')" >ctx/Dockerfile
	cost 3 'nested deeper than'
	{ echo FROM scratch; echo COPY $(lines 'a%d' 50000) /d/; } >ctx/Dockerfile
	cost 4 'a1: not found'
	{ echo FROM scratch; echo COPY $(lines '<<E%d' 5000) /d/; lines 'E%d' 5000; } >ctx/Dockerfile
	cost 3 'more than 1000 heredocs'
	{ echo FROM scratch; echo "LABEL a=$(head -c 1040000 /dev/zero | tr '\0' x)"; } >ctx/Dockerfile
	cost 0 ''
}

@test "a step that writes for ever: its log is cut and says so, what is shown is not" {
	need_base
	printf 'FROM localhost/base\nRUN yes | head -c 20000000\n' >ctx/Dockerfile
	bld build --progress=plain ctx >shown 2>&1
	[ "$(grep -c 'y$' shown)" -ge 10000000 ]
	equal "$(cat "$BLD_ROOT"/bld/logs/*/1.log | wc -c)" "$(((16 << 20) + 57))"
	bld logs last 1 >log
	equal "$(tail -n 1 log)" '[the log was cut here: the step wrote more than 16 MiB]'
	# one that ends in time is whole
	printf 'FROM localhost/base\nRUN yes | head -c 10000000\n' >ctx/Dockerfile
	bld build -q ctx
	equal "$(bld logs last 1 | wc -c)" 10000000
}

@test "10,000 ignore rules and 2,000 files" {
	printf 'FROM scratch\nCOPY . /\n' >ctx/Dockerfile
	lines 'directory/of/rule%d/*.txt' 5000 >ctx/.dockerignore
	lines 'f%dx' 5000 >>ctx/.dockerignore
	(cd ctx && seq 1 2000 | sed 's/$/y/;s/^/f/' | xargs touch)
	cost 0 ''
	local rule
	for rule in '**/*.e%d' '*.e%d' '**/name%d' '?%dx' '*foo%d*' '**/[a-z]*%d?.txt' '**/f*%d?z' 'a/**/b%d/*.c' '!**/x%d'; do
		lines "$rule" 10000 >ctx/.dockerignore
		cost 0 '' --no-cache
	done
	{ echo '*'; lines '!*.e%d' 9999; } >ctx/.dockerignore
	cost 0 '' --no-cache
	# that hold nothing plain, or what all names hold
	for rule in '*[0-9]*?*[0-9]*?*[0-9]*?*[f-z]*[%dA-M]' '**/?*[%dA-M]' '!*?f*[0-9]*[%dA-M]' '*[^%d]*[0-9]*[^%d]*?A'; do
		lines "$rule" 10000 >ctx/.dockerignore
		CPU=4 cost 0 '' --no-cache
	done
}

@test "300,000 empty files: tables by entry are no anonymous memory" {
	cat >"$T/many.py" <<-'EOF'
		import sys, tarfile
		head = bytearray(tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT))
		head[148:156] = b" " * 8
		total = sum(head)
		with open(sys.argv[1], "wb") as out:
		    for i in range(int(sys.argv[2])):
		        name = b"d%d/f%d" % (i // 1000, i)
		        head[:100] = name.ljust(100, b"\0")
		        head[148:156] = b"%06o\0 " % (total + sum(name))
		        out.write(head)
		    out.write(bytes(1024))
	EOF
	python3 "$T/many.py" ctx/a.tar 300000
	printf '%s\n' 'FROM scratch AS a' 'ADD a.tar /t/' 'FROM scratch' 'COPY --from=a t /u/' 'ADD a.tar /v/' >ctx/Dockerfile
	DATA=110 cost 0 ''
	# a directory for it where none can be had: memory as any other
	TMPDIR=/proc cost 0 '' --no-cache
}
