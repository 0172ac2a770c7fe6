# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # WEB and GITD are for those who source this
# Servers on 127.0.0.1 for tests. $T is the directory of the test, $TOOLS is tests/tools; whoever
# starts one calls stop_all at the end.

# eventually [-t SECONDS] COMMAND...: ask until it succeeds, at most 60 s (a busy machine is slow). The
# only sleep of the tests that waits for something.
eventually() {
	local end=$((SECONDS + 60))
	[ "$1" != -t ] || { end=$((SECONDS + $2)); shift 2; }
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "this did not come to be: $*"; return 1; }
		sleep 0.02
	done
}

# wait_for FILE: until it is there and not empty
wait_for() { eventually test -s "$1"; }

# wait_text FILE REGEX [SECONDS]: until a line of it matches
wait_text() { eventually -t "${3:-60}" grep -qsE -- "$2" "$1" || { tail -5 "$1"; return 1; }; }

# gone TEXT: until no process has it in its command line
runs_none() { ! pgrep -f -- "$1" >/dev/null; }
gone() { eventually runs_none "$1" || { pgrep -af -- "$1"; return 1; }; }
# runs TEXT: until one has
runs() { eventually pgrep -f -- "$1" >/dev/null; }

# settled FILE: until the clock that file systems use has left its times behind. A stat index believes
# only such files; another file that is made now is written later.
settled() {
	local probe=$1.settled.$$
	newer() { touch "$probe" && [ "$probe" -nt "$1" ] && [ "$(stat -c %.Z "$probe")" != "$(stat -c %.Z "$1")" ]; }
	eventually newer "$1"
	rm -f "$probe"
}

# another_second: until the clock shows another one
another_second() {
	local now
	now=$(date +%s)
	later() { [ "$(date +%s)" != "$now" ]; }
	eventually later
}

STARTED=()
# background NAME COMMAND...: a server, ended by stop_all; output in $T/NAME.log
background() {
	local name=$1
	shift
	"$@" >"$T/$name.log" 2>&1 </dev/null 3>&- 4>&- &
	STARTED+=($!)
}
stop_all() {
	local p
	for p in "${STARTED[@]}"; do
		kill "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	STARTED=()
	return 0
}

# start_web: serves $T/www (tools/webfiles.py); sets $WEB to its host:port. Its log is $T/web.log
start_web() {
	mkdir -p "$T/www"
	: >"$T/web.log"
	background webfiles python3 "$TOOLS/webfiles.py" --root "$T/www" \
		--port-file "$T/web.port" --log "$T/web.log"
	wait_for "$T/web.port" || return
	WEB=127.0.0.1:$(cat "$T/web.port")
}

# start_git: a git daemon over $T/www; sets $GITD to its host:port.
start_git() {
	local port try
	for try in 1 2 3 4 5; do
		port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
		background "gitd$try" git daemon --verbose --export-all --base-path="$T/www" \
			--listen=127.0.0.1 --port="$port"
		! wait_text "$T/gitd$try.log" 'Ready to rumble' 10 || { GITD=127.0.0.1:$port; return; }
	done
	return 1
}

# make_repo: $T/www/r.git with f, sub/x, a Dockerfile that copies all, the tag v1 and the branch dev,
# where f is "two"; $T/work is its checkout.
make_repo() {
	local g="git -C $T/work -c user.name=n -c user.email=a@b.invalid"
	export GIT_CONFIG_GLOBAL=/dev/null
	git init -q -b main "$T/work"
	mkdir "$T/work/sub"
	echo one >"$T/work/f"
	echo x >"$T/work/sub/x"
	printf 'FROM scratch\nCOPY . /\n' >"$T/work/Dockerfile"
	$g add -A && $g commit -qm first && $g tag v1 && $g checkout -qb dev || return
	echo two >"$T/work/f"
	$g commit -qam second && $g checkout -q main && publish_repo
}
publish_repo() {
	[ -d "$T/www/r.git" ] || git init -q --bare -b main "$T/www/r.git"
	git -C "$T/work" push -q --mirror "$T/www/r.git"
	git -C "$T/www/r.git" update-server-info
}
