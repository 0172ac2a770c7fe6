sum() { tree | grep '^/x ' | sed 's/.*sha=//'; }
echo one > s1; echo two > s2
b --secret id=s,src=s1; one=$(sum)
b --secret id=s,src=s2; [ "$(sum)" = "$one" ] || fail "the content of a secret counts"
! bld build -f "$dir/Dockerfile" --secret id=s,src=s1 --build-arg FAIL=yes ctx > out 2>&1 || fail "succeeds"
! bld build -f "$dir/Dockerfile" --secret id=s,src=s1 --build-arg FAIL=yes ctx > out 2>&1 || fail "a failure was cached as success"
grep -q 'Dockerfile:4' out || { fail "no line"; cat out; }
