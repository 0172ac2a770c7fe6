#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What bats files get wrong silently: a negated command that fails nothing, a sleep that waits for
# something, and what shellcheck knows.
cd "$(dirname "$0")/../.." || exit 2
. tests/lint/common.sh
bad=0

# In bats `! cmd` fails nothing unless it is the last line: `run ! cmd`, `if cmd; then false; fi` or
# hasnt. With "|| ..." behind it it is a condition. What stands in a RUN is marked by its "&&".
while IFS= read -r line; do
	echo "negation that fails nothing: $line"
	bad=1
done < <(sources bats bash | xargs grep -nE '^[[:space:]]*! [^/]' | grep -vE '\|\||&&'
	sources bats bash | xargs grep -nE '^[[:space:]]*[^iuw].*\|\| ! [^|]*$' | grep -vE ':[[:space:]]*(if|until|while) ')

# A sleep is the work of a RUN, or one of these (file, then a part of the line); waiting is `eventually`
# and what stands on it in tests/lib/servers.sh.
allowed='tests/e2e/run_mounts.bats	counter 
tests/lib/servers.sh	sleep 0.02
tests/lib/images.sh	sleep 5
tests/e2e/signals.bats	sleep "$(printf '\''0.%03d'\'' $ms)"
tests/e2e/run_options.bats	while :; do sleep 1; done
tests/e2e/sandbox.bats	exec sleep 0
tests/e2e/sandbox.bats	sleep 0.05
tests/e2e/cgroup.bats	sleep 1000'
while IFS= read -r line; do
	ok=
	while IFS=$'\t' read -r file part; do
		[[ $line == "$file:"*"$part"* ]] && ok=1
	done <<<"$allowed"
	[ -n "$ok" ] || { echo "sleep: $line"; bad=1; }
done < <({ sources bats bash; echo tests/lib/servers.sh; echo tests/lib/images.sh; } |
	xargs grep -nE '(^|[^a-z_-])sleep ("?[0-9$%]|\\)' | grep -vE 'RUN |\$NAP|:[[:space:]]*#')

# Of a function in the background $! is a shell: to kill that leaves what it started.
while IFS= read -r line; do
	echo "background: \"\$BLD\", not bld: $line"
	bad=1
done < <(sources bats bash | xargs grep -nE '^[[:space:]]*bld .*[^&]&$')

command -v shellcheck >/dev/null || { echo "bats: shellcheck is missing"; exit 77; }
sources bats | xargs -P "$(nproc)" -n 6 shellcheck -s bats -S warning \
	-e SC1090,SC1091,SC2010,SC2034,SC2046,SC2054,SC2086,SC2120,SC2154,SC2164,SC2174,SC2207,SC2238 || bad=1
exit $bad
