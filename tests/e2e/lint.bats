#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bld lint, bld build --check, and the warnings at the end of a build. The rules themselves are
# tests/cases/lint/.

load helpers

# json EXPRESSION: evaluated with d, the document on $output, must be true.
json() {
	python3 -c 'import base64, json, sys
d = json.loads(sys.argv[1])
if not eval(sys.argv[2]):
    print(sys.argv[2], "does not hold:", json.dumps(d, indent=1)[:3000])
    sys.exit(1)' "$output" "$1"
}

doubtful() {
	dockerfile <<'END'
FROM scratch AS Base
ENV a b
COPY $nope /x
END
}

@test "text: findings with excerpt, caret and rule; nothing is made" {
	doubtful
	ok bld lint ctx
	equal "$output" "$(cat <<'END'
Dockerfile:1:17: warning: Stage name 'Base' should be lowercase [StageNameCasing]
    1 | FROM scratch AS Base
      |                 ^~~~
   = help: write base
Dockerfile:2:5: warning: "ENV key=value" should be used instead of legacy "ENV key value" format [LegacyKeyValueFormat]
    1 | FROM scratch AS Base
    2 | ENV a b
      |     ^
Dockerfile:3:6: warning: Usage of undefined variable '$nope' [UndefinedVar]
    1 | FROM scratch AS Base
    2 | ENV a b
    3 | COPY $nope /x
      |      ^~~~~
check complete, 3 warnings found
END
)"
	equal "$stderr" ""
	[ ! -e "$BLD_ROOT" ]
	printf 'FROM scratch\n' >ctx/Dockerfile
	ok bld lint ctx
	equal "$output" "check complete, no warnings found"
}

@test "the Dockerfile from -f, from standard input, and of the current directory" {
	doubtful
	cd ctx
	ok bld lint
	has "$output" '3 warnings'
	mv Dockerfile other
	ok bld lint -f other
	has "$output" '^other:1:17'
	ok bld lint -f - . <other
	has "$output" '3 warnings'
	fails 4 'Dockerfile' bld lint
	fails 2 'format' bld lint --format xml
}

@test "JSON is BuildKit's check result" {
	doubtful
	ok bld lint --format json ctx
	json '[w["ruleName"] for w in d["warnings"]] == ["StageNameCasing", "LegacyKeyValueFormat", "UndefinedVar"]'
	json 'd["warnings"][2]["detail"] == "Usage of undefined variable \x27\x24nope\x27"'
	json 'all(w["description"] for w in d["warnings"])'
	json 'd["warnings"][2]["location"]["ranges"] == [{"start": {"line": 3, "character": 5}, "end": {"line": 3, "character": 10}}]'
	json 'd["sources"][0]["filename"] == "Dockerfile" and base64.b64decode(d["sources"][0]["data"]) == open("ctx/Dockerfile", "rb").read()'
	json '"buildError" not in d'
	ok bld build --call=check,format=json ctx
	json 'len(d["warnings"]) == 3'
}

@test "SARIF 2.1.0 has what the format requires" {
	mkdir "a b"
	doubtful
	mv ctx/Dockerfile "a b/Dockerfile.x"
	ok bld lint --format sarif -f "a b/Dockerfile.x" ctx
	json 'd["version"] == "2.1.0" and len(d["runs"]) == 1'
	json 'd["runs"][0]["tool"]["driver"]["name"] == "bld" and d["runs"][0]["tool"]["driver"]["version"]'
	json 'all(r["id"] and r["shortDescription"]["text"] for r in d["runs"][0]["tool"]["driver"]["rules"])'
	json 'len(set(r["id"] for r in d["runs"][0]["tool"]["driver"]["rules"])) == 24'
	json 'd["runs"][0]["invocations"][0]["executionSuccessful"] is True'
	json 'd["runs"][0]["columnKind"] == "unicodeCodePoints"'
	json 'all(d["runs"][0]["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in d["runs"][0]["results"])'
	json 'all(r["level"] == "warning" and r["message"]["text"] for r in d["runs"][0]["results"])'
	json 'd["runs"][0]["results"][2]["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "a%20b/Dockerfile.x"}, "region": {"startLine": 3, "startColumn": 6, "endLine": 3, "endColumn": 11}}'
}

@test "errors of the Dockerfile: status 3, in the document and on standard error" {
	printf 'FROM scratch\nCOPPY a b\nRUNN x\n' >ctx/Dockerfile
	fails 3 'did you mean COPY' bld lint ctx
	equal "$output" ""
	run --separate-stderr bld lint --format json ctx
	equal "$status" 3
	has "$stderr" 'did you mean COPY'
	json 'd["warnings"] == [] and d["buildError"]["location"]["ranges"][0]["start"]["line"] == 2'
	json 'd["buildError"]["message"] == "unknown instruction \"COPPY\""'
	run --separate-stderr bld lint --format sarif ctx
	equal "$status" 3
	json '[r["level"] for r in d["runs"][0]["results"]] == ["error", "error"]'
	# What only a plan finds, with the findings.
	printf 'ARG I\nFROM $I AS A\n' >ctx/Dockerfile
	run --separate-stderr bld lint --format json ctx
	equal "$status" 3
	json 'd["buildError"]["message"] == "the base name is empty after expansion"'
	json 'd["buildError"]["location"]["ranges"][0]["start"] == {"line": 2, "character": 5}'
	json 'len(d["warnings"]) == 2'
	fails 2 'no stage "nope"' bld lint --target nope ctx
}

@test "error=true: status 3, and a build stops before its first step" {
	printf '# check=error=true\nFROM scratch\nCOPY a /a\nENV a b\n' >ctx/Dockerfile
	echo a >ctx/a
	run --separate-stderr bld lint ctx
	equal "$status" 3
	has "$output" 'error: .*\[LegacyKeyValueFormat\]'
	has "$stderr" '1 finding where'
	run --separate-stderr bld build --progress=plain -t x ctx
	equal "$status" 3
	has "$stderr" 'Dockerfile:4:5: error: .*\[LegacyKeyValueFormat\]'
	hasnt "$stderr" 'DONE'
	equal "$(grep -c LegacyKeyValueFormat <<<"$stderr")" 1
	fails 4 'x' bld inspect x
	ok bld lint --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=LegacyKeyValueFormat ctx
	ok bld build -q --build-arg BUILDKIT_DOCKERFILE_CHECK=error=false -t x ctx
	sed -i '1s/.*/# check=eror=true/' ctx/Dockerfile
	fails 3 'Dockerfile:1:9: error: unknown check option "eror"' bld build -q ctx
	fails 3 'unknown check option' bld lint ctx
	fails 2 'BUILDKIT_DOCKERFILE_CHECK' bld lint --build-arg BUILDKIT_DOCKERFILE_CHECK=x ctx
}

@test "a build prints its findings once, at its end, on standard error" {
	printf 'FROM scratch\nENV a b\nMAINTAINER me\nFROM scratch AS later\nENV x=$y\nFROM scratch\nCOPY a /a\n' >ctx/Dockerfile
	echo a >ctx/a
	ok bld build --progress=plain -t x ctx
	hasnt "$output" 'warning|LegacyKeyValue'
	equal "$(grep -c 'LegacyKeyValueFormat' <<<"$stderr")" 1
	equal "$(grep -c 'MaintainerDeprecated' <<<"$stderr")" 1
	# A stage that was not built.
	hasnt "$stderr" 'UndefinedVar'
	has "$(tail -3 <<<"$stderr")" '2 warnings found'
	[ "$(grep -n 'COPY a /a' <<<"$stderr" | head -1 | cut -d: -f1)" -lt "$(grep -n LegacyKey <<<"$stderr" | cut -d: -f1)" ]
	ok bld build -q -t x ctx
	equal "$stderr" ""
	# All stages are looked at by a check without a target.
	ok bld build --check ctx
	has "$output" 'UndefinedVar'
	ok bld build --check --target 2 ctx
	hasnt "$output" 'UndefinedVar'
	# Also when a step fails.
	rm ctx/a
	fails 4 'LegacyKeyValueFormat' bld build --progress=plain ctx
}

@test "what is known of a base image comes from the store" {
	printf 'FROM scratch\nENV X=1\nSHELL ["/bin/x"]\n' >ctx/Dockerfile
	ok bld build -q -t base ctx
	printf 'FROM base\nENV Y=$X\nCMD a\n' >ctx/Dockerfile
	ok bld lint ctx
	equal "$output" "check complete, no warnings found"
	ok bld build --progress=plain -t y ctx
	hasnt "$stderr" warning
	printf 'FROM missing\nENV Y=$X\nCMD ["a"]\n' >ctx/Dockerfile
	ok bld lint ctx
	has "$output" 'the base image is not in the store'
	mkdir dir
	ok bld lint --build-context missing=dir ctx
	hasnt "$output" 'not in the store'
	has "$output" UndefinedVar
}

@test "a base for another platform: in the store, and after a pull" {
	printf 'FROM scratch\nENV X=1\n' >ctx/Dockerfile
	ok bld build -q --platform linux/s390x -t other ctx
	printf 'FROM other\nENV Y=1\n' >ctx/Dockerfile
	ok bld lint ctx
	has "$output" 'Base image other was pulled with platform "linux/s390x", expected "linux/[a-z0-9/]+" for current build \[InvalidBaseImagePlatform\]'
	ok bld lint --platform linux/s390x ctx
	hasnt "$output" InvalidBase
	start_registry
	ok bld push other "$REG/other:1"
	ok bld rmi other
	printf 'FROM %s/other:1\nENV Y=1\n' "$REG" >ctx/Dockerfile
	ok bld lint ctx
	equal "$output" "check complete, no warnings found"
	ok bld build --progress=plain ctx
	equal "$(grep -c 's390x' <<<"$stderr")" 1
	has "$stderr" InvalidBaseImagePlatform
}

@test "the ignore file, and what is said of names from outside" {
	printf '# check=experimental=CopyIgnoredFile\nFROM scratch\nCOPY secret.txt a\033b /\nARG \033[2JTOKEN\n' >ctx/Dockerfile
	printf '*.txt\n' >ctx/.dockerignore
	ok bld lint ctx
	has "$output" 'CopyIgnoredFile'
	hasnt "$output" $'\033'
	printf '*.md\n' >mine
	ok bld lint --ignorefile mine ctx
	hasnt "$output" 'CopyIgnoredFile'
}
