for p in plain auto tty quiet none rawjson; do
	bld build --no-cache --progress=$p -f Dockerfile ctx > o.$p 2> e.$p || { fail "$p: status"; cat e.$p; }
done
grep -q said-by-run e.plain || fail plain
cmp <(sed 's/[0-9]*\.[0-9]*s\?//g' e.plain) <(sed 's/[0-9]*\.[0-9]*s\?//g' e.auto) || fail "auto without a terminal is plain"
[ ! -s e.quiet ] || { fail quiet; cat e.quiet; }
jq -es 'map(.logs // [] | .[].data | @base64d) | add | contains("said-by-run")' e.rawjson > j || { fail "rawjson: log"; cat e.rawjson; }
jq -es '[.[].vertexes // [] | .[] | select(.completed)] | length >= 1 and all(.digest | startswith("sha256:"))' e.rawjson > j || { fail "rawjson: vertexes"; cat e.rawjson; }
bld build --progress=loud -f Dockerfile ctx > o 2>&1 && fail "unknown form"
grep -q rawjson o || { fail "the forms are not named"; cat o; }
