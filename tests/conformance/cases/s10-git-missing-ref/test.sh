make_repo && start_git || fail servers
printf 'FROM scratch\nADD git://%s/r.git#deev /m/\n' "$GITD" > Dockerfile
bld build -f Dockerfile ctx > o 2>&1 && fail "a ref that is not there"
grep -q 'Dockerfile:2' o && grep -q deev o && grep -q 'dev' o || { fail message; cat o; }
