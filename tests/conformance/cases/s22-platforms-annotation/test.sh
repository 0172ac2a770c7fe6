bld build -f Dockerfile --platform linux/amd64,linux/arm64 -t localhost/i \
	--annotation index:a=1 --annotation 'manifest[linux/arm64]:b=2' \
	--annotation manifest-descriptor:c=3 --annotation index-descriptor:d=4 \
	-o type=oci,tar=false,dest=l -o type=image ctx > o 2>&1 || { fail build; cat o; }
blob() { echo "l/blobs/sha256/${1#sha256:}"; }
jq -e '.manifests[0].annotations.d == "4"' l/index.json > o || { fail "index-descriptor"; cat l/index.json; }
i=$(blob "$(jq -r '.manifests[0].digest' l/index.json)")
jq -e '.annotations == {a: "1"} and ([.manifests[].annotations.c] == ["3", "3"])' "$i" > o || { fail index; cat "$i"; }
m() { blob "$(jq -r ".manifests[] | select(.platform.architecture == \"$1\").digest" "$i")"; }
jq -e '.annotations.b == "2"' "$(m arm64)" > o || fail arm64
jq -e '.annotations.b == null' "$(m amd64)" > o || fail amd64
bld build -f Dockerfile --platform linux/amd64 --annotation index:a=1 ctx > o 2>&1 && fail "one platform has no index"
grep -q 'has no index' o || { fail message; cat o; }
