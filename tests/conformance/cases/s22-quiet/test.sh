bld build -q -t "$image" -f Dockerfile ctx > o 2> e || fail "status"
[ "$(wc -l < o)" = 1 ] || { fail "standard output"; cat o; }
grep -qE '^sha256:[0-9a-f]{64}$' o || { fail "no id"; cat o; }
[ ! -s e ] || { fail "standard error"; cat e; }
