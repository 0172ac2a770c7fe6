#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Configuration from instructions, where it takes a whole build to see it.

load helpers

@test "VOLUME: later writes stay, with --compat-volumes those of RUN go" {
	need_base
	cat >ctx/Dockerfile <<'EOF'
FROM localhost/base
RUN mkdir -p /v/d /real && echo old >/v/old && ln -s /real /link
VOLUME /v /link/in /new
RUN echo run >/v/run && rm /v/old && mkdir -p /real/in /new && echo x >/real/in/x && echo y >/new/y && echo z >/z
COPY Dockerfile /v/copied
RUN rm -r /v/d && ln -s /etc /v2 && rm -rf /v && ln -s /etc /v
EOF
	build -t localhost/keep ctx
	tree localhost/keep >keep
	has "$(cat keep)" '/real/in/x'
	has "$(cat keep)" '/new/y'
	build -t localhost/compat --compat-volumes ctx
	equal "$(cached_steps)" 1
	tree localhost/compat >compat
	for there in '^/v/old ' '^/v/d ' '^/v/copied ' '^/z ' '^/v2 '; do has "$(cat compat)" "$there"; done
	for there in '^/real/in ' '^/new '; do has "$(cat compat)" "$there.*mode=0755 own=0:0"; done
	for gone in '^/v/run' '^/real/in/' '^/new/'; do hasnt "$(cat compat)" "$gone"; done
	holds localhost/compat '.config.Volumes == {"/v": {}, "/link/in": {}, "/new": {}}'
	build -t localhost/again --compat-volumes ctx
	equal "$(digest localhost/again)" "$(digest localhost/compat)"
	[ -e /etc/passwd ]
}

@test "VOLUME with --compat-volumes makes the directories, below / and of root, in one layer" {
	need_base
	dockerfile <<-'EOF'
		FROM localhost/base
		RUN mkdir /there && chmod 700 /there && ln -s /there /link && echo x >/file
		WORKDIR /work
		USER 1000
		VOLUME rel/vol /a/b /link/in /there /file /a/b
		RUN ls -ld /a/b >/tmp/seen; ! test -e /work/rel
		VOLUME /a/b /there
	EOF
	build -t localhost/v --compat-volumes ctx
	tree localhost/v >t
	for d in /rel /rel/vol /a /a/b /there/in; do has "$(cat t)" "^$d type=d mode=0755 own=0:0"; done
	has "$(cat t)" '^/there type=d mode=0700'
	has "$(cat t)" '^/file type=f '
	equal "$(config localhost/v | jq -c '[.history[] | select(.created_by | startswith("VOLUME")) | .empty_layer // false]')" '[false,true]'
	build -t localhost/again --compat-volumes ctx
	equal "$(cached_steps)" 4
	sed -i 's|VOLUME rel/vol|VOLUME rel/other|' ctx/Dockerfile
	build --explain --compat-volumes ctx
	has "$log" 'why: .*VOLUME'
	# without the option it makes nothing
	build -t localhost/w ctx
	hasnt "$(tree localhost/w)" '^/(rel|a|there/in) '
}

@test "HEALTHCHECK: inherited, replaced as a whole, switched off" {
	need_base
	printf 'FROM localhost/base\nHEALTHCHECK --interval=1m30s --timeout=2s --retries=3 --start-period=500ms --start-interval=1s CMD ["a", "b"]\n' >ctx/Dockerfile
	build -t localhost/p ctx
	printf 'FROM localhost/p\nLABEL x=1\n' >ctx/Dockerfile
	build -t localhost/same ctx
	holds localhost/same '.config.Healthcheck == {Test: ["CMD", "a", "b"], Interval: 9e10, Timeout: 2e9, Retries: 3, StartPeriod: 5e8, StartInterval: 1e9}'
	printf 'FROM localhost/p\nSHELL ["/bin/other", "-x"]\nHEALTHCHECK --retries=1 CMD one two\n' >ctx/Dockerfile
	build -t localhost/new ctx
	holds localhost/new '.config.Healthcheck == {Test: ["CMD-SHELL", "one two"], Retries: 1}'
	printf 'FROM localhost/p\nHEALTHCHECK NONE\n' >ctx/Dockerfile
	build -t localhost/none ctx
	holds localhost/none '.config.Healthcheck == {Test: ["NONE"]}'
}

@test "CMD and ENTRYPOINT of bases and stages" {
	need_base
	printf 'FROM localhost/base\nCMD ["c"]\n' >ctx/Dockerfile
	build -t localhost/c ctx
	printf 'FROM localhost/c\nENTRYPOINT ["e"]\n' >ctx/Dockerfile
	build -t localhost/x ctx
	holds localhost/x '.config.Entrypoint == ["e"]' '.config.Cmd == null'
	printf 'FROM localhost/c\nCMD d\nENTRYPOINT e\n' >ctx/Dockerfile
	build -t localhost/x ctx
	holds localhost/x '.config.Entrypoint == ["/bin/sh", "-c", "e"]' '.config.Cmd == ["/bin/sh", "-c", "d"]'
	printf 'FROM localhost/base AS a\nCMD ["c"]\nFROM a\nENTRYPOINT []\n' >ctx/Dockerfile
	build -t localhost/x ctx
	holds localhost/x '.config.Entrypoint == null' '.config.Cmd == null'
}

@test "ONBUILD is no history entry; entries without empty_layer are as many as layers" {
	need_base
	printf 'FROM localhost/base\nONBUILD LABEL t=1\nONBUILD RUN true\nLABEL own=1\n' >ctx/Dockerfile
	build -t localhost/o ctx
	before=$(config localhost/base | jq '.history | length')
	holds localhost/o ".history | length == $((before + 1))" '.config.OnBuild | length == 2'
	printf 'FROM localhost/o\nRUN true\n' >ctx/Dockerfile
	build -t localhost/c ctx
	holds localhost/c ".history | length == $((before + 4))" '.config.OnBuild == null' '.config.Labels == {own: "1", t: "1"}' \
		'([.history[] | select(.empty_layer | not)] | length) == (.rootfs.diff_ids | length)'
}
