#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Kill bld with SIGKILL in each phase and look at what is left:  KILLS=200 tests/kill/kill.sh
#
# KILLS (default 20) is the number over the five phases pull, run, freeze, tag, push. A kill counts
# when bld was still there to be killed. After each one: no process of the RUN is left, no mount,
# `bld verify` is clean, and the same command again gives the digest of an undisturbed run. Each
# kill is one line of $KILL_LOG (default $BUILD/log/kill.phases): phase, moment, what bld had said.
# Tagging takes a few milliseconds, so its kills come by system call, not by clock.
REPO=$(cd "$(dirname "$0")/../.." && pwd)
export BUILD=${BUILD:-$REPO/build}
case $BUILD in /*) ;; *) export BUILD=$REPO/$BUILD ;; esac
export BLD=${BLD:-$BUILD/bld} TOOLS=$REPO/tests/tools
. "$REPO/tests/lib/images.sh"
if [ "$(id -u)" != 0 ]; then
	echo "ok - kill # skip needs root"
	exit 0
fi
KILLS=${KILLS:-20}
each=$(((KILLS + 4) / 5))
KILL_LOG=${KILL_LOG:-$BUILD/log/kill.phases}
mkdir -p "$(dirname "$KILL_LOG")"
: >"$KILL_LOG"
T=$(mktemp -d)
export HOME=$T BLD_ROOT=$T/store
unset SOURCE_DATE_EPOCH
mark=9$$
servers=()
finish() {
	local p
	for p in "${servers[@]}"; do kill "$p" 2>/dev/null; done
	rm -rf "$T"
}
trap finish EXIT

now_ms() { date +%s%3N; }
random_below() { echo $(((RANDOM * 32768 + RANDOM) % ($1 + 1))); }
pause_ms() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }
digest() { python3 "$TOOLS/configdump.py" --digest "oci:$BLD_ROOT:$1"; }
fail() {
	echo "# $*"
	bad=1
}

wait_text() { # FILE TEXT: at most 30 s
	local i
	for ((i = 0; i < 1500; i++)); do
		! grep -qs "$2" "$1" || return 0
		sleep 0.02
	done
	return 1
}

# attempt PHASE SPAN-MS MARKER COMMAND...: start it, wait for the marker in its output (none: at
# once), then a random time below the span, then SIGKILL. 0 if it was alive then.
attempt() {
	local phase=$1 span=$2 marker=$3 pid ms rc=0
	shift 3
	: >"$T/out"
	"$@" >"$T/out" 2>&1 </dev/null &
	pid=$!
	if [ -n "$marker" ] && ! wait_text "$T/out" "$marker"; then
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
		return 1
	fi
	ms=$(random_below "$span")
	pause_ms "$ms"
	kill -9 $pid 2>/dev/null
	{ wait $pid; } 2>/dev/null || rc=$?
	[ $rc = 137 ] || return 1
	printf '%s\t%d ms after %s\t%s\n' "$phase" "$ms" "${marker:-the start}" \
		"$(tail -1 "$T/out" | tr '\t' ' ' | cut -c1-80)" >>"$KILL_LOG"
}

# attempt_at_call PHASE CALLS COMMAND...: what is too short for a clock. SIGKILL comes with one of the
# system calls that change or open files; CALLS has a line "number name" for each kind.
attempt_at_call() {
	local phase=$1 calls=$2 call n rc=0
	shift 2
	read -r n call < <(awk -v r="$(random_below 1000000)" '{ v[NR] = $0; sum += $1 }
		END { r %= sum; for (i = 1; i <= NR; i++) { split(v[i], f, " "); if (r < f[1]) { print r + 1, f[2]; exit } r -= f[1] } }' "$calls")
	{ strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" "$@" >"$T/out" 2>&1 </dev/null; } 2>/dev/null || rc=$?
	[ $rc = 137 ] || return 1
	printf '%s\tat %s number %d\t%s\n' "$phase" "$call" "$n" "$(tail -1 "$T/out" | tr '\t' ' ' | cut -c1-80)" >>"$KILL_LOG"
}
count_calls() { # COMMAND...: the table for it, in $T/calls
	strace -f -qq -o "$T/trace" -e trace=openat,openat2,linkat,renameat,renameat2,unlinkat,mkdirat,write,pwrite64,fchmod,utimensat,ftruncate "$@" >/dev/null 2>&1 </dev/null
	sed -nE 's/^[0-9]+ +([a-z0-9]+)\(.*/\1/p' "$T/trace" | sort | uniq -c >"$T/calls"
}

# the state after a kill
look() {
	local i
	for ((i = 0; i < 100; i++)); do
		pgrep -f "sleep $mark" >/dev/null || break
		sleep 0.02
	done
	[ $i -lt 100 ] || fail "a process of the RUN is alive: $(pgrep -af "sleep $mark")"
	! grep -F "$T" /proc/self/mountinfo || fail "a mount is left"
	"$BLD" verify >"$T/verify" 2>&1 || { fail "verify:"; sed 's/^/# /' "$T/verify" | tail -5; }
}

# measure MARKER COMMAND...: how long it takes after the marker (or the start), in $span
measure() {
	local marker=$1 began
	shift
	began=$(now_ms)
	"$@" >"$T/out" 2>&1 </dev/null &
	local pid=$!
	if [ -n "$marker" ]; then
		wait_text "$T/out" "$marker"
		began=$(now_ms)
	fi
	wait $pid || { fail "undisturbed: $*"; tail -5 "$T/out" | sed 's/^/# /'; }
	span=$(($(now_ms) - began))
	[ "$span" -gt 5 ] || span=5
}

phase() { # NAME MARKER BEFORE COMMAND...: BEFORE runs before each try
	local name=$1 marker=$2 before=$3 done=0 tries=0
	shift 3
	bad=0
	$before
	[ "$name" != tag ] || "$@" >/dev/null 2>&1 # from the cache: what is left is the tagging
	$before
	measure "$marker" "$@"
	$after >"$T/want"
	$before
	[ "$name" != tag ] || count_calls "$@"
	while [ $done -lt "$each" ] && [ $tries -lt $((each * 6 + 10)) ]; do
		tries=$((tries + 1))
		$before
		if [ "$name" = tag ]; then
			attempt_at_call "$name" "$T/calls" "$@" || continue
		else
			attempt "$name" "$span" "$marker" "$@" || continue
		fi
		done=$((done + 1))
		look
		"$@" >"$T/again" 2>&1 </dev/null || { fail "the next run fails:"; tail -5 "$T/again" | sed 's/^/# /'; }
		$after >"$T/got"
		cmp -s "$T/want" "$T/got" || fail "the next run gives another result: $(cat "$T/want" "$T/got")"
		[ $bad = 0 ] || break
	done
	[ $done -ge "$each" ] || fail "only $done of $each kills came in time ($span ms)"
	"$BLD" prune --all >/dev/null 2>&1
	"$BLD" verify >/dev/null 2>&1 || fail "verify after prune"
	local left
	left=$(find "$BLD_ROOT/bld/tmp" "$BLD_ROOT/bld/trash" -mindepth 1 2>/dev/null | grep -v lock | head -3)
	[ -z "$left" ] || fail "left after prune: $left"
	if [ $bad = 0 ]; then
		echo "ok - kill: $done in $name (within $span ms)"
	else
		echo "not ok - kill: $name"
		failed=1
	fi
}

failed=0
nothing() { :; }

# --- what is built, pulled, pushed
layout=$(base_layout) || { echo "not ok - kill: no base image"; exit 1; }
mkdir "$T/big" "$T/ctx"
yes 'some text that compresses' | head -c 40000000 >"$T/big/a"
openssl enc -aes-128-ctr -K 00 -iv 00 -in "$T/big/a" -out "$T/big/b" 2>/dev/null
tar -C "$T/big" --sort=name --owner=0 --group=0 --mtime=@1 -cf "$T/big.tar" a b
python3 "$TOOLS/mkimage.py" --gzip "$T/layout" big "$(busybox_tar)" "$T/big.tar" >/dev/null
python3 "$TOOLS/faultregistry.py" --layout "$T/layout" --port-file "$T/port" --log "$T/requests" >/dev/null 2>&1 &
servers+=($!)
for ((i = 0; i < 500; i++)); do [ ! -s "$T/port" ] || break; sleep 0.02; done
reg=127.0.0.1:$(cat "$T/port")
skopeo copy -q "oci:$layout:base" "docker-archive:$T/base.archive:localhost/base:latest"
load() { "$BLD" load -i "$T/base.archive" >/dev/null || echo "# the base cannot be loaded"; }
fresh() {
	rm -rf "$BLD_ROOT"
	load
}

# --- pull
after=pulled
pulled() { digest "$reg/ok/big:big"; }
empty_store() { rm -rf "$BLD_ROOT"; }
phase pull "" empty_store "$BLD" pull "$reg/ok/big:big"

# --- RUN
fresh
cat >"$T/ctx/Dockerfile" <<EOF
FROM localhost/base
RUN echo begin-\$((40+2)); (sleep $mark & sleep $mark &) ; for i in 1 2 3 4 5 6; do echo \$i >> /x; sleep 0.05; done; kill \$(pidof sleep) 2>/dev/null; true
EOF
after=built
built() { digest docker.io/library/k:latest; }
phase run 'begin-42' nothing "$BLD" build --no-cache --progress=plain --timestamp 1 -t k "$T/ctx"

# --- freeze
cat >"$T/ctx/Dockerfile" <<'EOF'
FROM localhost/base
RUN mkdir /d && for i in $(seq 400); do seq $i > /d/f$i; done && yes text | head -c 30000000 > /big && echo end-$((40+2))
EOF
phase freeze 'end-42' nothing "$BLD" build --no-cache --progress=plain --timestamp 1 -t k "$T/ctx"

# --- tag
names=()
for i in $(seq 40); do names+=(-t "t$i"); done
tagged() { for i in 1 20 40; do digest "docker.io/library/t$i:latest"; done; }
after=tagged
untag() { for i in 1 20 40; do "$BLD" rmi "t$i" >/dev/null 2>&1; done; }
phase tag "" untag "$BLD" build --progress=plain --timestamp 1 "${names[@]}" "$T/ctx"

# --- push
conf=$T/reg.yml
printf 'version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:0"}\n' "$T/reg" >"$conf"
docker-registry serve "$conf" >"$T/reg.log" 2>&1 &
servers+=($!)
wait_text "$T/reg.log" 'listening on'
preg=127.0.0.1:$(grep -oE 'listening on 127.0.0.1:[0-9]+' "$T/reg.log" | head -1 | grep -oE '[0-9]+$')
"$BLD" pull "$reg/ok/big:big" >/dev/null 2>&1
printf 'FROM %s/ok/big:big\nRUN yes more | head -c 20000000 > /more\n' "$reg" >"$T/ctx/Dockerfile"
count=0
new_name() { # a repository that has nothing yet, and no compressed form remembered
	count=$((count + 1))
	rm -rf "$T/reg/docker"
	"$BLD" prune --all >/dev/null 2>&1
	"$BLD" build --timestamp $((1000 + count)) -t "$preg/p/q:1" "$T/ctx" >/dev/null 2>&1
}
pushed() {
	skopeo copy -q --src-tls-verify=false "docker://$preg/p/q:1" "oci:$T/pushed:x" &&
		python3 "$TOOLS/treedump.py" "oci:$T/pushed:x" | sha256sum
	rm -rf "$T/pushed"
}
after=pushed
phase push "" new_name "$BLD" push "$preg/p/q:1"

echo "# phases: $(cut -f1 "$KILL_LOG" | sort | uniq -c | tr -s ' \n' ' ')"
exit $failed
