printf 'FROM localhost/base\nRUN echo 1 > /x\n' | bld build -q -t "$image" - > o 2>&1 || { fail "-"; cat o; }
tree | grep -q '^/x ' || fail "no file"
echo ctx > ctx/f
printf 'FROM localhost/base\nCOPY f /x\n' | bld build -q -t "$image" -f - ctx > o 2>&1 || { fail "-f -"; cat o; }
tree | grep -q '^/x ' || fail "no file of the context"
printf 'FROM localhost/base\nCOPY f /x\n' | bld build -q -t "$image" - > o 2>&1 && fail "a file without a context"
grep -q 'f' o || fail "the error does not name it"
