sums() { tree | grep "^/$1 " | sed 's/.*sha=//'; }
b; a=$(sums a) bb=$(sums b)
b; cached 1
[ "$(sums a)" = "$a" ] || fail "a"
[ "$(sums b)" != "$bb" ] || fail "b"
[ "$(sums c)" = "$(sums b)" ] || fail "c"
