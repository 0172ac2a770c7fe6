b --platform linux/amd64,linux/arm64
skopeo inspect --raw "oci:$dir/store:$image:latest" > m || fail raw
jq -e '.mediaType == "application/vnd.oci.image.index.v1+json" and ([.manifests[].platform.architecture] | sort) == ["amd64", "arm64"]' m > o || { fail index; cat m; }
