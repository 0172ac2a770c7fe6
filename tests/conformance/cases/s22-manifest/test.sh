b --platform linux/amd64 -t one
b --platform linux/arm64 -t two
bld manifest create --annotation k=v both one two > d || fail create
skopeo inspect --raw "oci:$dir/store:docker.io/library/both:latest" > raw || fail skopeo
[ "$(cat d)" = "sha256:$(sha256sum < raw | cut -d' ' -f1)" ] || fail "digest"
jq -e '[.manifests[].platform.architecture] == ["amd64", "arm64"] and .annotations.k == "v"' raw > o || { fail "index"; cat raw; }
bld manifest inspect both > shown || fail inspect
[ "$(jq -cS . shown)" = "$(jq -cS . raw)" ] || fail "inspect differs from skopeo"
