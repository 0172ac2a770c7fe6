start_web || fail servers
mkdir -p www/d
printf 'FROM scratch\nADD http://%s/files/ /x/\n' "$WEB" > Dockerfile
bld build -f Dockerfile ctx > o 2>&1 && fail "no name to give the file"
grep -q 'Dockerfile:2' o || { fail "no line"; cat o; }
echo f > www/f
printf 'FROM scratch\nADD http://%s/files/f?a=1 /x/\nADD http://%s/files/f /y\n' "$WEB" "$WEB" > Dockerfile
b
[ "$(tree | awk '$2 == "type=f" { print $1, $3 }' | xargs)" = "/x/f mode=0600 /y mode=0600" ] || { fail tree; tree; }
