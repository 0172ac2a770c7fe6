make_repo && start_git || fail servers
commit=$(git -C work rev-parse v1)
printf 'FROM scratch\nADD --checksum=%s git://%s/r.git#v1 /m/\n' "$commit" "$GITD" > Dockerfile
b
printf 'FROM scratch\nADD --checksum=%s git://%s/r.git#dev /m/\n' "$commit" "$GITD" > Dockerfile
bld build -f Dockerfile ctx > o 2>&1 && fail "another commit"
grep -q 'Dockerfile:2' o && grep -q "$commit" o || { fail message; cat o; }
