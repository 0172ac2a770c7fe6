HOME=/from/the/caller bld build -f "$dir/Dockerfile" -t "$image" "${args[@]}" ctx >out 2>&1 || { fail "build"; tail out; }
tree | grep '^/x ' | grep -q "sha=$(printf '/from/the/caller default\n' | sha256sum | cut -d' ' -f1)" || { fail "value"; tree | grep '^/x '; }
