mkdir t; printf 'FROM localhost/base\nCOPY f sub/g /d/\n' > t/Dockerfile; echo f > t/f; mkdir t/sub; echo g > t/sub/g
printf 'FROM localhost/base\nCOPY f /other\n' > t/Other
tar -C t -c . | bld build -q -t "$image" - > o 2>&1 || { fail "tar"; cat o; }
tree > l; grep -q '^/d/f ' l && grep -q '^/d/g ' l || fail "files of the archive"
tar -C t -c . | bld build -q -t "$image" -f Other - > o 2>&1 || { fail "-f in a tar"; cat o; }
tree | grep -q '^/other ' || fail "the other Dockerfile"
