skopeo copy -q "oci:$dir/store:localhost/base:latest" "oci:$dir/lay:v1" || fail "skopeo"
b --build-context "localhost/any=oci-layout://$dir/lay:v1"
tree | grep -q '^/x ' || fail "no file"
d=$(python3 "$TOOLS/configdump.py" --digest "oci:$dir/lay:v1")
b --build-context "localhost/any=oci-layout://$dir/lay@$d"
bld build -f Dockerfile --build-context "localhost/any=oci-layout://$dir/lay:none" ctx > o 2>&1 && fail "no such tag"
grep -q none o || { fail "the tag is not named"; cat o; }
