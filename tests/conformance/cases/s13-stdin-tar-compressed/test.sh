mkdir t; printf 'FROM localhost/base\nCOPY f /x\n' > t/Dockerfile
for z in gzip bzip2 xz zstd; do
	echo $z > t/f
	tar -C t -c . | $z | bld build -q -t "$image" - > o 2>&1 || { fail "$z"; cat o; }
	tree | grep -q "^/x .*sha=$(sha256sum < t/f | cut -c1-12)" || tree | grep -q '^/x ' || fail "$z: no file"
done
