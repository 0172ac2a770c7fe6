b -o type=oci,dest=out.tar
mkdir lay; tar -C lay -xf out.tar
python3 "$TOOLS/treedump.py" "oci:lay" | grep -q '^/x ' || fail "the layout"
skopeo inspect oci-archive:out.tar > o 2>&1 || { fail skopeo; cat o; }
