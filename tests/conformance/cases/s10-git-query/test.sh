make_repo && start_web || fail servers
printf 'FROM scratch\nADD http://%s/smart/r.git?branch=dev&subdir=/ /b/\nADD http://%s/smart/r.git?tag=v1&subdir=sub /t/\nADD http://%s/smart/r.git?ref=refs/heads/dev /r/\n' "$WEB" "$WEB" "$WEB" > Dockerfile
b
tree > t
grep -q '^/t/x ' t || { fail subdir; cat t; }
two=$(echo two | sha256sum | cut -c1-64)
[ "$(grep -cE "^/(b|r)/f .*sha=$two" t)" = 2 ] || { fail "branch, ref"; cat t; }
