#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Complete logs of steps in the store, and progress for programs.

load helpers

failing() {
	cat >ctx/Dockerfile <<'EOF'
FROM localhost/base AS a
RUN echo first; echo second >&2
FROM a
RUN seq 1 20000; printf 'no newline \033[31mred\001'; exit 3
EOF
}

@test "bld logs: a list, the last failed one, a step byte for byte, never clipped" {
	need_base
	ok bld logs
	equal "${#lines[@]}" 1
	failing
	fails 1 'note: complete output of the step: bld logs [0-9-]+ 2$' bld build --progress=quiet -t localhost/f ctx
	id=$(grep -oE 'bld logs [0-9-]+' <<<"$stderr" | cut -d' ' -f3)
	{ seq 1 20000; printf 'no newline \033[31mred\001'; } >want
	bld logs "$id" 2 >got
	cmp want got
	bld logs "${id:0:20}" 1 >got
	equal "$(sort got | tr '\n' ' ')" "first second "
	ok bld logs
	has "$output" "^$id +failed +2 +localhost/f$"
	ok bld logs failed
	has "$output" '^#2 .*RUN seq'
	hasnt "$output" '^#1 '
	has "$output" '^19999$'
	has "$output" 'exit status 3'
	ok bld logs last
	has "$output" '^#1 \[a 1/2\] RUN echo first'
	has "$output" '^#1 done [0-9.]+s'
	# A build of which everything is cached leaves nothing; one that goes well does.
	printf 'FROM localhost/base AS a\nRUN echo first; echo second >&2\n' >ctx/Dockerfile
	build ctx
	ok bld logs
	equal "${#lines[@]}" 2
	echo 'RUN echo third' >>ctx/Dockerfile
	build ctx
	ok bld logs last 2
	equal "$output" third
	ok bld logs last
	has "$output" '^#2 \[2/2\] RUN echo third'
	ok bld logs
	has "${lines[1]}" ' done '
	fails 4 'no log of a build' bld logs 19990101-000000-1
	fails 4 'wrote nothing' bld logs last 9
	fails 2 'not the number' bld logs last x
	# On a terminal nothing of it acts.
	out=$(script -qec "'$BLD' logs $id 2" /dev/null </dev/null | tail -c 40)
	has "$out" 'x1b'
}

@test "logs are few, pruned, and a killed build's is readable" {
	need_base
	printf 'FROM localhost/base\nRUN echo begun; sleep %s\n' $NAP >ctx/Dockerfile
	"$BLD" build ctx >/dev/null 2>&1 &
	pid=$!
	begun() { [ "$(bld logs last 1 2>/dev/null)" = begun ]; }
	eventually begun
	has "$(bld logs)" ' running '
	kill -9 "$pid" && wait "$pid" 2>/dev/null || true
	# Its sandbox goes with it, a moment later.
	ended() { [[ $(bld logs) != *' running '* ]]; }
	eventually ended
	has "$(bld logs)" ' interrupted '
	equal "$(bld logs last 1)" begun
	for n in {1..55}; do mkdir "$BLD_ROOT/bld/logs/20200101-000000-$n"; done
	printf 'FROM localhost/base\nRUN echo x\n' >ctx/Dockerfile
	build ctx
	equal "$(ls "$BLD_ROOT/bld/logs" | wc -l)" 50
	equal "$(bld logs last 1)" x
	ok bld prune --keep-time 1h
	equal "$(bld logs last 1)" x
	ok bld prune
	ok bld logs
	equal "${#lines[@]}" 1
}

@test "prune keeps the logs of builds that failed; --all and --keep-time do not" {
	need_base
	failing
	fails 1 . bld build ctx
	printf 'FROM localhost/base\nRUN echo well\n' >ctx/Dockerfile
	build ctx
	ok bld logs
	equal "${#lines[@]}" 3
	ok bld prune
	ok bld logs
	equal "${#lines[@]}" 2
	has "${lines[1]}" ' failed '
	ok bld logs failed
	has "$output" '^19999$'
	touch -d '2 hours ago' "$BLD_ROOT"/bld/logs/*
	ok bld prune --keep-time 1h
	ok bld logs
	equal "${#lines[@]}" 1
	printf 'FROM localhost/base\nRUN false\n' >ctx/Dockerfile
	fails 1 . bld build ctx
	ok bld prune --all
	ok bld logs
	equal "${#lines[@]}" 1
}

@test "rawjson: vertexes, logs, statuses and warnings as BuildKit has them" {
	need_base
	start_registry
	failing
	printf 'ARG unused\n' >>ctx/Dockerfile
	run --separate-stderr bld build --progress=rawjson --build-arg nobody=1 ctx
	equal "$status" 1
	grep '^{' <<<"$stderr" >raw
	jq -e . raw >/dev/null
	jq -se '[.[] | keys[]] | unique | . - ["vertexes", "logs", "statuses", "warnings"] == []' raw
	# Every vertex begins; all but none end; the failed one says why.
	jq -se '[.[].vertexes[]?] | (map(select(.completed == null)) | length) == 2 and
		all(.[]; (.digest | test("^sha256:[0-9a-f]{64}$")) and (.started | test("^[0-9]{4}-.*T.*\\.[0-9]{3}Z$"))) and
		(map(select(.error != null)) | length == 1 and .[0].error == "RUN failed with exit status 3" and (.[0].name | startswith("[1 2/3] RUN seq")))' raw ||
		{ cat raw | grep -v logs; false; }
	jq -rj '.logs[]? | select(.stream == 1) | .data' raw >/dev/null
	python3 - <<'EOF'
import json, base64
out = {}
for line in open('raw'):
    for l in json.loads(line).get('logs', []):
        out.setdefault(l['vertex'], b'') 
        out[l['vertex']] += base64.b64decode(l['data'])
long = max(out.values(), key=len)
assert long == b''.join(b'%d\n' % i for i in range(1, 20001)) + b'no newline \x1b[31mred\x01', long[-40:]
EOF
	# Cached steps, inputs, transfers.
	printf 'FROM localhost/base\nRUN echo 1\nRUN echo 2\n' >ctx/Dockerfile
	build ctx
	run --separate-stderr bld build --progress=rawjson -t "$REG/x" --push --build-arg nobody=1 ctx
	equal "$status" 0
	grep '^{' <<<"$stderr" >raw
	jq -se '[.[].vertexes[]? | select(.cached)] | length == 2 and .[1].inputs == [.[0].digest]' raw
	jq -se '[.[].statuses[]?] | length > 0 and all(.[]; .vertex != null and .id != "")' raw
	equal "$(jq -r '.warnings[]?.short' raw | base64 -d)" "--build-arg nobody: no ARG of that name was used"
	has "$output" '^pushed'
}

@test "progress none and quiet" {
	need_base
	failing
	run --separate-stderr bld build --progress=none ctx
	equal "$status" 1
	hasnt "$stderr" '^(19999|#)'
	has "$stderr" 'exit status 3'
	printf 'FROM localhost/base\n' >ctx/Dockerfile
	run --separate-stderr bld build --progress=none ctx
	equal "$stderr" ''
	has "$output" '^image'
}
