printf 'FROM localhost/base\nCOPY f /x\n' > ctx/Containerfile; echo f > ctx/f
bld build -q -t "$image" ctx > o 2>&1 || { fail "Containerfile"; cat o; }
tree | grep -q '^/x ' || fail "no file"
mv ctx/Containerfile ctx/dockerfile
bld build -q -t "$image" ctx > o 2>&1 || { fail "dockerfile"; cat o; }
rm ctx/dockerfile
bld build -q -t "$image" ctx > o 2>&1 && fail "without any"
grep -q 'Dockerfile' o || { fail "no name in the error"; cat o; }
