#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One source for options: the tables. --help, the suggestions and the man page agree with them.

load helpers

MAN=$REPO/docs/bld-build.1.scd

# options_of COMMAND: one line per option, "names<TAB>text", from --help
options_of() {
	bld "$1" --help | awk '
		function put() { if (names != "") print names "\t" text; names = text = "" }
		/^  (-[a-zA-Z], |    )--/ {
			put()
			line = $0
			sub(/^ +/, "", line)
			# The text begins behind two blanks, or on the next line.
			if (match(line, /  +/)) {
				names = substr(line, 1, RSTART - 1)
				text = substr(line, RSTART + RLENGTH)
			} else
				names = line
			next
		}
		/^ {28}\[environment/ { next }
		/^ {28}/ && names != "" {
			line = $0
			sub(/^ +/, "", line)
			text = text (text == "" ? "" : " ") line
			next
		}
		{ put() }
		END { put() }'
}

# A text without the marks of the man page's source, blanks as one.
bare() { tr -d '*_\\' | tr -s '[:space:]' ' '; }

@test "the man page has every option of build with its text, and no other" {
	options_of build >options
	[ "$(wc -l <options)" -gt 20 ]
	bare <"$MAN" >man
	while IFS=$'\t' read -r names text; do
		long=$(grep -oE -- '--[a-z-]+' <<<"$names" | head -1)
		grep -qE "^(\*-[a-z]\*, )?\*$long\*" "$MAN" || { echo "man page: no $long"; false; }
		short=$(grep -oE '^-[a-zA-Z]' <<<"$names" || true)
		[ -z "$short" ] || grep -qF -- "*$short*, *$long*" "$MAN" || { echo "man page: no $short"; false; }
		grep -qF -- "$(bare <<<"$text" | sed 's/ $//')" man || { echo "man page: $long: $text"; false; }
	done <options
	grep -oE '^(\*-[a-z]\*, )?\*--[a-z-]+\*' "$MAN" | grep -oE -- '--[a-z-]+' | sort >in_man
	cut -f1 options | grep -oE -- '--[a-z-]+' | sort >in_help
	diff in_man in_help
}

@test "the man page is valid and names every exit status" {
	command -v scdoc >/dev/null || skip "scdoc is missing"
	scdoc <"$MAN" >page
	for s in 0 1 2 3 4 5 6 7 8 9 10 "130, 143"; do grep -qE "^[|[\[]+ +$s$" "$MAN"; done
}

@test "help of every command: usage line, 79 columns, every option once" {
	for c in build pull push images inspect history tag rmi prune save load login logout run logs lint context manifest parse verify info version; do
		ok bld help $c
		equal "${lines[0]%% \[*}" "Usage: bld $c"
		[ "$(awk '{ if (length > m) m = length } END { print m }' <<<"$output")" -le 79 ] ||
			{ echo "$c: too wide"; false; }
		equal "$(options_of $c | cut -f1 | sort | uniq -d)" ""
		has "$output" '--root DIR'
		here=$output
		ok bld $c --help
		equal "$output" "$here"
	done
	for c in create add remove annotate inspect; do
		ok bld help manifest $c
		equal "${lines[0]%% \[*}" "Usage: bld manifest $c"
		[ "$(awk '{ if (length > m) m = length } END { print m }' <<<"$output")" -le 79 ]
	done
	fails 2 'unknown command "nope"' bld help nope
}

# Told "did you mean --push?", a person who wrote --no-push is worse off than without a word.
@test "options and commands of other builders: taken, or refused with what to do, never with another option" {
	local o c
	while read -r o; do
		run --separate-stderr bld build "$o" ctx ctx ctx
		[ "$status" = 2 ] || { echo "$o: $status"; false; }
		hasnt "$stderr" 'did you mean'
	done < <(grep -v '^#' "$REPO/tests/cases/options/peers")
	for c in bake rm from buildx image commit imagetools du history-of "manifest rm" "manifest push"; do
		run --separate-stderr bld $c
		[ "$status" = 2 ] || { echo "$c: $status"; false; }
		hasnt "$stderr" 'did you mean'
	done
	fails 2 'leave --push out' bld build --no-push ctx
	fails 2 'name servers of this machine' bld build --dns 1.1.1.1 ctx
	fails 2 'RUN --mount=type=bind' bld build -v /a:/b ctx
	fails 2 'bld rmi' bld rm x
	fails 2 'bld build' bld bake
}

@test "mistyped options and commands: the nearest one is named" {
	fails 2 'did you mean "--build-arg"' bld build --buildarg x .
	fails 2 'did you mean "--metadata-file"' bld build --metadata x .
	fails 2 'did you mean "--digests"' bld images --digest
	fails 2 'did you mean "bld prune"' bld prunr
	fails 2 'did you mean "--root"' bld --roo x images
	fails 2 'unknown option "-Z"' bld build -Z .
	fails 2 '"build"|unexpected argument "extra"' bld build ctx extra
	fails 2 'usage: bld build .*CONTEXT' bld build ctx extra
	fails 2 'needs a value' bld build ctx --target
	fails 2 'neither true nor false' bld pull --tls-verify=perhaps x
	fails 2 'host\|none' bld build --network=bridge ctx
	fails 2 'auto\|plain\|tty\|quiet\|rawjson\|none' bld build --progress=fancy ctx
	fails 2 'gzip:1 to gzip:9, zstd, zstd:1 to zstd:19, or none' bld push --compression gzip:10 x
	fails 2 '"xz" is no compression' bld build --compression xz ctx
	fails 2 'docker-archive are plain' bld save --compression zstd -o f x
	BLD_PROGRESS=loud fails 2 'BLD_PROGRESS.*loud' bld build ctx
}

@test "what cannot work is said before anything is done" {
	fails 2 'both' bld build -f - -
	fails 2 'tag' bld build -t 'a b' ctx
	fails 2 'digest' bld build -t "x@sha256:$(printf '0%.0s' {1..64})" ctx
	fails 2 'push.*name' bld build --push ctx
	fails 2 'timestamp' bld build --timestamp 2020-01-01 ctx
	fails 2 'timestamp' bld build --timestamp -1 ctx
	fails 2 'timestamp' bld build --timestamp 99999999999999999999 ctx
	SOURCE_DATE_EPOCH=soon fails 2 'SOURCE_DATE_EPOCH' bld build ctx
	fails 2 'no name' bld build --build-arg =x ctx
	fails 4 'no/such/dir' bld build --iidfile no/such/dir/iid ctx
	fails 2 'keep-time' bld prune --keep-time soon
	fails 2 'exclude each other' bld login -u a -p b --password-stdin 127.0.0.1:1
	[ ! -e "$T/store/blobs" ] || [ -z "$(ls -A "$T/store/blobs/sha256")" ]
}

@test "options of docker and buildah scripts are accepted" {
	ok bld bud --help
	equal "${lines[0]%% \[*}" "Usage: bld build"
	# Accepted: the missing context is what is wrong, not the options.
	fails 4 'nowhere' bld bud --rm --force-rm=true --load --compress=false nowhere
	fails 4 'nowhere' bld bud --disable-content-trust --isolation=chroot --builder x --layers \
		--provenance=false --sbom false --attest type=sbom,disabled=true nowhere
	fails 2 'isolation: "hyperv" is not known' bld build --isolation=hyperv nowhere
	fails 2 'provenance=mode=max: bld makes no attestations' bld build --provenance=mode=max nowhere
	has "$stderr" 'help: leave it out, or give --provenance=false'
	fails 2 'sbom=true: bld makes no' bld build --sbom=true nowhere
	fails 2 'attest=type=sbom: bld makes no' bld build --attest type=sbom nowhere
	fails 2 'estargz layers are not supported' bld build --compression estargz nowhere
}

@test "--os, --arch, --variant: other words for one platform" {
	printf 'FROM scratch\nCOPY Dockerfile /\n' | dockerfile
	build --os linux --arch arm64 --variant v8 -t x ctx
	holds docker.io/library/x '.os == "linux" and .architecture == "arm64"'
	build --arch arm --variant v7 -t x ctx
	holds docker.io/library/x '.architecture == "arm" and .variant == "v7"'
	build --os linux -t x ctx
	holds docker.io/library/x ".architecture == \"$(dpkg --print-architecture)\""
	fails 2 'other words for --platform' bld build --arch arm64 --platform linux/arm64 ctx
	fails 2 'variant needs --arch' bld build --variant v7 ctx
	fails 2 'name one platform' bld build --arch arm64,amd64 ctx
}

@test "errors show control characters of names escaped, on one line" {
	fails 2 'unknown option "--a\\x1b\[31mb\\x0aerror: forged"' bld build $'--a\e[31mb\nerror: forged' .
	equal "$(wc -l <<<"$stderr")" 2
	fails 4 'no\\x1b' bld build $'no\e[2J'
	hasnt "$stderr" $'\e'
	fails 2 'x\\x07' bld inspect $'x\a'
}

@test "standard output that is full is an error, a closed pipe is none" {
	fails 8 'standard output' bash -c "'$BLD' build --help >/dev/full"
	ok bash -c "'$BLD' build --help | head -1"
}
