# A file whose server does not say when it was changed has the time 0, so that builds are alike.
start_web || fail servers
echo "when?" > www/undated
touch -d @1500000000 www/undated
printf 'FROM localhost/base\nADD http://%s/plain/undated /x\nADD http://%s/files/undated /y\nRUN stat -c %%Y /x /y > /z\n' "$WEB" "$WEB" > Dockerfile
b
printf '/x mtime=0\n/y mtime=1500000000\n/z content=0%%0a1500000000%%0a\n' > expect
tree --check expect || fail tree
