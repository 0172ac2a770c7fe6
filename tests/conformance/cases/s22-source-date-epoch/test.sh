echo f > ctx/f; touch -d @1200000000 ctx/f
SOURCE_DATE_EPOCH=1500000000 b
config > c.json
jq -e '.created == "2017-07-14T02:40:00Z"' c.json > /dev/null || { fail "created"; jq .created c.json; }
jq -e '[.history[1:][].created] | unique == ["2017-07-14T02:40:00Z"]' c.json > /dev/null || { fail "history"; jq .history c.json; }
tree --mtime | grep '^/f ' | grep -q 'mtime=1200000000$' || { fail "an older time was changed"; tree --mtime | grep '^/f '; }
tree --mtime | grep '^/r ' | grep -q 'mtime=1500000000$' || { fail "a later time was not lowered"; tree --mtime | grep '^/r '; }
tree --mtime | grep '^/old ' | grep -q 'mtime=981173106$' || fail "an older time was changed"
tree --mtime | grep '^/bin/busybox ' | grep -q 'mtime=1700000000$' || fail "the base was touched"
