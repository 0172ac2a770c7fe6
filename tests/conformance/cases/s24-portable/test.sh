bld lint -f Dockerfile ctx > o 2>&1 || { fail "status without --portable"; cat o; }
! grep -q BldExtension o || fail "named without --portable"
bld lint --portable -f Dockerfile ctx > o 2>&1
for l in 2 4 5 6 7 8 9 10; do
	grep -q "Dockerfile:$l:.*" o || { fail "line $l"; cat o; }
done
