sums() { tree | grep "^/$1 " | sed 's/.*sha=//'; }
b; one=$(sums a) two=$(sums b)
b --no-cache-filter two
[ "$(sums a)" = "$one" ] || fail "stage one was built again"
[ "$(sums b)" != "$two" ] || fail "stage two was not built again"
