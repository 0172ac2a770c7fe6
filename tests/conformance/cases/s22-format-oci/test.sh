b
skopeo inspect --raw "oci:$dir/store:$image:latest" > m || fail "raw"
jq -e '.mediaType == "application/vnd.oci.image.manifest.v1+json" and .config.mediaType == "application/vnd.oci.image.config.v1+json"' m > o || { fail "types"; cat m; }
config | jq -e '.config | .Healthcheck.Test == ["CMD-SHELL", "true"] and .OnBuild == ["RUN true"] and .Shell == ["/bin/sh", "-ec"]' > o || fail "config"
