b --annotation org.example.one=1 --annotation "manifest:two=a b"
python3 "$TOOLS/configdump.py" --manifest "oci:$dir/store:$image:latest" | jq -e '.annotations["org.example.one"] == "1" and .annotations.two == "a b"' > o || fail "annotations"
b --format docker --annotation one=1; grep -qi annotation <<<"$out" || fail "nothing is said of what the docker format drops"
