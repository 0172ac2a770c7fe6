start_web || fail servers
mkdir w; echo f > w/f; echo no > w/no; echo no > w/.dockerignore; printf 'FROM scratch\nCOPY . /\n' > w/Dockerfile
for z in tar:cf tar.gz:czf tar.xz:cJf; do
	tar -C w "-${z#*:}" "www/c.${z%:*}" .
	bld build -q -t "$image" "http://$WEB/files/c.${z%:*}" > o 2>&1 || { fail "$z"; cat o; }
	tree | grep -q '^/f ' || { fail "$z: tree"; tree; }
done
bld build -q "http://$WEB/files/none.tar" > o 2>&1 && fail "an archive that is not there"
grep -q 404 o || { fail message; cat o; }
