bld build --check -f Dockerfile ctx > o 2>&1 || fail "warnings only"
sed -i '1i# check=error=true' Dockerfile
bld build --check -f Dockerfile ctx > o 2>&1 && fail "error=true"
printf 'FROM localhost/base\nRUNN x\n' > Dockerfile
bld build --check -f Dockerfile ctx > o 2>&1 && fail "a mistake"
grep -q 'Dockerfile:2:1' o || { fail place; cat o; }
