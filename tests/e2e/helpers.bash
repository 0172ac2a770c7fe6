# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Loaded by every e2e file (`load helpers`). Gives each test:
#   $T            a directory of its own, removed afterwards
#   BLD_ROOT      its own store, empty
#   bld ...       the program under test; run it with `run bld ...` or `ok bld ...`
# and functions to start registries, to make base images and to judge results.
# After each test nothing may be left: no mount, no process, no temporary file in the store.

bats_require_minimum_version 1.5.0

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export BUILD=${BUILD:-$REPO/build}
BLD=$(realpath -m "${BLD:-$BUILD/bld}") # tests work in $T
export BLD
export TOOLS=$REPO/tests/tools
# shellcheck source=tests/lib/servers.sh
. "$REPO/tests/lib/servers.sh"
# shellcheck source=tests/lib/images.sh
. "$REPO/tests/lib/images.sh"
unset SOURCE_DATE_EPOCH REGISTRY_AUTH_FILE DOCKER_CONFIG BLD_ROOT http_proxy https_proxy HTTP_PROXY HTTPS_PROXY

bld() { "$BLD" "$@"; }

# --- set-up and what must hold afterwards ---------------------------------

common_setup() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	T=$BATS_TEST_TMPDIR
	mkdir -p "$T/home" "$T/run" "$T/ctx"
	NAP=9999.$$ # what a RUN sleeps that is to be ended: no other test has it in a command line
	export T HOME=$T/home XDG_RUNTIME_DIR=$T/run BLD_ROOT=$T/store
	cd "$T" || return
}
setup() { common_setup; }

# Of a teardown only the status counts: bats runs it where a command that fails ends nothing.
common_teardown() {
	local bad=0
	stop_all
	no_leftovers || bad=1
	[ ! -d "$T/store" ] || rm -rf "$T/store"
	return $bad
}
teardown() { common_teardown; }

# Mounts that mention our directory, processes that live in such mounts or are bld in it, temporary files.
no_leftovers() {
	local bad=0 m p
	if m=$(grep -F "$T" /proc/self/mountinfo | grep -v " $T/mnt"); then
		echo "left mounted: $m"
		bad=1
	fi
	for p in /proc/[0-9]*; do
		[ "${p#/proc/}" != "$BASHPID" ] || continue
		if grep -qsF "$T/store" "$p/mountinfo" || { [ "$p/exe" -ef "$BLD" ] && [[ $(readlink "$p/cwd") = "$T"* ]]; }; then
			echo "left running: $p $(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)"
			bad=1
		fi
	done
	store_is_tidy "$T/store" || bad=1
	return $bad
}

# store_is_tidy ROOT: nothing in its temporary area.
store_is_tidy() {
	local left
	[ -d "$1/bld/tmp" ] || return 0
	left=$(find "$1/bld/tmp" -mindepth 1 ! -name '*.lock' ! -name lock 2>/dev/null | head -5)
	[ -z "$left" ] || { echo "left in the store: $left"; return 1; }
}

# --- running and asserting -------------------------------------------------

# ok COMMAND...: must succeed; the output is in $output, the error output in $stderr.
ok() {
	run --separate-stderr "$@"
	[ "$status" = 0 ] || { echo "status $status of: $*"; echo "$output" | tail -30; echo "$stderr" | tail -40; return 1; }
}

# fails STATUS REGEX COMMAND...: ends with STATUS and says REGEX on standard error; never a crash.
fails() {
	local want=$1 re=$2
	shift 2
	run --separate-stderr "$@"
	if [ "$status" != "$want" ] || [ -z "$stderr" ] || ! grep -qiE -- "$re" <<<"$stderr$output"; then
		echo "status $status, wanted $want and /$re/, of: $*"
		echo "out: $output" | tail -20
		echo "err: $stderr" | tail -40
		return 1
	fi
	hasnt "$stderr" 'AddressSanitizer|LeakSanitizer|runtime error:'
}

# equal A B [TEXT]
equal() { [ "$1" = "$2" ] || { echo "${3:-values}: '$1' is not '$2'"; return 1; }; }
has() { grep -qE -- "$2" <<<"$1" || { echo "no /$2/ in:"; echo "$1" | head -60; return 1; }; }
hasnt() { ! grep -qE -- "$2" <<<"$1" || { echo "unwanted /$2/ in:"; echo "$1" | head -60; return 1; }; }

# dockerfile: standard input becomes $T/ctx/Dockerfile
dockerfile() { cat >"$T/ctx/Dockerfile"; }

# built [ARG...] [CONTEXT]: build $T/ctx with the base image there; CACHED etc. is in $log
build() {
	run bld build --progress=plain "$@"
	log=$output
	[ "$status" = 0 ] || { echo "bld build $*: status $status"; tail -40 <<<"$log"; return 1; }
}
# how many steps of the last build came from the cache
cached_steps() { grep -cE '\bCACHED\b' <<<"$log" || true; }

# --- base images -------------------------------------------------------------

# need_base [NAME...]: put localhost/NAME (default: base) into the store.
need_base() {
	local layout n
	layout=$(base_layout)
	for n in "${@:-base}"; do
		bld load -i "$(cached "$n-$RECIPES.archive" archive_of "$layout" "$n")" >/dev/null 2>&1 ||
			bld load -i "$CACHE/$n-$RECIPES.archive"
	done
}
archive_of() { skopeo copy -q "oci:$1:$2" "docker-archive:$3:localhost/$2:latest"; }

# --- looking at results ------------------------------------------------------

# full NAME: with a tag; a colon before the last slash is a port
full() { case ${1##*/} in *[:@]*) echo "$1" ;; *) echo "$1:latest" ;; esac; }
# tree IMAGE [treedump options]: the flattened tree
tree() { local n; n=$(full "$1"); shift; python3 "$TOOLS/treedump.py" "$@" "oci:$BLD_ROOT:$n"; }
# check_tree IMAGE <statements
check_tree() { cat >"$T/statements"; python3 "$TOOLS/treedump.py" --check "$T/statements" "oci:$BLD_ROOT:$(full "$1")"; }
config() { python3 "$TOOLS/configdump.py" "oci:$BLD_ROOT:$(full "$1")"; }
manifest() { python3 "$TOOLS/configdump.py" --manifest "oci:$BLD_ROOT:$(full "$1")"; }
digest() { python3 "$TOOLS/configdump.py" --digest "oci:$BLD_ROOT:$(full "$1")"; }
# holds IMAGE JQ...: every expression is true for the config
holds() {
	local image=$1 e
	shift
	for e in "$@"; do
		config "$image" | jq -e "$e" >/dev/null || { echo "not so: $e"; config "$image" | jq -c .; return 1; }
	done
}

# --- servers -----------------------------------------------------------------

# start_registry [plain|htpasswd|tls|token]: sets $REG to its host:port. User alice.
# tls: the test CA is $T/ca.pem; token: the request log of the token server is $T/token.log
start_registry() {
	local kind=${1:-plain} conf=$T/reg-${1:-plain}.yml
	cat >"$conf" <<-EOF
		version: 0.1
		log: {level: info, accesslog: {disabled: false}}
		storage:
		  filesystem: {rootdirectory: $T/reg-$kind}
		  delete: {enabled: true}
		http:
		  addr: 127.0.0.1:0
	EOF
	case $kind in
	htpasswd)
		htpasswd -Bbn alice 's3cret:with colon' >"$T/htpasswd" 2>/dev/null
		printf 'auth:\n  htpasswd: {realm: test, path: %s}\n' "$T/htpasswd" >>"$conf"
		;;
	tls)
		make_ca
		printf '  tls: {certificate: %s, key: %s}\n' "$T/server.pem" "$T/server.key" >>"$conf"
		;;
	token)
		make_ca
		background tokens python3 "$TOOLS/tokenserver.py" --key "$T/server.key" \
			--cert "$T/server.pem" --port-file "$T/token.port" --log "$T/token.log"
		wait_for "$T/token.port" || return
		cat >>"$conf" <<-EOF
			auth:
			  token:
			    realm: http://127.0.0.1:$(cat "$T/token.port")/token
			    service: bld-registry
			    issuer: bld-test
			    rootcertbundle: $T/server.pem
		EOF
		;;
	esac
	background "reg-$kind" docker-registry serve "$conf"
	wait_text "$T/reg-$kind.log" 'listening on' || return
	REG=127.0.0.1:$(grep -oE 'listening on 127.0.0.1:[0-9]+' "$T/reg-$kind.log" | head -1 | grep -oE '[0-9]+$')
}

# damage FILE [OFFSET]: flip one bit of a byte, of the one in the middle without an offset
damage() {
	chmod u+w "$1"
	python3 - "$1" "${2:-$(($(stat -c %s "$1") / 2))}" <<-'P'
		import sys
		with open(sys.argv[1], "r+b") as f:
		    f.seek(int(sys.argv[2])); b = f.read(1)
		    f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 1]))
	P
}

# A test CA, and a server certificate of it for 127.0.0.1 and localhost.
make_ca() {
	[ ! -e "$T/server.pem" ] || return 0
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/ca.key" -out "$T/ca.pem" -days 2 \
		-subj /CN=bld-test-ca 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -keyout "$T/server.key" -out "$T/server.csr" \
		-subj /CN=127.0.0.1 2>/dev/null
	printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >"$T/san"
	openssl x509 -req -in "$T/server.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial \
		-days 2 -extfile "$T/san" -out "$T/server.pem" 2>/dev/null
}

# start_faulty LAYOUT: sets $FAULTY; its request log is $T/faulty.requests
start_faulty() {
	background faulty python3 "$TOOLS/faultregistry.py" --layout "$1" \
		--port-file "$T/faulty.port" --log "$T/faulty.requests"
	wait_for "$T/faulty.port" || return
	FAULTY=127.0.0.1:$(cat "$T/faulty.port")
}

# seed REGISTRY/NAME IMAGE [skopeo options]: put an image of the base layout into a registry
seed() {
	local dest=$1 image=$2
	shift 2
	skopeo copy -q --all --dest-tls-verify=false "$@" "oci:$(base_layout):$image" "docker://$dest"
}

