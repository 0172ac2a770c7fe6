b -o type=oci,dest=1.tar -o type=docker,dest=2.tar -o type=local,dest=3 -o type=tar,dest=4.tar
for f in 1.tar 2.tar 3/f 4.tar; do [ -s $f ] || fail $f; done
bld build -f Dockerfile -o type=ocii,dest=x ctx > o 2>&1 && fail "unknown type"
grep -q 'oci' o || { fail "no suggestion"; cat o; }
bld build -f Dockerfile -o type=oci ctx > o 2>&1 && [ -t 1 ] && fail "to a terminal"
