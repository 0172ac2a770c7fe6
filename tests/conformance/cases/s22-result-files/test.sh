b --iidfile iid --metadata-file meta
id=$(cat iid)
[ "$id" = "$(python3 "$TOOLS/configdump.py" --manifest "oci:$dir/store:$image:latest" | jq -r .config.digest)" ] || fail "iidfile: $id"
[ "$(jq -r '."containerimage.digest"' meta)" = "$(digest)" ] || { fail "metadata"; cat meta; }
[ "$(jq -r '."containerimage.config.digest"' meta)" = "$id" ] || fail "metadata: config"
jq -e '."image.name"' meta > name || fail "metadata: name"
