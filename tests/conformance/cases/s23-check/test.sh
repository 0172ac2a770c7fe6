bld build --check -f Dockerfile ctx > o 2>&1 || { fail status; cat o; }
grep -q JSONArgsRecommended o || { fail "the finding"; cat o; }
! grep -q 'must not run$' <(bld logs 2>&1) || fail "it ran"
bld build --call=check,format=json -f Dockerfile ctx > o 2> e || { fail json; cat e; }
jq -e '[.warnings[].ruleName] | index("JSONArgsRecommended")' o > p || { fail "json"; cat o; }
