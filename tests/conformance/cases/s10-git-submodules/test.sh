make_repo && start_git || fail servers
git init -q --bare -b main www/outer.git
git init -q -b main outer
g="git -C outer -c user.name=n -c user.email=a@b.invalid -c protocol.git.allow=always"
$g submodule --quiet add "git://$GITD/r.git" in > o 2>&1 && $g commit -qm outer && $g push -q "$T/www/outer.git" main || { fail outer; cat o; }
printf 'FROM scratch\nADD git://%s/outer.git /o/\nADD http://x.invalid/never /n/\n' "$GITD" | head -2 > Dockerfile
b
tree | grep -q '^/o/in/f ' || { fail "files of the submodule"; tree; }
