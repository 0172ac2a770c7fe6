#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C and TERM at any time: 130 and 143, everything ended and gone, the store good.

load helpers

# interrupt SIGNAL STATUS REGEX-IN-LOG COMMAND...: send the signal once the log shows the text
interrupt() {
	local sig=$1 want=$2 re=$3 pid rc=0
	shift 3
	: >out.log
	# A background job of a shell ignores INT; setsid and env give it the default back.
	env --default-signal=INT --default-signal=TERM setsid "$@" >out.log 2>&1 3>&- &
	pid=$!
	wait_text out.log "$re" || { kill -9 $pid; return 1; }
	kill -s "$sig" $pid
	wait $pid || rc=$?
	[ "$rc" = "$want" ] || { echo "status $rc, wanted $want"; cat out.log; return 1; }
}

@test "INT and TERM in RUN" {
	need_base
	dockerfile <<-EOF
		FROM localhost/base
		RUN echo before-\$((40 + 2)); sleep $NAP & sleep $NAP
	EOF
	interrupt INT 130 'before-42' "$BLD" build --progress=plain ctx
	gone "sleep $NAP"
	interrupt TERM 143 'before-42' "$BLD" build --progress=plain ctx
	gone "sleep $NAP"
	no_leftovers
	ok bld verify
}

@test "INT in a RUN that does not listen" {
	need_base
	dockerfile <<-EOF
		FROM localhost/base
		RUN trap '' INT TERM; echo before-\$((40 + 2)); while :; do sleep $NAP; done
	EOF
	interrupt INT 130 'before-42' timeout 60 "$BLD" build --progress=plain ctx
	gone "sleep $NAP"
	no_leftovers
}

@test "INT while a blob is coming" {
	start_faulty "$(base_layout)"
	: >faulty.requests
	env --default-signal=INT setsid "$BLD" pull "$FAULTY/slow/x:gz" >out.log 2>&1 3>&- &
	pid=$!
	wait_text faulty.requests 'blobs/sha256.*200'
	kill -s INT $pid
	rc=0
	wait $pid || rc=$?
	equal "$rc" 130 "status"
	no_leftovers
	ok bld verify
	ok bld images
	hasnt "$output" slow
}

@test "INT at many moments of a build" {
	need_base
	mkdir -p ctx/d
	for i in $(seq 300); do head -c 4000 /dev/urandom >ctx/d/$i; done
	dockerfile <<-'EOF'
		FROM localhost/base
		COPY d /d
		RUN cp -r /d /e
		RUN rm -r /d
		COPY d /f
	EOF
	bld build --no-cache -t undisturbed --timestamp 1 ctx
	want=$(digest docker.io/library/undisturbed)
	for ms in 0 10 20 30 40 60 80 120 160 200 300 400; do
		env --default-signal=INT setsid "$BLD" build --no-cache -t x ctx >out.log 2>&1 3>&- &
		pid=$!
		sleep "$(printf '0.%03d' $ms)"
		kill -s INT $pid 2>/dev/null || true
		rc=0
		wait $pid || rc=$?
		[[ $rc = 130 || $rc = 0 ]] || { echo "after $ms ms: status $rc"; cat out.log; false; }
		no_leftovers
	done
	ok bld verify
	bld build --no-cache -t again --timestamp 1 ctx
	equal "$(digest docker.io/library/again)" "$want"
}

@test "a closed pipe, a closed standard input and output" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done
	EOF
	run bash -c "set -o pipefail; '$BLD' build --progress=plain ctx 2>&1 | head -1"
	has "$output" .
	no_leftovers
	run bash -c "'$BLD' build -t closed ctx <&- >&- 2>&-"
	equal "$status" 0
	ok bld verify
}
