make_repo && start_git || fail servers
printf 'FROM scratch\nADD git://%s/r.git#v1:sub /s/\nADD git://%s/r.git#:sub /t/\n' "$GITD" "$GITD" > Dockerfile
b
[ "$(tree | awk '$2 == "type=f" { print $1 }' | xargs)" = "/s/x /t/x" ] || { fail tree; tree; }
