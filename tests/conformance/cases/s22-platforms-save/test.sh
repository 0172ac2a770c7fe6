b --platform linux/amd64,linux/arm64
bld save --format oci-archive -o a.tar "$image" > o 2>&1 || { fail save; cat o; }
bld save --format oci-dir -o d "$image" > o 2>&1 || { fail "save oci-dir"; cat o; }
[ -s d/index.json ] || fail "oci-dir: no index.json"
bld save --format oci-archive --platform linux/arm64 -o one.tar "$image" > o 2>&1 || { fail "save one"; cat o; }
bld save --platform linux/arm64 -o docker.tar "$image" > o 2>&1 || { fail "save docker"; cat o; }
other() { "$BLD" --root "$dir/other" "$@"; }
other load -i a.tar > o 2>&1 || { fail load; cat o; }
for p in amd64 arm64; do
	other inspect --platform "linux/$p" "$image" > i 2>&1 || { fail "inspect $p"; cat i; }
	jq -e ".config.architecture == \"$p\"" i > o || fail "$p"
	other history --platform "linux/$p" "$image" > o 2>&1 || { fail "history $p"; cat o; }
done
other manifest inspect "$image" | jq -e '.manifests | length == 2' > o || { fail "the index"; other manifest inspect "$image"; }
other verify > o 2>&1 || { fail verify; cat o; }
other rmi "$image" > o 2>&1 || { fail rmi; cat o; }
other load --platform linux/arm64 < a.tar > o 2>&1 || { fail "load one"; cat o; }
other inspect --platform linux/arm64 "$image" | jq -e '.config.architecture == "arm64"' > o || fail "one of it"
other inspect "$image" | jq -e ".index == null" > o || { fail "still an index"; other inspect "$image"; }
third() { "$BLD" --root "$dir/third" "$@"; }
third load < one.tar > o 2>&1 || { fail "load of one"; cat o; }
third load < docker.tar > o 2>&1 || { fail "load of docker"; cat o; }
third inspect --platform linux/arm64 "$image" | jq -e '.config.architecture == "arm64"' > o || { fail third; third inspect "$image"; }
