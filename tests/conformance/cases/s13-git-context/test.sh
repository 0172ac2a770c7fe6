make_repo && start_git && start_web || fail servers
for c in "git://$GITD/r.git" "git://$GITD/r.git#dev" "http://$WEB/smart/r.git#v1"; do
	bld build -q -t "$image" "$c" > o 2>&1 || { fail "$c"; cat o; }
	tree | grep -q '^/sub/x ' || { fail "$c: tree"; tree; }
done
printf 'FROM scratch\nCOPY x /only\n' > work/sub/Dockerfile
git -C work add -A; git -C work -c user.name=n -c user.email=a@b.invalid commit -qm third; publish_repo
bld build -q -t "$image" "git://$GITD/r.git#main:sub" > o 2>&1 || { fail subdir; cat o; }
tree | grep -q '^/only ' || { fail "subdir: tree"; tree; }
# Secrets with BuildKit's names.
c=http://$WEB/private/r.git
bld build -q "$c" > o 2>&1 && fail "without a secret"
printf 'pass@word\n' > token
printf 'Basic dXNlcjpwYXNzQHdvcmQ=' > header
printf 'wrong' > wrong
for s in GIT_AUTH_TOKEN:token "GIT_AUTH_TOKEN.$WEB:token" GIT_AUTH_HEADER:header "GIT_AUTH_HEADER.$WEB:header"; do
	bld build -q --secret "id=${s%:*},src=${s##*:}" "$c" > o 2>&1 || { fail "$s"; cat o; }
done
bld build -q --secret id=GIT_AUTH_TOKEN.x.invalid,src=token "$c" > o 2>&1 && fail "a token for another host"
bld build -q --secret id=GIT_AUTH_TOKEN,src=wrong "$c" > o 2>&1 && fail "a wrong token"
grep -q 'wrong' o && { fail "the token is shown"; cat o; }
true
