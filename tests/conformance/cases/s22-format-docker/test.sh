b --format docker
python3 "$TOOLS/configdump.py" --manifest "oci:$dir/store:$image:latest" > m || fail "manifest"
jq -e '.mediaType == "application/vnd.docker.distribution.manifest.v2+json" and .config.mediaType == "application/vnd.docker.container.image.v1+json"' m > o || { fail "types"; cat m; }
jq -e '.config.Healthcheck' <(config) > o || fail "healthcheck"
