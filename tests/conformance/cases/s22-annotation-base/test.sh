b
d=$(python3 "$TOOLS/configdump.py" --digest "oci:$dir/store:localhost/base:latest")
python3 "$TOOLS/configdump.py" --manifest "oci:$dir/store:$image:latest" | jq -e --arg d "$d" '.annotations["org.opencontainers.image.base.digest"] == $d and .annotations["org.opencontainers.image.base.name"] == "localhost/base:latest"' > o || { fail "base"; python3 "$TOOLS/configdump.py" --manifest "oci:$dir/store:$image:latest"; }
