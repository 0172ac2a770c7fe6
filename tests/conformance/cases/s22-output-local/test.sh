bld build -f Dockerfile -o out ctx > o 2>&1 || { fail "-o DIR"; cat o; }
[ "$(cat out/d/e/f)" = 1 ] && [ "$(readlink out/d/l)" = e/f ] && [ "$(stat -c %a out/d/e/f)" = 640 ] || fail "files"
[ out/d/h -ef out/d/e/f ] || fail "hard link"
bld build -f Dockerfile -o type=local,dest=out2 ctx > o 2>&1 || { fail "type=local"; cat o; }
diff -r out out2 || fail "differ"
