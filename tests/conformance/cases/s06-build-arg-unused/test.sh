b --build-arg used=1 --build-arg unsued=2
grep -qi 'unsued' <<<"$out" || fail "nothing is said of the argument that no ARG takes"
tree | grep -q '^/x ' || fail "no file"
