mkdir away; echo f > ctx/f; printf 'FROM localhost/base\nCOPY f /x\n' > away/My.file
printf 'FROM localhost/base\nCOPY f /wrong\n' > ctx/Dockerfile
bld build -q -t "$image" -f away/My.file ctx > o 2>&1 || { fail "outside"; cat o; }
tree > l; grep -q '^/x ' l || fail "no file"; grep -q '^/wrong ' l && fail "the other Dockerfile"
bld build -q -t "$image" ctx > o 2>&1 || { fail "in the context"; cat o; }
tree | grep -q '^/wrong ' || fail "the default Dockerfile"
