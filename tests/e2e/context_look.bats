#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bld context: what a context holds, what is excluded by which rule, what no instruction takes.

load helpers

setup() {
	common_setup
	mkdir -p ctx/src ctx/docs ctx/node_modules/x
	printf 'FROM scratch\nCOPY src/*.c docs/ /x/\nRUN --mount=type=bind,source=mounted,target=/m true\n' >ctx/Dockerfile
	printf '# rules\n*.o\nnode_modules\n!keep.o\nnever*\n' >ctx/.dockerignore
	printf 123 >ctx/src/a.c
	printf 12345 >ctx/src/a.h
	head -c 2000 /dev/zero >ctx/docs/big
	echo >ctx/node_modules/x/y
	echo >ctx/x.o
	echo >ctx/keep.o
	echo m >ctx/mounted
	echo >$'ctx/e\e[1m\n'
}

@test "the exact output, as text" {
	ok bld context --top 2 --ignored --unused ctx
	equal "$output" "ignore file  .dockerignore
files        8
size         2.1kB
excluded     2

largest files
  2.0kB  docs/big
  88B  Dockerfile

excluded
  node_modules/  .dockerignore:3
  x.o  .dockerignore:2

not used by the Dockerfile
  .dockerignore
  Dockerfile
  e\\x1b[1m\\x0a
  keep.o
  src/a.h

rules that decide nothing
  .dockerignore:5  never*"
}

@test "the same for programs; another ignore file; no ignore file" {
	ok bld context --format json --top 1 --ignored --unused ctx
	jq -e '.files == 8 and .excluded == 2 and .idleRules == [5] and .largest == [{path: "docs/big", size: 2000}]
		and .ignored == [{path: "node_modules", line: 3, directory: true}, {path: "x.o", line: 2, size: 1}]
		and (.unused | map(.path)) == [".dockerignore", "Dockerfile", "e\u001b[1m\n", "keep.o", "src/a.h"]' <<<"$output"
	printf 'docs\n' >other
	ok bld context --ignorefile other --top 0 --ignored ctx
	equal "$output" "ignore file  other
files        9
size         $(sed -n 's/^size *//p' <<<"$output")
excluded     1

excluded
  docs/  other:1"
	rm ctx/.dockerignore
	ok bld context --top 0 ctx
	has "$output" '^ignore file  none$'
	fails 2 'is not a number' bld context --top x ctx
	fails 2 'CONTEXT is a directory' bld context -
	fails 4 "No such file" bld context nowhere
}

@test "a source that an ignore file hides names the rule; one that is missing the nearest name" {
	printf 'FROM scratch\nCOPY x.o /\n' >ctx/Dockerfile
	run bld build ctx
	has "$output" 'Dockerfile:2:6: error: x.o: excluded from the build context by line 2 of .dockerignore$'
	has "$output" 'help: .*!x\.o'
	printf 'x.o\n' >ctx/Dockerfile.dockerignore
	run bld build ctx
	has "$output" 'x.o: excluded from the build context by line 1 of Dockerfile.dockerignore$'
	printf '\n\nx.o\n' >own
	run bld build --ignorefile own ctx
	has "$output" 'x.o: excluded from the build context by line 3 of own$'
	rm ctx/*.dockerignore ctx/.dockerignore
	printf 'x.*\n' >ctx/.containerignore
	run bld build ctx
	has "$output" 'x.o: excluded from the build context by line 1 of .containerignore$'
	printf 'FROM scratch\nCOPY sr/a.c /\n' >ctx/Dockerfile
	run bld build ctx
	has "$output" 'help: did you mean src/a.c\?'
}
