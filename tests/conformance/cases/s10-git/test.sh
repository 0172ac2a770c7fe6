make_repo && start_git || fail servers
printf 'FROM scratch\nADD git://%s/r.git /m/\nADD git://%s/r.git#dev /d\nADD --keep-git-dir=true git://%s/r.git#v1 /k/\n' "$GITD" "$GITD" "$GITD" > Dockerfile
b
tree > t
for l in '/m/f .*size=4' '/m/sub/x ' '/d/f ' '/k/.git type=d' '/k/f '; do grep -q "^$l" t || fail "no $l"; done
grep -q '^/m/.git' t && fail ".git without --keep-git-dir"
[ "$(grep -E '^/(m|d)/f ' t | sed 's/.*sha=//' | sort -u | wc -l)" = 2 ] || fail "the branch"
b; cached 3
