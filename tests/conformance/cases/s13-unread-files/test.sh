b
# Leaks cannot be looked for below strace.
ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=openat,open,openat2,statx,newfstatat -o tr "$BLD" --root "$dir/store" build -q --no-cache -f Dockerfile ctx > o 2>&1 || { fail "traced"; cat o; }
! grep -q 'big' tr || { fail "reads what no COPY wants"; grep big tr | head -3; }
