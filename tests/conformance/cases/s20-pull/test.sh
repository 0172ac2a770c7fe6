b --pull=never
b --pull=missing
printf 'FROM 127.0.0.1:1/none/there\n' > Dockerfile
bld build -f Dockerfile --pull=never ctx > o 2>&1 && fail "never"
grep -q 'Dockerfile:1' o || { fail "no line"; cat o; }
