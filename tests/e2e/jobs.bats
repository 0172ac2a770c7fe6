#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Stages side by side, and work that goes on behind a step: what is built may not depend on it.

load helpers

now_ms() { date +%s%3N; }

many_stages() {
	dockerfile <<-'EOF'
		FROM localhost/base AS a
		RUN echo a > /a; mkdir /d; echo x > /d/x
		RUN adduser -D bob 2>/dev/null || echo 'bob:x:1234:1234::/home/bob:/bin/sh' >> /etc/passwd
		FROM a AS b
		RUN cat /a > /b; rm -r /d
		FROM localhost/base AS c
		COPY f /f
		RUN tr a-z A-Z < /f > /c
		FROM localhost/base AS d
		RUN --mount=from=c,target=/m cat /m/c > /d
		FROM scratch AS unused
		COPY f /f
		FROM b
		COPY --from=c /c /c
		COPY --from=d /d /dd
		COPY --from=c /c /f /both/
		RUN cat /b /c /dd > /all
	EOF
	echo text >"$T/ctx/f"
}

@test "the result does not depend on the number of jobs" {
	need_base
	many_stages
	for n in 1 2 6; do
		build --no-cache --jobs $n --timestamp 1 -t j$n ctx
		hasnt "$log" 'unused'
		[ "$(grep -c 'DONE' <<<"$log")" = 10 ]
	done
	equal "$(digest docker.io/library/j1)" "$(digest docker.io/library/j2)"
	equal "$(digest docker.io/library/j1)" "$(digest docker.io/library/j6)"
	build --jobs 3 --timestamp 1 -t again ctx
	equal "$(digest docker.io/library/j1)" "$(digest docker.io/library/again)"
	equal "$(cached_steps)" 10
	ok bld verify
}

@test "numbers of steps follow the file, not the clock" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base AS slow
		RUN --mount=type=cache,target=/c until [ -e /c/fast ]; do sleep 0.05; done; echo slow
		FROM localhost/base AS fast
		RUN --mount=type=cache,target=/c echo fast > /f; touch /c/fast
		FROM slow
		COPY --from=fast /f /f
	EOF
	build --jobs 2 ctx
	has "$log" '^#1 \[slow 1/3\] RUN .* echo slow'
	has "$log" '^#2 \[fast 2/3\] RUN .* echo fast'
	has "$log" '^#3 \[2 3/3\] COPY'
}

@test "independent stages run side by side, --jobs 1 one after the other" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN --mount=type=cache,target=/c touch /c/one; i=0; until [ -e /c/two ]; do i=$((i+1)); [ $i -lt 300 ] || exit 9; sleep 0.05; done; touch /1
		FROM localhost/base AS two
		RUN --mount=type=cache,target=/c touch /c/two; i=0; until [ -e /c/one ]; do i=$((i+1)); [ $i -lt 300 ] || exit 9; sleep 0.05; done; touch /2
		FROM scratch
		COPY --from=one /1 /
		COPY --from=two /2 /
	EOF
	build --jobs 2 ctx
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN --mount=type=cache,target=/k touch /k/one; sleep 0.3; [ ! -e /k/two ]; touch /1
		FROM localhost/base AS two
		RUN --mount=type=cache,target=/k [ -e /k/one ]; touch /k/two /2
		FROM scratch
		COPY --from=one /1 /
		COPY --from=two /2 /
	EOF
	build --jobs 1 ctx
}

@test "a failure ends the other stages, which are not called failures" {
	need_base
	dockerfile <<-EOF
		FROM localhost/base AS sleeper
		RUN --mount=type=cache,target=/c trap '' TERM; touch /c/asleep; sleep $NAP
		FROM localhost/base AS bad
		RUN --mount=type=cache,target=/c until [ -e /c/asleep ]; do sleep 0.05; done; echo going; exit 7
		FROM scratch
		COPY --from=sleeper /a /
		COPY --from=bad /a /
	EOF
	local began
	began=$(now_ms)
	fails 1 'Dockerfile:4:.*RUN failed with exit status 7' bld build --progress=plain --jobs 2 ctx
	[ $(($(now_ms) - began)) -lt 60000 ]
	has "$stderr" '^#2 ERROR: RUN failed with exit status 7'
	has "$stderr" '^#1 ENDED'
	hasnt "$stderr" '^#1 ERROR'
	run ! pgrep -f "sleep $NAP"
	ok bld verify
}

@test "of failures that do not know of each other the first in the file is told" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN --mount=type=cache,target=/c touch /c/one; until [ -e /c/two ]; do sleep 0.02; done; exit 3
		FROM nothing-of-that-name.invalid/x AS two
		RUN touch /c/two
		FROM scratch
		COPY --from=one /1 /
		COPY --from=two /2 /
	EOF
	fails 5 'Dockerfile:3:' bld build --jobs 2 ctx
}

@test "equal steps of two stages are done once" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN sleep 0.5; cat /proc/sys/kernel/random/uuid > /u
		FROM localhost/base AS two
		RUN sleep 0.5; cat /proc/sys/kernel/random/uuid > /u
		FROM scratch
		COPY --from=one /u /1
		COPY --from=two /u /2
	EOF
	build --jobs 2 -t once ctx
	equal "$(cached_steps)" 1
	tree docker.io/library/once >"$T/tree"
	equal "$(grep -E '^/1 ' "$T/tree" | grep -o 'sha=.*')" "$(grep -E '^/2 ' "$T/tree" | grep -o 'sha=.*')"
	has "$(cat "$T/tree")" '^/1 .*sha=[0-9a-f]{64}'
}

@test "a signal ends all stages" {
	need_base
	dockerfile <<-EOF
		FROM localhost/base AS one
		RUN echo one-\$((40+2)); sleep $NAP
		FROM localhost/base AS two
		RUN echo two-\$((40+2)); sleep $NAP
		FROM scratch
		COPY --from=one /u /1
		COPY --from=two /u /2
	EOF
	"$BLD" build --no-cache --jobs 2 --progress=plain ctx >"$T/out" 2>&1 </dev/null 3>&- &
	local pid=$! rc=0 began
	wait_text "$T/out" one-42
	wait_text "$T/out" two-42
	began=$(now_ms)
	kill -TERM $pid # a background job of a shell ignores SIGINT
	wait $pid || rc=$?
	equal $rc 143
	[ $(($(now_ms) - began)) -lt 60000 ]
	run ! pgrep -f "sleep $NAP"
	ok bld verify
}

@test "lines of steps that run at the same time are whole and carry their number" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "one-one-one-one-one-one"; done; touch /u
		FROM localhost/base AS two
		RUN i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "two-two-two-two-two-two"; done; touch /u
		FROM scratch
		COPY --from=one /u /1
		COPY --from=two /u /2
	EOF
	build --no-cache --jobs 2 ctx
	equal "$(grep -cE '^#1 [0-9.]+ one-one-one-one-one-one$' <<<"$log")" 2000
	equal "$(grep -cE '^#2 [0-9.]+ two-two-two-two-two-two$' <<<"$log")" 2000
}

@test "what is wrong with --jobs is told" {
	mkdir -p ctx
	fails 2 'jobs.*number' bld build --jobs many ctx
	fails 2 'jobs.*number' bld build --jobs -1 ctx
	fails 2 'jobs.*number' bld build --jobs 100000 ctx
}

@test "triggers of a base are numbered behind the lines of several stages" {
	need_base onbuild base
	echo f >"$T/ctx/f"
	dockerfile <<-'EOF'
		FROM localhost/base AS one
		RUN touch /u
		FROM localhost/onbuild
		COPY --from=one /u /u
	EOF
	build --no-cache --jobs 2 ctx
	has "$log" '^#1 \[one 1/[25]\] RUN touch'
	has "$log" '^#2 \[1 2/5\] COPY --from'
	has "$log" '^#4 \[1 4/5\] RUN echo'
	has "$log" '^#5 \[1 5/5\] COPY f'
}

# --- layers that are written while the next step runs

@test "a step sees what a later build from the cache shows, while its base is still written" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN mkdir /d /e; yes | head -c 40000000 > /d/big; touch /d/late; ln /d/late /d/hard; echo 'bob:x:1234:1234::/home/bob:/bin/sh' >> /etc/passwd
		RUN stat -c '%n %Y' /d/late /d /e; stat -c %y /d/late /e /d/big; rm /d/hard; yes | head -c 40000000 > /d/two
		USER bob
		RUN id -u > /tmp/id; cat /d/big | wc -c >> /tmp/id; id -u
		USER root
		COPY --chown=bob f /f
		RUN stat -c %u /f > /owner; cat /f >> /owner
	EOF
	echo text >"$T/ctx/f"
	build --no-cache -t late ctx
	# whole times, also of what is still being written; the step behind it sees the same later
	equal "$(grep -cE '^#2 .*:[0-9]{2}\.[0-9]{9}' <<<"$log")" 3
	local seen
	seen=$(sed -nE 's/^#2 [0-9.]+ (.*)/\1/p' <<<"$log")
	check_tree docker.io/library/late <<-'END'
		layers 6
	END
	tree docker.io/library/late >"$T/tree"
	has "$(cat "$T/tree")" '^/owner '
	hasnt "$(cat "$T/tree")" '^/d/hard '
	ok bld run late cat /tmp/id /owner
	equal "$output" $'1234\n40000000\n1234\ntext'
	local first
	first=$(digest docker.io/library/late)
	build -t late ctx
	equal "$(cached_steps)" 5
	equal "$first" "$(digest docker.io/library/late)"
	sed -i '/%n %Y/s/$/; : other/' "$T/ctx/Dockerfile"
	build ctx
	equal "$(sed -nE 's/^#2 [0-9.]+ (.*)/\1/p' <<<"$log")" "$seen"
	ok bld verify
}

@test "WORKDIR, COPY and RUN on top of a layer that is still being written" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN mkdir -p /src/old; ln -s old /src/link; yes | head -c 90000000 > /big
		WORKDIR /src/link/deep
		COPY f g /src/link/
		RUN cat ../f > said; ls -A /src/old; wc -c < /big
		RUN cat said ../g
	EOF
	echo text >"$T/ctx/f"
	echo more >"$T/ctx/g"
	build --no-cache --timestamp 0 -t auto ctx
	has "$log" '^#4 .* 90000000'
	has "$log" '^#5 .* more'
	BLD_LAYER_FORM=directory build --no-cache --timestamp 0 -t dirs ctx
	equal "$(digest docker.io/library/auto)" "$(digest docker.io/library/dirs)"
	build -t auto ctx
	equal "$(cached_steps)" 5
	ok bld verify
}

@test "a layer that was begun is kept when the next step fails" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN cat /proc/sys/kernel/random/uuid > /u; yes | head -c 60000000 > /big
		RUN exit 3
	EOF
	fails 1 'Dockerfile:3:.*exit status 3' bld build --progress=plain ctx
	has "$stderr" '^#1 DONE'
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN cat /proc/sys/kernel/random/uuid > /u; yes | head -c 60000000 > /big
		RUN exit 0
	EOF
	build ctx
	equal "$(cached_steps)" 1
	ok bld verify
}

@test "a layer that cannot be written is its own step's failure, and ends the next" {
	unset BLD_LAYER_FORM # there are no indexes on tmpfs
	need_base
	dockerfile <<-EOF
		FROM localhost/base
		RUN yes | head -c 3000000 > /before
		RUN yes | head -c 90000000 > /big
		RUN sleep $NAP
	EOF
	mkdir "$T/small"
	mount -t tmpfs -o size=140m none "$T/small"
	export BLD_ROOT=$T/small/store
	need_base
	run --separate-stderr bld build --progress=plain ctx
	umount -l "$T/small"
	[ "$status" != 0 ]
	has "$stderr" 'Dockerfile:3:1: error: .*No space left'
	has "$stderr" '^#2 ERROR: .*No space left'
	has "$stderr" '^#3 ENDED'
	run ! pgrep -f "sleep $NAP"
}

@test "TERM ends a layer in the making and the step on top of it" {
	need_base
	dockerfile <<-EOF
		FROM localhost/base
		RUN yes | head -c 300000000 > /big
		RUN echo on-\$((40+2)); sleep $NAP
	EOF
	"$BLD" build --no-cache --progress=plain ctx >"$T/out" 2>&1 </dev/null 3>&- &
	local pid=$! rc=0 began
	wait_text "$T/out" on-42
	began=$(now_ms)
	kill -TERM $pid
	wait $pid || rc=$?
	equal $rc 143
	[ $(($(now_ms) - began)) -lt 60000 ]
	run ! pgrep -f "sleep $NAP"
	ok bld verify
}
