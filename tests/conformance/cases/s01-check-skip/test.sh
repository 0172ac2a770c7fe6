bld lint -f Dockerfile ctx > o 2>&1 || { fail "status"; cat o; }
[ "$(grep -c '\[LegacyKeyValueFormat\]' o)" = 1 ] || { fail "one finding of LegacyKeyValueFormat"; cat o; }
grep -q 'Dockerfile:7' o || fail "its line"
! grep -qE 'MaintainerDeprecated|JSONArgsRecommended' o || fail "what was skipped"
b
