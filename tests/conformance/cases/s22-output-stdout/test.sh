bld build -f Dockerfile -o - ctx 2> e | tar -xO f > o || { fail "-o -"; cat e; }
[ "$(cat o)" = f ] || fail "content"
