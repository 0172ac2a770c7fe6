start_web || fail servers
mkdir a; echo in > a/in; tar -C a -czf www/a.tgz in
printf 'FROM scratch\nADD http://%s/files/a.tgz /plain/\nADD --unpack=true http://%s/files/a.tgz /unpacked/\nADD --unpack=false http://%s/files/a.tgz /kept/\n' "$WEB" "$WEB" "$WEB" > Dockerfile
b
[ "$(tree | awk '$2 == "type=f" { print $1 }' | xargs)" = "/kept/a.tgz /plain/a.tgz /unpacked/in" ] || { fail tree; tree; }
