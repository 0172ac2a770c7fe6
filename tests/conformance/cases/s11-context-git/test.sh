make_repo && start_git && start_web || fail servers
printf 'FROM scratch\nCOPY --from=src /f /f\nCOPY --from=web /sub/x /x\n' > Dockerfile
tar -C work -cf www/w.tar sub
b --build-context "src=git://$GITD/r.git#dev" --build-context "web=http://$WEB/files/w.tar"
tree | grep -q "^/f .*sha=$(echo two | sha256sum | cut -c1-64)" || { fail f; tree; }
tree | grep -q '^/x ' || { fail x; tree; }
