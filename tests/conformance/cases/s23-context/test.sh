mkdir -p ctx/src ctx/tmp
printf 12345 >ctx/src/a.c
printf 1 >ctx/src/a.h
echo >ctx/tmp/x
printf 'tmp\n*.never\n' >ctx/.dockerignore
bld context -f Dockerfile --ignored --unused --top 1 ctx >o 2>&1 || { fail status; cat o; }
cat >want <<'END'
ignore file  .dockerignore
files        3
size         18B
excluded     1

largest files
  12B  .dockerignore

excluded
  tmp/  .dockerignore:1

not used by the Dockerfile
  .dockerignore
  src/a.h

rules that decide nothing
  .dockerignore:2  *.never
END
diff want o || fail "the text"
bld context -f Dockerfile --format json ctx | jq -e '.files == 3 and .bytes == 18 and .excluded == 1' >/dev/null || fail json
