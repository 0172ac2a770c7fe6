bld build -f Dockerfile -o type=tar,dest=out.tar ctx > o 2>&1 || { fail "type=tar"; cat o; }
tar -tf out.tar > l; grep -qx 'x' l || grep -qx './x' l || fail "no x"
! grep -q home l || fail "deleted files"
! grep -q '\.wh\.' l || fail whiteouts
[ "$(sort l | uniq -d | wc -l)" = 0 ] || fail "names twice"
